/**
 * `podsecrets worker exec`: fetches a set in a process of its own, publishes it, and becomes the command. Internal: `exec --on-change`
 * starts it, and starts each step.
 */

import { openSources } from '../aws/sources.ts';
import type { Settings } from '../cli/options.ts';
import type { Invocation } from '../cli/settings.ts';
import type { Log } from '../core/log.ts';
import { exitCodeOf, exitCodes, problemsOf, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { parseJson } from '../core/unknown.ts';
import { become, fileKind } from '../exec/become.ts';
import { digestOf } from '../exec/digest.ts';
import { commandEnvironment } from '../exec/environment.ts';
import { type ExecTarget, fetchSet } from '../exec/fetch.ts';
import { findProgram } from '../exec/program.ts';
import type { ExecMessage, ExecStep } from '../exec/worker-report.ts';
import type { DirectoryHandle } from '../publish/held-directory.ts';
import { withNodeVariables } from '../v8/node-variables.ts';
import {
  endWithParent,
  ignoreTerminalKeys,
  readLine,
  releaseInherited,
  writeMessage,
} from '../worker/inherited.ts';
import { problemMessage } from '../worker/problem-fields.ts';
import type { WorkerContext } from './context.ts';
import { logOverrides, logStarting } from './exec.ts';
import { writerTo } from './open.ts';
import { readPlans } from './plans.ts';
import { workerSourceState } from './worker-source-state.ts';

/** The request to a worker. */
export interface ExecWorkerRequest {
  /** The pid of the process that started it. */
  readonly parent: number;
  readonly settings: Settings;
  readonly origins: Invocation['origins'];
  /** The command and its arguments. */
  readonly args: readonly string[];
  /** The held directories, by the path in the settings. */
  readonly directories: Readonly<Record<string, DirectoryHandle>>;
  /** The digest of the set in use. */
  readonly known: string | undefined;
  /** Until when batches are disabled, for each identity. */
  readonly batchesDisabled: Readonly<Record<string, number>>;
}

/**
 * Fetches, then executes each step when its message arrives. Returns, without becoming the command, if the values are unchanged or
 * the parent sends no further step. A failure is reported, and determines the exit code.
 */
export async function execWorker(context: WorkerContext): Promise<number> {
  const { clock, stop } = context;
  // Not validated, because the sender is the same program.
  const request = parseJson(readLine() ?? '') as ExecWorkerRequest;
  endWithParent(request.parent);
  ignoreTerminalKeys();
  const [command = '', ...args] = request.args;
  const log: Log = {
    write: (event, message, fields = {}) => report({ kind: 'log', event, message, fields }),
    problem: (event, problem, fields = {}) =>
      report({ kind: 'logProblem', event, problem: problemMessage(problem), fields }),
  };
  const startedAt = clock.elapsed();
  try {
    const set = await fetchSet(
      {
        targets: await openTargets(request, context, log),
        environmentOf: (variables) =>
          commandEnvironment(withNodeVariables(context.env), variables, request.settings),
        clock,
        log,
      },
      stop,
    );
    const ms = Math.round(clock.elapsed() - startedAt);
    const digest = digestOf(set, request.known);
    if (digest === request.known) {
      report({ kind: 'unchanged' });
      return exitCodes.done;
    }
    // Before the old command is stopped, so that a missing program does not stop it.
    const program = findProgram(command, set.environment.path, fileKind);
    report({ kind: 'prepared', digest });
    if (readStep() !== 'publish') return exitCodes.done;
    const { count, changed } = await set.publish();
    report({ kind: 'published', changed });
    if (readStep() !== 'start') return exitCodes.done;
    logOverrides(log, set.environment);
    logStarting(log, program, { variables: set.variables.length, files: count, ms });
    releaseInherited();
    return await become(program, [command, ...args], set.environment.variables, stop);
  } catch (error) {
    stop.throwIfAborted();
    if (problemsOf(error) === undefined) throw error;
    report({ kind: 'failed', problems: problemsOrThrow(error).map(problemMessage) });
    return exitCodeOf(error);
  }
}

const report = (message: ExecMessage): void => writeMessage(message);

/** Blocks until it arrives; undefined: the process that started this one has ended. */
function readStep(): ExecStep | undefined {
  return readLine() as ExecStep | undefined;
}

async function openTargets(
  { settings, origins, directories, batchesDisabled }: ExecWorkerRequest,
  { env, clock, stop }: WorkerContext,
  log: Log,
): Promise<readonly ExecTarget[]> {
  const { configs, problems, warnings } = await readPlans({ settings, origins, env, clock });
  for (const warning of warnings) log.problem('config.warning', warning);
  throwProblems(problems);
  const sources = openSources({
    ...settings,
    env,
    clock,
    log,
    meter: { apiCall() {} },
    keepsValues: false,
    state: workerSourceState(batchesDisabled, report),
  });
  return configs.map(({ plan, directory: dir }) => {
    const source = sources.of(plan);
    const handle = dir === undefined ? undefined : directories[dir];
    if (handle === undefined) return { plan, source, directory: undefined };
    const { publish } = writerTo({ settings, clock, stop }, handle);
    // The process that holds the directory removes what was replaced.
    return { plan, source, directory: { path: handle.path, publish, removeReplaced: async () => {} } };
  });
}
