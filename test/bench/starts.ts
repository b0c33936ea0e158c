/**
 * Cold starts: a process from its start to its end, in turn with `node -e 0` of the same Node.
 *
 * The speed of a machine changes, so each start is divided by the empty one that ran just before it. The differences between the
 * empty ones are the noise of the run.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { type Place, pinned } from './place.ts';

export interface Starts {
  /** Medians: of the quotients, and of the milliseconds. */
  readonly ratio: number;
  readonly cpuRatio: number;
  readonly ms: number;
  readonly cpuMs: number;
  /** Half the distance between the quartiles of the quotients, as a part of the median, over the root of the count. */
  readonly noise: number;
}

interface Timed {
  readonly wall: number;
  readonly cpu: number;
}

export const EMPTY = [process.execPath, '-e', '0'];

/** Starts `init` this many times, each time with an empty directory. */
export function measureStarts(
  binary: string,
  place: Place,
  times: number,
  flags: readonly string[] = [],
): Starts {
  return measureCommand([binary, ...place.args('init', '--log-level', 'error', ...flags)], place, times);
}

/** The same for any command; `before` prepares each start, such as the page cache. */
export function measureCommand(
  command: readonly string[],
  place: Place,
  times: number,
  before: () => void = () => {},
): Starts {
  time(command, place.env);
  const pairs = Array.from({ length: times }, () => {
    rmSync(place.box.dir, { recursive: true });
    mkdirSync(place.box.dir);
    before();
    return { empty: time(EMPTY, place.env), full: time(command, place.env) };
  });
  const ratios = pairs.map(({ empty, full }) => full.wall / empty.wall);
  return {
    ratio: median(ratios),
    cpuRatio: median(pairs.map(({ empty, full }) => full.cpu / empty.cpu)),
    ms: median(pairs.map(({ full }) => full.wall)),
    cpuMs: median(pairs.map(({ full }) => full.cpu)),
    noise: noiseOf(ratios),
  };
}

/**
 * Wall and CPU in milliseconds, as the shell measures them: Node does not report the CPU time of a child. Bash's `time` rounds the wall
 * time to milliseconds, a twentieth of an empty start, so its clock is used for that.
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

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The error of a median of these: half the distance of the quartiles, over the root of their number. */
export function noiseOf(values: readonly number[]): number {
  const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
  return spread / median(values) / Math.sqrt(values.length);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
