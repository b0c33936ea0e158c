/**
 * `npm run bench:optimizations`: what each optimization of the build saves, as production runs the program.
 *
 * Builds the program without each optimization and starts all the builds in turn: over TLS, with a private authority and a
 * host name, and with the Pod Identity agent over plain HTTP. Each difference is between starts of one round, divided by
 * `node -e 0` of the same round, so that neither the machine's speed nor its other work counts. Figures that change by more
 * than their noise belong into src/build/optimizations.ts.
 *
 *   node test/bench/optimizations.ts [--rounds 25] [NAME…]
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../src/build/bundle.ts';
import { makeExecutable } from '../../src/build/executable.ts';
import { type Optimization, optimizationNames, readOptimizations } from '../../src/build/optimizations.ts';
import { openPlace, openTlsAws } from './place.ts';
import { dropPages, peakOf } from './processes.ts';
import { EMPTY, time } from './starts.ts';
import { median, noiseOf } from './statistics.ts';

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '25' } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const names = positionals.length === 0 ? optimizationNames : [...readOptimizations(positionals.join(','))];
const directory = mkdtempSync(join(tmpdir(), 'podsecrets-optimizations-'));
const aws = await openTlsAws();
try {
  const all = await build([]);
  const builds = new Map<string, string>();
  for (const name of names) builds.set(name, await build([name]));
  for (const [secrets, parameters] of [
    [1, 0],
    [20, 20],
  ] as const)
    await compare(all, builds, secrets, parameters);
} finally {
  await aws.stop();
  rmSync(directory, { recursive: true });
}

async function build(without: readonly Optimization[]): Promise<string> {
  const work = join(directory, without.join('+') || 'all');
  mkdirSync(work);
  const set = new Set(without);
  const { modules } = await bundle(join(import.meta.dirname, '../../src/main.ts'), { without: set });
  const program = await makeExecutable(modules, work, set);
  dropPages(program);
  return program;
}

async function compare(
  all: string,
  builds: ReadonlyMap<string, string>,
  secrets: number,
  parameters: number,
): Promise<void> {
  const place = openPlace(aws, secrets, parameters);
  const command = (program: string) => [program, ...place.args('init', '--log-level', 'error')];
  const start = (program: string) => {
    place.empty();
    return time(command(program), place.env);
  };
  const starts = new Map([...builds.keys()].map((name) => [name, { wall: [], cpu: [], peak: [] } as Saved]));
  const ours = { wall: [] as number[], cpu: [] as number[], peak: [] as number[] };
  for (const program of [all, ...builds.values()]) start(program);
  for (let round = 0; round < rounds; round++) {
    const empty = time(EMPTY, place.env);
    const found = new Map<string, { readonly wall: number; readonly cpu: number; readonly peak: number }>();
    // In another order each round: the first of a round is slower, and what runs right after another program may find its pages.
    for (const program of [all, ...builds.values()].toSorted(() => Math.random() - 0.5)) {
      const { wall, cpu } = start(program);
      found.set(program, {
        wall: wall / empty.wall,
        cpu: cpu / empty.cpu,
        peak: await peakOf(command(program), place.env),
      });
    }
    for (const kind of ['wall', 'cpu', 'peak'] as const) {
      const base = found.get(all)?.[kind] ?? Number.NaN;
      ours[kind].push(base);
      for (const [name, program] of builds)
        starts.get(name)?.[kind].push((found.get(program)?.[kind] ?? Number.NaN) - base);
    }
  }
  const shown = (values: readonly number[]) => `${median(values).toFixed(2)} ± ${error(values).toFixed(2)}`;
  process.stdout.write(`\n${secrets} secrets, ${parameters} parameters\n`);
  process.stdout.write(
    `all: ${shown(ours.wall)} × node -e 0, CPU ${shown(ours.cpu)} ×, peak ${shown(ours.peak)} MiB; without it, more by:\n`,
  );
  for (const [name, { wall, cpu, peak }] of starts)
    process.stdout.write(
      `${name.padEnd(24)} ${shown(wall)} ×, CPU ${shown(cpu)} ×, peak ${shown(peak)} MiB\n`,
    );
  place.box.remove();
}

interface Saved {
  readonly wall: number[];
  readonly cpu: number[];
  readonly peak: number[];
}

/** How far the median of these may be off. */
function error(values: readonly number[]): number {
  return Math.abs(noiseOf(values) * median(values));
}
