/**
 * An application that trusts the contract to the letter: on every turn it reads every file in each of the ways that the
 * contract promises, and writes down whatever breaks it.
 *
 *   node test/support/reader.ts DIR            reads what test/support/publisher.ts publishes, until SIGTERM
 *   node test/support/reader.ts DIR PATH…      reads these paths, which every set has
 *
 * It prints `reading` when it has seen the first set, and at the end a Report as JSON.
 */

import { closeSync, constants, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { generationOf, pathsOf, steadyPaths } from './generations.ts';

export interface Report {
  readonly turns: number;
  /** How many different sets were seen. */
  readonly generations: number;
  /** Turns that took longer than a replaced set stays (the machine was busy elsewhere); their faults do not count. */
  readonly slow: number;
  readonly faults: readonly string[];
}

/** What the files are, and how to tell to which set a value belongs. */
export interface Expectation {
  /** Paths that every set has. */
  readonly steady: readonly string[];
  /** Every path of a set, when they can be told. */
  readonly pathsOf?: (generation: number) => readonly string[];
  /** Throws when the value is not one whole value. */
  readonly generationOf: (path: string, value: string) => number;
}

/** Milliseconds that a replaced set stays for those who are in it. */
const GRACE = 1000;

/** One turn: the newest generation it saw, or what broke the contract. */
export function readTurn(dir: string, expectation: Expectation): number {
  const opened = openSync(join(dir, '..data'), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    readSet(`/proc/self/fd/${opened}`, expectation);
  } finally {
    closeSync(opened);
  }
  readSet(realpathSync(join(dir, '..data')), expectation);
  return readLinks(dir, expectation);
}

/** `..data`, opened or resolved once: every file below is there and of one generation. */
function readSet(set: string, { steady, pathsOf, generationOf }: Expectation): void {
  const generation = generationOf(steady[0] ?? '', readFileSync(join(set, steady[0] ?? ''), 'utf8'));
  const paths = pathsOf?.(generation) ?? steady;
  for (const path of paths) {
    const other = generationOf(path, readFileSync(join(set, path), 'utf8'));
    if (other !== generation) throw new Error(`mixed: ${path} is of ${other}, others are of ${generation}`);
  }
  if (pathsOf === undefined) return;
  const found = readdirSync(set, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.startsWith('..'),
  );
  if (found.length !== paths.length) {
    throw new Error(
      `mixed: generation ${generation} has ${paths.length} files, the directory ${found.length}`,
    );
  }
}

/** `<dir>/<file>` by itself: always opens, is whole, and never goes back in time. */
function readLinks(dir: string, { steady, generationOf }: Expectation): number {
  let newest = 0;
  for (const path of steady) {
    const generation = generationOf(path, readFileSync(join(dir, path), 'utf8'));
    if (generation < newest)
      throw new Error(`back in time: ${path} is of ${generation}, after ${newest} was seen`);
    newest = generation;
  }
  return newest;
}

/** Reads until `stop` says so, one turn at a time; the first turns may find no set yet. */
export async function readAlways(
  dir: string,
  expectation: Expectation,
  stop: AbortSignal,
  onFirst: () => void = () => undefined,
): Promise<Report> {
  const seen = new Set<number>();
  const faults: string[] = [];
  let turns = 0;
  let slow = 0;
  let newest = 0;
  while (!stop.aborted) {
    const start = performance.now();
    try {
      const generation = readTurn(dir, expectation);
      if (generation < newest) throw new Error(`back in time: ${generation} after ${newest}`);
      newest = generation;
      seen.add(generation);
      if (turns === 0) onFirst();
      turns++;
    } catch (error) {
      const beforeFirst = turns === 0 && (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (beforeFirst) continue;
      turns++;
      if (performance.now() - start > GRACE) slow++;
      else faults.push(String(error));
    } finally {
      await new Promise(setImmediate);
    }
  }
  return { turns, generations: seen.size, slow, faults: faults.slice(0, 20) };
}

if (import.meta.main) {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  const [dir = '', ...steady] = process.argv.slice(2);
  const expectation =
    steady.length === 0
      ? { steady: Object.keys(steadyPaths), pathsOf, generationOf }
      : { steady, generationOf };
  const report = await readAlways(dir, expectation, stop.signal, () => say('reading'));
  say(JSON.stringify(report));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
