/** A wall clock that a test steps, for one process and its children. Needs a C compiler. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scratch } from './scratch.ts';

export interface SteppedClock {
  /** The variables of the process. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on the wall clock of the process is so many seconds ahead of that of the machine. */
  step(seconds: number): void;
}

let library: string | undefined;

/** Whether the machine can compile the library. */
export function canStepClock(): boolean {
  if (library !== undefined) return true;
  // Not on /dev/shm: containers mount it without permission to execute.
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-test-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const output = join(directory, 'stepped-clock.so');
  const source = join(import.meta.dirname, 'stepped-clock.c');
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', output, source], { stdio: 'ignore' });
  if (status === 0) library = output;
  return status === 0;
}

/** A clock that is right at first. `canStepClock` must have returned true. */
export function steppedClock(): SteppedClock {
  if (library === undefined) throw new Error('expected a compiled library');
  const file = join(scratch(), 'step');
  const step = (seconds: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    // In place: the process has mapped the file.
    writeFileSync(file, bytes, { flag: 'r+' });
  };
  writeFileSync(file, Buffer.alloc(8));
  return { env: { LD_PRELOAD: library, CLOCK_STEP: file }, step };
}
