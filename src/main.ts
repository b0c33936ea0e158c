/**
 * The process: arguments, environment, signals, streams, clock, exit code. Other files get them as parameters.
 *
 * A command's module is loaded only to run it. The last line of a failed command on stderr, which is also its termination message,
 * names the problem and its remedy.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type ExitMessage, formatExit, formatInterrupted } from './cli/exit-message.ts';
import type { CommandName } from './cli/option-kinds.ts';
import { options } from './cli/options.ts';
import { type Command, parseCommand } from './cli/parse.ts';
import type { Invocation } from './cli/settings.ts';
import type { Context, RunCommand, Start, WorkerContext } from './commands/context.ts';
import { extraCertificatesWarnings } from './commands/extra-certificates.ts';
import { openLog } from './core/log.ts';
import { exitCodes, usageProblem } from './core/problem.ts';
import { droppedLines, flushStderr, writeExitLine, writeToStderr } from './core/stderr.ts';
import { systemClock as clock } from './core/system-clock.ts';
import { isTerminal } from './core/terminal.ts';
import { wrapText } from './core/text-layout.ts';
import { version } from './core/version.ts';
import { endProcess } from './v8/end-process.ts';
import { hideMemory } from './v8/hide-memory.ts';
import { withoutNodeVariables } from './v8/node-variables.ts';
import { replaceListeners } from './v8/signals.ts';
import { hideStandardStreams } from './v8/standard-streams.ts';
import { hasReport, writeMessage } from './worker/inherited.ts';

/** Milliseconds from SIGTERM to the exit; 5 s are promised. */
const SHUTDOWN_TIMEOUT = 4500;

/** The main commands of a container: their stderr is a log, and their exit message is the container's termination message. */
const CONTAINER_COMMANDS: ReadonlySet<CommandName> = new Set(['init', 'sidecar', 'exec', 'install']);

restartWithoutNodeVariables();

// This process reads the files that it creates, so its own permissions stay, whatever mask it inherits.
process.umask(process.umask(0o077) & 0o077);

// Node prints warnings with `process.stderr`, which makes the pipe of the log non-blocking, and not as JSON.
process.removeAllListeners('warning');

/** The kind of worker that this process is; undefined: none, but a command of a user. */
const workerKind = process.argv[2] === 'worker' ? process.argv[3] : undefined;

let command: Command | undefined;
let printing: Promise<void> | undefined;
const start: Start = { problems: [], isDone: () => false };
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  process.on(signal, () => {
    const isFirst = !stop.signal.aborted;
    if (isFirst) stop.abort(new Error(signal));
    // A second signal exits at once. So does the first one if there is nothing to clean up.
    if (!isFirst || !(runsInContainer() || workerKind !== undefined)) process.exit(exitCodeAfterSignal());
    // Otherwise a hook that not even SIGKILL ends would prevent the exit.
    setTimeout(() => process.exit(exitCodeAfterSignal()), SHUTDOWN_TIMEOUT).unref();
  });
}
// Signals for applications, which reach this program in a shared PID namespace by mistake. Unhandled they would end it.
for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const) process.on(signal, () => {});
// A worker ignores SIGHUP: it is for the sidecar, but `pkill -HUP podsecrets` sends it to the workers too.
if (workerKind !== undefined) process.on('SIGHUP', () => {});
process.on('exit', () => flushStderr());
process.on('exit', (code) => endProcess(code));
// Also for rejections that nothing awaited: Node raises them here.
process.on('uncaughtException', (thrown) => process.exit(reportFailure(thrown)));
// No await here: the program is built as CommonJS, which has no top-level await.
void main().then(async (code) => {
  await printing;
  process.exit(code);
});

async function main(): Promise<number> {
  try {
    if (workerKind !== undefined) {
      hideStandardStreams(isTerminal);
      return await (await import('./commands/worker.ts')).worker(workerKind, processContext());
    }
    command = parseCommand(process.argv.slice(2), process.env);
    if (command.kind === 'version') return print(`podsecrets ${version}\n`);
    if (command.kind === 'help') {
      const { helpText } = await import('./cli/help.ts');
      return print(`${await helpText(command.name, process.stdout.columns ?? 80)}\n`);
    }
    if (runsInContainer()) hideStandardStreams(isTerminal);
    const run = await load(command.invocation.command);
    return await run(contextOf(command.invocation));
  } catch (thrown) {
    if (stop.signal.aborted && thrown === stop.signal.reason) return exitCodeAfterSignal();
    return reportFailure(thrown);
  }
}

/** This program as it was started. The built program needs no script argument, whatever its name is. */
function program(): { readonly file: string; readonly args: readonly string[] } {
  const [, script = ''] = process.argv;
  const args = process.getBuiltinModule('node:sea').isSea() ? [] : [...process.execArgv, script];
  return { file: process.execPath, args };
}

/** Replaces this process by the same program with a clean environment, if a variable changes how Node behaves. */
function restartWithoutNodeVariables(): void {
  const given = process.argv.slice(2);
  const env = withoutNodeVariables(process.env, { keep: given.includes('exec') });
  if (env === undefined) return;
  const { file, args } = program();
  process.execve?.(file, [file, ...args, ...given], env as NodeJS.ProcessEnv);
}

/** The command and its settings, once the command line was parsed. */
function invocation(): Invocation | undefined {
  return command?.kind === 'run' ? command.invocation : undefined;
}

function runsInContainer(): boolean {
  const run = invocation();
  return run !== undefined && CONTAINER_COMMANDS.has(run.command);
}

