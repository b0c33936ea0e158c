/**
 * The process: arguments, environment, signals, streams, clock, exit code. Nothing else touches them.
 *
 * Each command is loaded when it is asked for. A failed command's last line on stderr, which is also its termination
 * message, says what failed, where, and what to do.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { constants, uptime } from 'node:os';
import { formatExit } from './cli/exit-message.ts';
import { type CommandName, options } from './cli/options.ts';
import { type Command, parseCommand } from './cli/parse.ts';
import type { Invocation } from './cli/settings.ts';
import type { Context, RunCommand } from './commands/context.ts';
import type { Clock } from './core/clock.ts';
import { openLog, writeToStderr } from './core/log.ts';
import { exitCodes, Problem } from './core/problem.ts';
import { version } from './core/version.ts';
import { endDespiteThreads } from './v8/end-process.ts';

/** Milliseconds from SIGTERM to the exit; 5 s are promised. */
const LONGEST_END = 4500;

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Asked twice: whoever waits has waited enough.
    if (stop.signal.aborted) process.exit(stopped());
    stop.abort(new Error(signal));
    // Whatever does not end by itself, such as a hook that not even SIGKILL ends, ends with us.
    setTimeout(() => process.exit(stopped()), LONGEST_END).unref();
  });
}

// Without a listener it would end the program, now that it does not open Node's debugger any more (test/build).
process.on('SIGUSR1', () => {});

process.on('exit', (code) => endDespiteThreads(code, process.getActiveResourcesInfo()));

let command: Command | undefined;
let printing: Promise<void> | undefined;
// Also for what nobody awaited: Node raises unhandled rejections here.
process.on('uncaughtException', (thrown) => process.exit(end(thrown)));
// No await here: the program is built as CommonJS, which has none at its top.
void main().then(async (code) => {
  await printing;
  process.exit(code);
});

async function main(): Promise<number> {
  try {
    command = parseCommand(process.argv.slice(2), process.env);
    if (command.kind === 'version') return print(`podsecrets ${version}\n`);
    if (command.kind === 'help') {
      const { helpText } = await import('./cli/help.ts');
      return print(`${await helpText(command.name, process.stdout.columns ?? 80)}\n`);
    }
    const run = await load(command.invocation.command);
    return await run(contextOf(command.invocation));
  } catch (thrown) {
    if (stop.signal.aborted && thrown === stop.signal.reason) return stopped();
    return end(thrown);
  }
}

/**
 * The exit code after SIGTERM or SIGINT. A sidecar has done what it is for. Any other command has not, and an init container
 * that ended with 0 would let the application start without its files: 128 and the signal's number, as a shell has it.
 */
function stopped(): number {
  if (invocation()?.command === 'sidecar') return exitCodes.done;
  return 128 + constants.signals[(stop.signal.reason as Error).message as NodeJS.Signals];
}

/** What was asked for, once the command line was read. */
function invocation(): Invocation | undefined {
  return command?.kind === 'run' ? command.invocation : undefined;
}

async function load(name: CommandName): Promise<RunCommand> {
  switch (name) {
    case 'init':
      return (await import('./commands/init.ts')).init;
    case 'sidecar':
      return (await import('./commands/sidecar.ts')).sidecar;
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

function contextOf(invocation: Invocation): Context {
  return {
    ...invocation,
    env: process.env,
    clock,
    process: {
      self: process.pid,
      user: process.geteuid?.() ?? 0,
      kill: (pid, signal) => process.kill(pid, signal),
      figures: () => {
        const { user, system } = process.cpuUsage();
        return { residentMemory: process.memoryUsage.rss(), cpuTime: (user + system) / 1e6 };
      },
    },
    stop: stop.signal,
    onHangup: (listener) => process.on('SIGHUP', listener),
    stdout: { write: print },
    stderr: {
      write: writeToStderr,
      // Not `process.stderr.isTTY`: the stream that it opens makes a pipe non-blocking, and one that is full loses lines then.
      get isTerminal() {
        return process.getBuiltinModule('node:tty').isatty(2);
      },
    },
    stdin: async () => (await import('node:stream/consumers')).text(process.stdin),
  };
}

const clock: Clock = {
  now: () => Date.now(),
  // CLOCK_BOOTTIME, unlike the monotonic clock of timers, goes on while the machine is suspended.
  elapsed: () => uptime() * 1000,
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', cancel, { once: true });
      function wake(): void {
        signal.removeEventListener('abort', cancel);
        resolve();
      }
      function cancel(): void {
        clearTimeout(timer);
        reject(signal.reason);
      }
    }),
};

/** The last words, on stderr and in the termination message; the exit code. */
function end(thrown: unknown): number {
  const run = invocation();
  const words = formatExit(run?.command, thrown);
  if (run !== undefined && CONTAINER_COMMANDS.has(run.command) && run.settings.logFormat === 'json') {
    const log = openLog({
      level: 'error',
      format: 'json',
      colour: false,
      now: clock.now,
      write: writeToStderr,
    });
    log.write('exit', words.line, { exitCode: words.exitCode });
  } else {
    writeToStderr(`${words.line}\n`);
  }
  // What somebody ran beside the container's own command, such as a probe's status, is not why the container ends.
  if (run !== undefined && !CONTAINER_COMMANDS.has(run.command)) return words.exitCode;
  const file =
    run?.settings.terminationLog ??
    (process.env[options.terminationLog.env] || options.terminationLog.default);
  try {
    // Written only where the container runtime has put the file: on a laptop nobody wants one in /dev.
    if (existsSync(file)) writeFileSync(file, words.terminationMessage);
  } catch {
    // It was said on stderr already, and there is nowhere left to say this.
  }
  return words.exitCode;
}

/** The commands that containers are made for: their stderr is a log, and their last words are the container's. */
const CONTAINER_COMMANDS: ReadonlySet<CommandName> = new Set(['init', 'sidecar']);

/** Goes out while the program goes on: a pipe takes 64 KiB at a time. The end waits for it. */
function print(text: string): number {
  printing = new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
    });
    // A reader that is gone wants no more. Whoever gets less than all for another reason must hear of it.
    process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
      code === 'EPIPE' ? resolve() : reject(cutShort(code ?? 'an error')),
    );
  });
  return exitCodes.done;
}

function cutShort(code: string): Problem {
  return new Problem({
    code: 'usage.command',
    subject: 'standard output',
    message: `expected to write all of it, got ${code}`,
    remedy: 'Send it where there is room, and do not use what arrived.',
  });
}
