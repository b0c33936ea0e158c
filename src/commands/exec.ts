/**
 * `podsecrets exec`: fetches as `init` does, then becomes the command, which has the secrets in its environment.
 */

import { openSources } from '../aws/sources.ts';
import type { Log } from '../core/log.ts';
import { namesText, throwProblems } from '../core/problem.ts';
import { flushStderr } from '../core/stderr.ts';
import { plural, quote } from '../core/text.ts';
import { become, fileKind } from '../exec/become.ts';
import { commandEnvironment } from '../exec/environment.ts';
import { type ExecTarget, type FetchedSet, type FetchOptions, fetchSet } from '../exec/fetch.ts';
import { findProgram, type Program } from '../exec/program.ts';
import type { HeldDirectory } from '../publish/held-directory.ts';
import { type FirstPhaseOptions, firstPhase, logRetry } from '../sidecar/loop.ts';
import { logPublish } from '../sidecar/publish-log.ts';
import { collectGarbage } from '../v8/collect-garbage.ts';
import { withNodeVariables } from '../v8/node-variables.ts';
import { publishedMessage, type RenderedSet } from '../worker/rendered-set.ts';
import type { Context } from './context.ts';
import { openCommandLog } from './logging.ts';
import { hold, writerTo } from './open.ts';
import { readPlans } from './plans.ts';

/** Becomes the command, within `--start-timeout`. Never returns; throws the Problems of what failed before. */
export async function exec(context: Context): Promise<never> {
  const { stop, clock } = context;
  const [command = '', ...args] = context.args;
  const log = openCommandLog(context);
  const startedAt = clock.elapsed();
  const { environment, variables, files } = await fetchAll(context, log);
  logOverrides(log, environment);
  const program = findProgram(command, environment.path, fileKind);
  const ms = Math.round(clock.elapsed() - startedAt);
  logStarting(log, program, { variables: variables.length, files, ms });
  // Lines that wait for a stalled reader would be lost with this process.
  flushStderr();
  return await become(program, [command, ...args], environment.variables, stop);
}

/** Logs which variables of the environment the secrets replaced. */
export function logOverrides(log: Log, { overrides }: FetchedSet['environment']): void {
  if (overrides.length === 0) return;
  const text = `the secrets replaced ${plural(overrides.length, 'variable')} of the environment: ${namesText(overrides)}`;
  log.write('exec.overrides', text, { names: overrides.join(' ') });
}

/** Logs that the process now becomes the program. `ms`: since the start of the fetch. */
export function logStarting(
  log: Log,
  { name }: Program,
  counts: { readonly variables: number; readonly files: number; readonly ms: number },
): void {
  const text = `starting ${quote(name)} with ${plural(counts.variables, 'variable')} from secrets`;
  log.write('exec.starting', text, { program: name, ...counts });
}

/** The environment of the command. Retries like `init`. */
async function fetchAll(context: Context, log: Log): Promise<FetchedSet & { readonly files: number }> {
  const { settings, clock, stop } = context;
  const own = withNodeVariables(context.env);
  const { targets, close } = await openExec(context, log);
  try {
    const options: FetchOptions = {
      targets,
      bothRegions: true,
      environmentOf: (variables) => commandEnvironment(own, variables, settings),
    };
    let fetched!: FetchedSet & { readonly files: number };
    const sync: FirstPhaseOptions['sync'] = async (_phase, stop) => {
      const startedAt = clock.elapsed();
      const set = await fetchSet(options, stop);
      const { count } = await set.publish((index, published) => {
        const { plan, held } = targets[index] as OpenedTarget;
        const hasFile = plan.envFile !== undefined;
        const message = publishedMessage(index, set.sets[index] as RenderedSet, published, hasFile);
        const place = { file: plan.file, directory: held?.path ?? '' };
        logPublish(log, place, message, true, clock.elapsed() - startedAt);
        if (published.warning !== undefined) log.problem('publish.warning', published.warning);
      });
      for (const { held } of targets) await held?.removeReplaced();
      fetched = { ...set, files: count };
    };
    const onRetry = logRetry(log, (problems) => {
      context.start.problems = problems;
    });
    const interval = Number.POSITIVE_INFINITY;
    await firstPhase({ clock, interval, sync, onRetry }, settings.startTimeout, stop);
    for (const [index, set] of fetched.sets.entries()) logSet(log, targets[index] as OpenedTarget, set);
    return fetched;
  } finally {
    await close();
  }
}

/** Logs the problems that did not prevent the use of a set. */
function logSet(log: Log, { plan }: OpenedTarget, { rendered, missing, degraded }: RenderedSet): void {
  const config = { config: plan.file };
  for (const { problem } of missing) log.problem('object.missing', problem, config);
  for (const { problem } of degraded) log.problem('region.failing', problem, config);
  for (const { problem } of rendered.variableWarnings) log.problem('config.warning', problem, config);
}

/** A config, and its held directory; undefined: only its variables are used. */
interface OpenedTarget extends ExecTarget {
  readonly held: HeldDirectory | undefined;
}

/** Reads the configs, and holds their directories. Throws every problem of stage usage, config, credentials or publish. */
async function openExec(context: Context, log: Log) {
  const { settings, env, clock } = context;
  const { configs, problems, warnings } = await readPlans(context, { forExec: true });
  for (const warning of [...context.warnings, ...warnings]) log.problem('config.warning', warning);
  throwProblems(problems);
  const meter = { apiCall() {} };
  const sources = openSources({ ...settings, env, clock, log, meter, keepsValues: true, collectGarbage });
  const targets: OpenedTarget[] = [];
  for (const { plan, directory: dir } of configs) {
    // Before the directory, because without its environment variables an authentication method can never work.
    const source = sources.of(plan);
    const held = dir === undefined ? undefined : await hold(context, dir, settings.startTimeout);
    const directory = held === undefined ? undefined : writerTo(context, held);
    targets.push({ plan, source, held, directory, isVerified: false, publishedFiles: undefined });
  }
  return {
    targets,
    async close(): Promise<void> {
      await Promise.all(targets.map(({ held }) => held?.close()));
    },
  };
}