/**
 * The exit code after SIGTERM, SIGINT or SIGQUIT. 0 for a sidecar that has published. Any other command is not done, and
 * an init container that ended with 0 would let the application start without its files: 128 plus the number of the
 * signal, as in shells.
 */
function exitCodeAfterSignal(): number {
  const run = invocation();
  const signal = (stop.signal.reason as Error).message as NodeJS.Signals;
  if (run?.command === 'sidecar' && start.isDone()) return exitCodes.done;
  const exitCode = 128 + constants.signals[signal];
  if (run !== undefined && runsInContainer() && !start.isDone())
    report(formatInterrupted(run.command, signal, start.problems, exitCode));
  return exitCode;
}

async function load(name: CommandName): Promise<RunCommand> {
  if (name === 'init' || name === 'exec') hideMemory();
  switch (name) {
    case 'init':
      return (await import('./commands/init.ts')).init;
    case 'sidecar':
      return (await import('./commands/sidecar.ts')).sidecar;
    case 'exec':
      if (invocation()?.settings.onChange !== 'none')
        return (await import('./commands/supervised-exec.ts')).supervisedExec;
      return (await import('./commands/exec.ts')).exec;
    case 'install':
      return (await import('./commands/install.ts')).install;
    case 'check':
      return (await import('./commands/check.ts')).check;
    case 'doctor':
      return (await import('./commands/doctor.ts')).doctor;
    case 'inject':
      return (await import('./commands/inject.ts')).inject;
    case 'status':
      return (await import('./commands/status.ts')).status;
    default:
      return name satisfies never;
  }
}

function contextOf(run: Invocation): Context {
  return {
    ...run,
    ...processContext(),
    warnings: [...run.warnings, ...extraCertificatesWarnings(run.command, process.env)],
    start,
    onHangup: (listener) => process.on('SIGHUP', listener),
    handleSignals(signals, listener) {
      for (const signal of signals) replaceListeners(signal, listener);
    },
    stdinIsTerminal: isTerminal(0),
    stdout: {
      write: print,
      get isTerminal() {
        return isTerminal(1);
      },
      get columns() {
        return isTerminal(1) ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
      },
    },
    stderr: {
      write: writeToStderr,
      get isTerminal() {
        return isTerminal(2);
      },
      get columns() {
        return isTerminal(2) ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY;
      },
    },
    async stdin() {
      if (isTerminal(0)) writeToStderr('podsecrets: reading from the terminal; Ctrl-D ends the input\n');
      return await (await import('node:stream/consumers')).text(process.stdin);
    },
  };
}

/** What a command and a worker may use of the process. */
function processContext(): WorkerContext {
  return {
    env: process.env,
    clock,
    process: {
      self: process.pid,
      user: process.geteuid?.() ?? 0,
      program: program(),
      executable: () => (existsSync('/proc/self/exe') ? '/proc/self/exe' : process.execPath),
      kill: (pid, signal) => process.kill(pid, signal),
      figures: () => ({
        residentMemory: process.memoryUsage.rss(),
        cpuTime: cpuTime(),
        droppedLines: droppedLines(),
      }),
    },
    stop: stop.signal,
  };
}

/** Seconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Reports why the command failed, and returns the exit code. */
function reportFailure(thrown: unknown): number {
  const message = formatExit(invocation()?.command, thrown);
  if (workerKind === undefined) report(message);
  // The standard error of a worker is closed, and the termination message belongs to the process that started it.
  else if (hasReport()) writeMessage({ kind: 'bug', line: message.line });
  else writeToStderr(`${message.line}\n`);
  return message.exitCode;
}

/** Writes the exit message to stderr and, if this is the main command of the container, to the termination log. */
function report({ line, exitCode, terminationMessage }: ExitMessage): void {
  const run = invocation();
  if (run !== undefined && runsInContainer() && isJsonLog(run)) {
    const log = openLog({
      level: 'error',
      format: 'json',
      colour: false,
      now: clock.now,
      write: writeExitLine,
    });
    log.write('exit', line, { exitCode });
  } else {
    // A line for each cause, if a person reads them; one line for everything else that reads them.
    const text = isTerminal(2) ? wrapText(terminationMessage, process.stderr.columns || 80) : line;
    writeExitLine(`${text}\n`);
  }
  // A command that runs in addition to the main one, such as `status` in a probe, is not the reason why the container ends.
  if (run !== undefined && !runsInContainer()) return;
  const file =
    run?.settings.terminationLog ??
    (process.env[options.terminationLog.env] || options.terminationLog.default);
  try {
    // Only if the container runtime created the file, so that nothing is created in /dev of a laptop.
    if (existsSync(file)) writeFileSync(file, terminationMessage);
  } catch {
    // The message is on stderr already, and there is no other place to report this error.
  }
}

function isJsonLog({ settings: { logFormat } }: Invocation): boolean {
  return logFormat === 'json' || (logFormat === 'auto' && !isTerminal(2));
}

/** Writes to standard output asynchronously, because a pipe takes 64 KiB at a time. The exit waits for it. */
function print(text: string): number {
  printing = new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
    });
    // EPIPE: the reader closed the pipe, which is not a failure. After any other error the output is incomplete.
    process.stdout.on('error', ({ code = 'an error' }: NodeJS.ErrnoException) =>
      code === 'EPIPE' ? resolve() : reject(incomplete(code)),
    );
  });
  return exitCodes.done;
}

function incomplete(code: string): Error {
  return usageProblem(
    'standard output',
    `could not be written completely (${code})`,
    'Free space at the destination, and do not use the part that arrived.',
    'usage.command',
  );
}
