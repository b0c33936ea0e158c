/**
 * An application that relies on the contract: on every turn it reads every file in each of the ways that the contract
 * promises, and records every violation.
 *
 *   node test/support/reader.ts DIR            reads what test/support/publisher.ts publishes, until SIGTERM
 *   node test/support/reader.ts DIR PATH…      reads these paths, which every generation has
 *
 * It prints a Report, a line of JSON, when it has seen the first generation, after each SIGUSR2 as soon as a turn is over that began
 * later, and at the end (test/support/reading.ts).
 */

import { closeSync, constants, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { generationOf, pathsOf, steadyPaths } from './generations.ts';

export interface Report {
  readonly turns: number;
  /** The number of different generations read. */
  readonly generations: number;
  /** The newest of them. */
  readonly newest: number;
  /** Turns that took longer than a replaced generation stays, because the machine was busy, and missed a removed file. */
  readonly slow: number;
  readonly faults: readonly string[];
}

/** The expected files, and which generation a value belongs to. */
export interface Expectation {
  /** Paths that every generation has. */
  readonly steady: readonly string[];
  /** Every path of a generation, if known. */
  readonly pathsOf?: (generation: number) => readonly string[];
  /** Throws when the value is not one complete value. */
  readonly generationOf: (path: string, value: string) => number;
}

/**
 * Milliseconds for which a replaced generation stays for its readers, less the granularity of file times, by which a writer
 * counts the second of a generation that an earlier writer replaced.
 */
const GRACE = 900;

/** One turn: returns the newest generation that it read; throws if the contract is violated. */
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
    const text = `mixed: generation ${generation} has ${paths.length} files, the directory ${found.length}`;
    throw Object.assign(new Error(text), found.length < paths.length ? { code: 'ENOENT' } : {});
  }
}

/** Checks `<dir>/<file>`: it always opens, is complete, and never becomes older. */
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

/** The requests to a reader, and its reports. */
interface ReaderControl {
  readonly stop: AbortSignal;
  /** How many reports were requested until now. */
  requested(): number;
  report(report: Report): void;
}

/** Reads one turn after another; the first turns may find no generation yet. */
async function readAlways(dir: string, expectation: Expectation, control: ReaderControl): Promise<void> {
  const seen = new Set<number>();
  const faults: string[] = [];
  let turns = 0;
  let slow = 0;
  let newest = 0;
  let given = -1;
  while (!control.stop.aborted) {
    const requested = control.requested();
    const start = performance.now();
    try {
      const generation = readTurn(dir, expectation);
      if (generation < newest) throw new Error(`back in time: ${generation} after ${newest}`);
      newest = generation;
      seen.add(generation);
      turns++;
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isMissing || turns > 0) {
        turns++;
        if (isMissing && performance.now() - start > GRACE) slow++;
        else if (faults.length < 20) faults.push(String(error));
      }
    }
    if (turns > 0 && given < requested) {
      given = requested;
      report();
    }
    await new Promise(setImmediate);
  }
  report();

  function report(): void {
    control.report({ turns, generations: seen.size, newest, slow, faults });
  }
}

if (import.meta.main) {
  const stop = new AbortController();
  let requests = 0;
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGUSR2', () => {
    requests++;
  });
  const [dir = '', ...steady] = process.argv.slice(2);
  const expectation =
    steady.length === 0
      ? { steady: Object.keys(steadyPaths), pathsOf, generationOf }
      : { steady, generationOf };
  await readAlways(dir, expectation, {
    stop: stop.signal,
    requested: () => requests,
    report: (report) => process.stdout.write(`${JSON.stringify(report)}\n`),
  });
}
