/**
 * `podsecrets worker exec`: fetches a set in a process of its own, publishes it, and becomes the command. Internal: `exec --on-change`
 * starts it, and starts each step.
 */

import { openSources, type Sources } from '../aws/sources.ts';
import type { Settings } from '../cli/options.ts';
import { expectedPaths } from '../config/plan.ts';
import { exitCodeOf, exitCodes, type Problem, problemsOrThrow } from '../core/problem.ts';
import { problemMessage } from '../core/problem-fields.ts';
import { parseJson } from '../core/unknown.ts';
import { argumentLimit, checkLength } from '../exec/argument-limit.ts';
import { become, fileKind, readLimits } from '../exec/become.ts';
import { digestOf } from '../exec/digest.ts';
import { commandEnvironment } from '../exec/environment.ts';
import { type ExecTarget, type FetchedSet, fetchSet } from '../exec/fetch.ts';
import { findProgram, type Program } from '../exec/program.ts';
import type { ExecMessage, ExecStep } from '../exec/worker-report.ts';
import { collectGarbage } from '../v8/collect-garbage.ts';
import { withNodeVariables } from '../v8/node-variables.ts';
import {
  endWithParent,
  ignoreTerminalKeys,
  nextLine,
  readLine,
  releaseInherited,
  writeMessage,
} from '../worker/inherited.ts';
import { reportedLog } from '../worker/log.ts';
import { usablePlans } from '../worker/plans.ts';
import { contentsMessage, publishedMessage, type RenderedSet } from '../worker/rendered-set.ts';
import type { ConfigRequest, SyncRequest } from '../worker/request.ts';
import type { WorkerContext } from './context.ts';
import { logOverrides, logStarting } from './exec.ts';
import { writerTo } from './open.ts';
import { parseConfig, parseSet } from './plans.ts';
import { workerSourceOptions } from './worker-sources.ts';

/** The request to a worker: of each attempt. */
export interface ExecWorkerRequest {
  /** The pid of the process that started it. */
  readonly parent: number;
  readonly settings: Settings;
  /** The command and its arguments. */
  readonly args: readonly string[];
  /** The configs; the last one is `--set`, if the settings have it. A directory without a path: only variables are used. */
  readonly sync: SyncRequest;
  /** The digest of the set in use. */
  readonly known: string | undefined;
}

/**
 * Fetches, then executes each step when its message arrives. Returns, without becoming the command, if the values are unchanged or
 * the parent sends no further step. A failure is reported, and determines the exit code; after an attempt of the start that failed
 * with some values fetched, waits for the request of the next attempt.
 */
export async function execWorker(context: WorkerContext): Promise<number> {
  // Not validated, because the sender is the same program.
  let request = parseJson(readLine() ?? '') as ExecWorkerRequest;
  endWithParent(request.parent);
  ignoreTerminalKeys();
  let opened: Sources | undefined;
  const sources = (): Sources => {
    opened ??= openWorkerSources(request, context);
    return opened;
  };
  for (;;) {
    const result = await prepare(request, context, sources);
    if ('set' in result) return await executeSteps(request, result, context);
    const { problems, exitCode } = result;
    if (problems === undefined) return exitCode;
    const waits = opened?.hasValues() === true;
    report({ kind: 'rejected', problems: problems.map(problemMessage), waits });
    if (waits) collectGarbage();
    const line = waits ? await nextLine(context.stop) : undefined;
    if (line === undefined) return exitCode;
    request = parseJson(line) as ExecWorkerRequest;
  }
}

/** A new set, and what publishing it and starting the command need. */
interface PreparedSet {
  readonly set: FetchedSet;
  readonly targets: readonly ExecTarget[];
  readonly program: Program;
  /** Milliseconds. */
  readonly duration: number;
}

/** `problems`: those that no message has reported; undefined: the values are unchanged. */
interface NothingPrepared {
  readonly problems: readonly Problem[] | undefined;
  readonly exitCode: number;
}

async function prepare(
  request: ExecWorkerRequest,
  context: WorkerContext,
  sources: () => Sources,
): Promise<PreparedSet | NothingPrepared> {
  const { clock, stop } = context;
  const [command = ''] = request.args;
  const startedAt = clock.elapsed();
  let hasFailed = false;
  try {
    const targets = await openTargets(request, context, sources());
    if (targets === undefined) return { problems: [], exitCode: exitCodes.config };
    reportCredentials(sources());
    report({ kind: 'stage', stage: 'fetch', config: undefined });
    const set = await fetchSet(
      {
        targets,
        bothRegions: request.sync.phase === 'start',
        environmentOf: (variables) =>
          commandEnvironment(withNodeVariables(context.env), variables, request.settings),
        onRender: (config) => report({ kind: 'stage', stage: 'render', config }),
        onFailure(config, problems) {
          hasFailed = true;
          report({ kind: 'failed', config, problems: problems.map(problemMessage) });
        },
      },
      stop,
    );
    reportCredentials(sources());
    const duration = Math.round(clock.elapsed() - startedAt);
    const digest = digestOf(set, request.known);
    if (digest === request.known) {
      for (const [config, rendered] of set.sets.entries()) reportFetched(config, rendered, 'unchanged');
      report({ kind: 'unchanged' });
      return { problems: undefined, exitCode: exitCodes.done };
    }
    // Before the old command is stopped, so that a missing program does not stop it.
    const program = findProgram(command, set.environment.path, fileKind);
    checkLength(program, request.args, set.environment.variables, argumentLimit(readLimits()));
    report({ kind: 'prepared', digest });
    return { set, targets, program, duration };
  } catch (error) {
    const problems = problemsUnlessStopped(error, stop);
    return { problems: hasFailed ? [] : problems, exitCode: exitCodeOf(error) };
  }
}

