/**
 * `podsecrets sidecar`: what init does, then fresh files until SIGTERM.
 *
 * The pages are up before the first phase, so that probes have an answer. A sidecar that is started again over files that
 * are there is ready at once, and does not end because AWS is away: the application has what it needs.
 */

import { firstPhase, steadyPhase } from '../agent.ts';
import { distinct } from '../core/last-words.ts';
import { type Problem, problemsOf } from '../core/problem.ts';
import { type AgentStatus, momentText } from '../core/status.ts';
import { durationText } from '../core/units.ts';
import { createMeters } from '../meters.ts';
import type { Log } from '../ports.ts';
import type { Publication } from '../publication.ts';
import { limitRefresh } from '../refresh-limit.ts';
import { version } from '../version.ts';
import { createWakes } from '../wakes.ts';
import type { Context } from './context.ts';
import { logWaiting, openCommandLog } from './logging.ts';
import { notifierKinds } from './notifiers.ts';
import { readPlan } from './plans.ts';
import { openPublishing, type Publishing } from './publishing.ts';

/** How long what is being told may take after SIGTERM, in milliseconds; 5 s are promised for all of the end. */
const LAST_TELLING = 3000;

/** Between two syncs that were asked for by POST /refresh, in milliseconds. */
const REFRESH_SPACING = 1000;

export async function sidecar(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  const log = openCommandLog(context);
  const meters = createMeters(notifierKinds(settings));
  const publishing = await openPublishing(context, log, meters);
  const { publications } = publishing;
  const wakes = createWakes(clock);
  const course = startCourse(context, publishing);
  const closers: (() => Promise<void>)[] = [() => publishing.close(LAST_TELLING)];
  let listening = 'off';
  try {
    if (settings.listen !== 'off') {
      const { openHttpServer } = await import('../edge/http/server.ts');
      const server = await openHttpServer(settings.listen, {
        status: course.status,
        metrics: () => meters.page(course.status(), context.process.figures()),
        refresh: limitRefresh(() => wakes.request('request'), REFRESH_SPACING, clock, stop),
      });
      closers.unshift(() => server.close());
      // With port 0 the system has chosen.
      listening = `${server.address.host}:${server.address.port}`;
    }
    const agent = { clock, interval: settings.interval, pass: publishing.pass };
    let first = 0;
    // Files of an earlier process are as good as ours: then nothing may end this one.
    if (!publications.every((publication) => publication.isReady())) {
      await firstPhase({ ...agent, failed: logWaiting(log) }, settings.startTimeout, stop);
      first = settings.interval;
    }
    const { watchConfigs } = await import('../edge/config-watch.ts');
    const files = publications.map((publication) => publication.plan().file);
    const watcher = watchConfigs(files, { changed: () => wakes.request('config'), log });
    closers.unshift(() => watcher.close());
    context.onHangup(() => wakes.request('signal'));
    course.ready(log, listening, first);
    return await steadyPhase(
      {
        ...agent,
        wakes,
        reload: () => reload(context, log, publishing, meters.reloads),
        refreshed: (delay) => course.refreshed(log, delay),
        failed: (problems, failures, delay) => course.failed(log, problems, failures, delay),
      },
      first,
      stop,
    );
  } finally {
    course.stopping(log);
    await Promise.all(closers.map((close) => close()));
  }
}

/** Where the sidecar is in its life, for the status page and the log. */
function startCourse({ clock, settings, stop }: Context, { publications, teller }: Publishing) {
  const startedAt = momentText(clock.now());
  let phase: AgentStatus['phase'] = 'start';
  let nextSync: string | undefined;
  let consecutiveFailures = 0;
  let failing = '';
  const due = (delay: number): void => {
    nextSync = momentText(clock.now() + delay);
  };
  return {
    status: (): AgentStatus => ({
      version,
      startedAt,
      ready: publications.every((publication) => publication.isReady()),
      phase,
      ...(nextSync === undefined ? {} : { nextSync }),
      consecutiveFailures,
      configs: publications.map((publication) => publication.status()),
      notifiers: teller.status(),
    }),
    ready(log: Log, listen: string, first: number): void {
      phase = 'steady';
      due(first);
      const interval = durationText(settings.interval);
      log.write('info', 'sidecar.ready', `files are there; refreshing every ${interval}`, {
        listen,
        interval,
      });
    },
    refreshed(log: Log, delay: number): void {
      due(delay);
      if (consecutiveFailures > 0) {
        const failures = consecutiveFailures;
        log.write('info', 'refresh.recovered', `syncing again after ${failures} failures`, { failures });
      }
      consecutiveFailures = 0;
      failing = '';
    },
    /** The same failure as before is no news; request ids differ, so the place and the kind of it are compared. */
    failed(log: Log, problems: readonly Problem[], failures: number, delay: number): void {
      due(delay);
      consecutiveFailures = failures;
      const now = problems.map(({ code, subject }) => `${code} ${subject}`).join();
      const fields = { attempt: failures, retryIn: durationText(delay) };
      for (const problem of distinct(problems)) {
        if (now === failing) log.problem('debug', 'refresh.failedAgain', problem, fields);
        else log.problem('warn', 'refresh.failed', problem, fields);
      }
      failing = now;
    },
    stopping(log: Log): void {
      phase = 'stopping';
      if (stop.aborted) {
        const reason = stop.reason instanceof Error ? stop.reason.message : 'stop';
        log.write('info', 'sidecar.stopping', `asked to end by ${reason}`, { reason });
      }
    },
  };
}

/** Reads every config again. What is broken is told once, and the plan in force stays. */
async function reload(
  context: Context,
  log: Log,
  { publications, sourceOf }: Publishing,
  count: (result: 'changed' | 'unchanged' | 'broken') => void,
): Promise<void> {
  for (const publication of publications) count(await reloadOne(context, log, publication, sourceOf));
}

async function reloadOne(
  context: Context,
  log: Log,
  publication: Publication,
  sourceOf: Publishing['sourceOf'],
): Promise<'changed' | 'unchanged' | 'broken'> {
  const before = publication.plan();
  const config = before.file;
  try {
    const plan = await readPlan(context, config);
    // An identity that cannot be had is found now, while the old plan is still in force.
    sourceOf(plan);
    const same = JSON.stringify(plan) === JSON.stringify(before);
    if (publication.status().configProblems.length > 0 && same) {
      log.write('info', 'config.whole', `${config} is whole again`, { config });
    }
    publication.brokenConfig([]);
    if (same) return 'unchanged';
    publication.replan(plan);
    log.write('info', 'config.reloaded', `${config} was edited and is in force`, {
      config,
      files: plan.objects.length,
    });
    return 'changed';
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    publication.brokenConfig(problems);
    for (const problem of problems) log.problem('error', 'config.broken', problem, { config });
    return 'broken';
  }
}
