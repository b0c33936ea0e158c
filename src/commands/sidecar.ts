/**
 * `podsecrets sidecar`: what init does, then fresh files until SIGTERM.
 *
 * The pages are up before the first phase, so that probes have an answer.
 */

import { startCourse } from '../course.ts';
import { readConfigFile } from '../edge/config-file.ts';
import { compileLess } from '../edge/v8/compile-less.ts';
import { keepFresh } from '../keep-fresh.ts';
import { createMeters } from '../meters.ts';
import type { Log } from '../ports.ts';
import { limitRefresh } from '../refresh-limit.ts';
import { reloadConfigs } from '../reload.ts';
import { createWakes, type Wakes } from '../wakes.ts';
import type { Context } from './context.ts';
import { logWaiting, openCommandLog } from './logging.ts';
import { notifierKinds } from './notifiers.ts';
import { readPlan } from './plans.ts';
import { openPublishing, type Publishing } from './publishing.ts';

/** How long what is being told may take after SIGTERM, in milliseconds; 5 s are promised for all of the end. */
const LAST_TELLING = 3000;

/** Between two syncs that were asked for by POST /refresh, in milliseconds. Who may send a signal may do worse. */
const REFRESH_SPACING = 1000;

/** Runs until the stop signal. Throws the Problems of the first phase; what fails later is logged and tried again. */
export async function sidecar(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  const { interval, startTimeout, listen } = settings;
  compileLess(context.env.AWS_ENDPOINT_URL);
  const { keepSmall } = await import('../edge/v8/keep-small.ts');
  const collectGarbage = keepSmall();
  const log = openCommandLog(context);
  const meters = createMeters(notifierKinds(settings));
  const wakes = createWakes(clock);
  // From the start: unheard, the signal would end the process.
  context.onHangup(() => wakes.request('signal'));
  const publishing = await openPublishing(context, log, meters);
  const { publications, teller, pass, sources } = publishing;
  const credentials = sources.status;
  const course = startCourse({ publications, teller, credentials, interval, clock, log });
  const closers: (() => Promise<void>)[] = [() => publishing.close(LAST_TELLING)];
  try {
    let listening = 'off';
    if (listen !== 'off') {
      const { openHttpServer } = await import('../edge/http/server.ts');
      const server = await openHttpServer(listen, {
        status: course.status,
        metrics: () => meters.page(course.status(), context.process.figures()),
        refresh: limitRefresh(() => wakes.request('request'), REFRESH_SPACING, clock, stop),
      });
      closers.push(() => server.close());
      // With port 0 the system has chosen.
      listening = `${server.address.host}:${server.address.port}`;
    }
    return await keepFresh(
      {
        clock,
        interval,
        startTimeout,
        publications,
        pass,
        wakes,
        course,
        listen: listening,
        waiting: logWaiting(log),
        reload: reloader(context, log, publishing, meters.reloads),
        watch: () => watch(context, log, publishing, wakes),
        rest: collectGarbage,
      },
      stop,
    );
  } finally {
    course.stopping(stop);
    await Promise.all(closers.map((close) => close()));
  }
}

function reloader(
  context: Context,
  log: Log,
  { publications, sources }: Publishing,
  count: Parameters<typeof reloadConfigs>[0]['count'],
): () => Promise<boolean> {
  const read = async (file: string) => {
    const parsed = await readPlan(context, file);
    // An identity that cannot be had is found now, while the old plan is still in force.
    sources.of(parsed.plan);
    return parsed;
  };
  return () => reloadConfigs({ publications, readPlan: read, log, count });
}

async function watch(
  { clock, stop }: Context,
  log: Log,
  { publications }: Publishing,
  wakes: Wakes,
): Promise<void> {
  const { watchConfigs } = await import('../edge/config-watch.ts');
  const files = publications.map((publication) => publication.plan().file);
  const changed = () => wakes.request('config');
  await watchConfigs({ files, read: configText, changed, clock, log }, stop);
}

/** What a config says, or what its error says. */
function configText(file: string): string {
  try {
    return readConfigFile(file);
  } catch (error) {
    return String(error);
  }
}
