/**
 * `podsecrets exec`: fetches as `init` does, then becomes the command, which has the secrets in its environment.
 */

import { createFetcher } from '../aws/fetcher.ts';
import { namesText } from '../core/problem.ts';
import { plural, quote } from '../core/text.ts';
import { become, fileKind } from '../exec/become.ts';
import { commandEnvironment } from '../exec/environment.ts';
import { type FetchedEnvironment, type FetchOptions, fetchEnvironment } from '../exec/fetch.ts';
import { findProgram } from '../exec/program.ts';
import { type FirstPhaseOptions, firstPhase, logRetry } from '../sidecar/loop.ts';
import { disableJit } from '../v8/disable-jit.ts';
import { withNodeVariables } from '../v8/node-variables.ts';
import type { Context } from './context.ts';
import { openCommandLog } from './logging.ts';
import { openSync } from './open.ts';

/** Becomes the command, within `--start-timeout`. Never returns; throws the Problems of what failed before. */
export async function exec(context: Context): Promise<never> {
  const { stop, clock } = context;
  const [word = '', ...args] = context.words;
  disableJit();
  const log = openCommandLog(context);
  const startedAt = clock.elapsed();
  const { environment, variables, files } = await fetchAll(context, log);
  const { overrides } = environment;
  if (overrides.length > 0) {
    const text = `the secrets replaced ${plural(overrides.length, 'variable')} of the environment: ${namesText(overrides)}`;
    log.write('exec.overrides', text, { names: overrides.join(' ') });
  }
  const program = findProgram(word, environment.path, fileKind);
  const ms = Math.round(clock.elapsed() - startedAt);
  const text = `starting ${quote(program.name)} with ${plural(variables, 'variable')} from secrets`;
  log.write('exec.starting', text, { program: program.name, variables, files, ms });
  return await become(program, [word, ...args], environment.variables, stop);
}

/** What the command gets. Retries as `init` does. */
async function fetchAll(
  context: Context,
  log: ReturnType<typeof openCommandLog>,
): Promise<FetchedEnvironment> {
  const { settings, clock, stop } = context;
  const own = withNodeVariables(context.env);
  const { targets, close } = await openSync(context, log, { apiCall() {} });
  try {
    const options: FetchOptions = {
      targets,
      fetcher: createFetcher(),
      environmentOf: (variables) => commandEnvironment(own, variables, settings),
      clock,
      log,
    };
    let fetched!: FetchedEnvironment;
    const sync: FirstPhaseOptions['sync'] = async (phase, stop) => {
      fetched = await fetchEnvironment(options, phase, stop);
    };
    const onRetry = logRetry(log, (problems) => {
      context.start.problems = problems;
    });
    const interval = Number.POSITIVE_INFINITY;
    await firstPhase({ clock, interval, sync, onRetry }, settings.startTimeout, stop);
    return fetched;
  } finally {
    await close();
  }
}