/** Returns the exit code if the command was not started. */
async function executeSteps(
  { args: [command = '', ...args] }: ExecWorkerRequest,
  { set, targets, program, duration }: PreparedSet,
  { stop }: WorkerContext,
): Promise<number> {
  try {
    if (readStep() !== 'publish') return exitCodes.done;
    const { count, changed } = await publish(set, targets);
    report({ kind: 'ready', changed });
    if (readStep() !== 'start') return exitCodes.done;
    logOverrides(log, set.environment);
    logStarting(log, program, { variables: set.variables.length, files: count, ms: duration });
    releaseInherited();
    return await become(program, [command, ...args], set.environment.variables, stop);
  } catch (error) {
    report({
      kind: 'rejected',
      problems: problemsUnlessStopped(error, stop).map(problemMessage),
      waits: false,
    });
    return exitCodeOf(error);
  }
}

/** The Problems of an error. Throws the reason of `stop`, or a bug. */
function problemsUnlessStopped(error: unknown, stop: AbortSignal): readonly Problem[] {
  stop.throwIfAborted();
  return problemsOrThrow(error);
}

const report = (message: ExecMessage): void => writeMessage(message);

const log = reportedLog(report);

/** Blocks until the next step arrives; undefined: the process that started this one has ended. */
function readStep(): ExecStep | undefined {
  return readLine() as ExecStep | undefined;
}

function openWorkerSources({ settings, sync }: ExecWorkerRequest, { env, clock }: WorkerContext): Sources {
  return openSources({
    ...settings,
    env,
    clock,
    log,
    collectGarbage,
    ...workerSourceOptions(sync, report),
  });
}

function reportCredentials(sources: Sources): void {
  const inUse = sources.status();
  if (inUse !== undefined) report({ kind: 'credentials', ...inUse });
}

/** The configs, opened; undefined: one of them cannot be used, which is reported. */
async function openTargets(
  { settings, sync: { configs } }: ExecWorkerRequest,
  context: WorkerContext,
  sources: Sources,
): Promise<readonly ExecTarget[] | undefined> {
  const { env, clock, stop } = context;
  const set = settings.set.length > 0 ? configs.at(-1) : undefined;
  const parts = { settings, env, clock };
  const plans = await usablePlans(
    configs,
    {
      parse: (text, config, region) =>
        config === set
          ? parseSet(parts, region)
          : parseConfig(parts, text, config.file, {
              region,
              variablesOnly: isVariablesOnly(config),
              forExec: true,
            }),
      checkIdentity: (plan) => void sources.of(plan),
      log,
    },
    report,
  );
  return plans?.map(({ plan, isChanged }, index) => {
    const config = configs[index] as ConfigRequest;
    const { region, failoverRegion } = plan;
    const paths = isVariablesOnly(config) ? [] : expectedPaths(plan);
    report({ kind: 'plan', config: index, region, failoverRegion, paths, secrets: undefined });
    return {
      plan,
      source: sources.of(plan),
      isVerified: config.isVerified && !isChanged,
      publishedFiles: config.publishedFiles,
      directory: isVariablesOnly(config) ? undefined : writerTo({ settings, clock, stop }, config.directory),
    };
  });
}

function isVariablesOnly({ directory }: ConfigRequest): boolean {
  return directory.path === '';
}

/** Publishes the set, and reports it for each config. */
async function publish(
  { sets, publish }: FetchedSet,
  targets: readonly ExecTarget[],
): ReturnType<FetchedSet['publish']> {
  const result = await publish((config, published) => {
    const message = publishedMessage(config, sets[config] as RenderedSet, published, true);
    report({ ...message, appliesSecrets: false, pinned: [] });
  });
  for (const [config, set] of sets.entries())
    if (targets[config]?.directory === undefined) reportFetched(config, set, 'changed');
  return result;
}

function reportFetched(config: number, set: RenderedSet, result: 'changed' | 'unchanged'): void {
  const count = set.rendered.facts.length;
  report({ kind: 'fetched', config, result, count, ...contentsMessage(set, true) });
}
