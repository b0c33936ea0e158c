/**
 * Cold starts: a process from its start to its end, in turn with `node -e 0` of the same Node.
 *
 * The speed of a machine changes, so each start is divided by the empty one that ran just before it. The differences between the
 * quotients are the noise of the run.
 */

import { spawnSync } from 'node:child_process';
import { type Place, pinned } from './place.ts';
import { dropPages } from './processes.ts';
import { type Measured, measured } from './statistics.ts';

export interface Starts {
  /** Multiples of the start of an empty Node. */
  readonly ratio: Measured;
  readonly cpuRatio: Measured;
  readonly ms: Measured;
  readonly cpuMs: Measured;
}

interface Timed {
  readonly wall: number;
  readonly cpu: number;
}

export const EMPTY = [process.execPath, '-e', '0'];

/** Starts `init` so often, each time over an empty directory. */
export function measureStarts(
  binary: string,
  place: Place,
  times: number,
  flags: readonly string[] = [],
): Starts {
  return measureCommand([binary, ...place.args('init', '--log-level', 'error', ...flags)], place, times);
}

/**
 * The same for any command. Its program is dropped from the page cache once, before a start that does not count. `before`
 * prepares each start that counts.
 */
export function measureCommand(
  command: readonly string[],
  place: Place,
  times: number,
  before: () => void = () => {},
): Starts {
  dropPages(command[0] ?? '');
  time(command, place.env);
  const pairs = Array.from({ length: times }, () => {
    place.empty();
    before();
    return { empty: time(EMPTY, place.env), full: time(command, place.env) };
  });
  return {
    ratio: measured(pairs.map(({ empty, full }) => full.wall / empty.wall)),
    cpuRatio: measured(pairs.map(({ empty, full }) => full.cpu / empty.cpu)),
    ms: measured(pairs.map(({ full }) => full.wall)),
    cpuMs: measured(pairs.map(({ full }) => full.cpu)),
  };
}

/**
 * Wall and CPU in milliseconds, as the shell measures them: Node does not report the CPU time of a child. Bash's `time` cuts the wall
 * to whole milliseconds, a twentieth of an empty start, so that is taken from its clock.
 */
export function time(command: readonly string[], env: Readonly<Record<string, string>>): Timed {
  const script = `TIMEFORMAT="%U %S"; before=$EPOCHREALTIME; time "$@" 2>&3; status=$?
    after=$EPOCHREALTIME; echo $(( \${after/./} - \${before/./} )) >&2; exit $status`;
  const [program = '', ...args] = pinned(['bash', '-c', script, 'bash', ...command]);
  const { status, stderr, output } = spawnSync(program, args, {
    env: { ...env, LC_ALL: 'C', PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${status}\n${output[3]}`);
  const [user = 0, system = 0, microseconds = 0] = stderr.trim().split(/\s+/).map(Number);
  return { wall: microseconds / 1000, cpu: (user + system) * 1000 };
}
