/**
 * The kernel's limit for the arguments and the environment of a program together, which is checked before the old command of
 * `exec --on-change` is stopped: afterwards nothing would run.
 */

import type { Secret } from '../core/secret.ts';
import { byteLength } from './environment.ts';
import { notStarted, type Program, startFailures } from './program.ts';

/** Bytes. A quarter of the stack, within these bounds (`bprm_stack_limits` of Linux). `limits`: the text of /proc/self/limits. */
export function argumentLimit(limits: string): number {
  const stack = /^Max stack size\s+(\d+)/m.exec(limits)?.[1];
  return Math.max(LOWEST, Math.min(HIGHEST, stack === undefined ? HIGHEST : Math.floor(Number(stack) / 4)));
}

const LOWEST = 128 * 1024;
const HIGHEST = 6 * 1024 * 1024;

/** Throws a Problem of code `exec.start` if they are too long. */
export function checkLength(
  { file, name }: Program,
  argv: readonly string[],
  variables: ReadonlyMap<string, string | Secret>,
  limit: number,
): void {
  const texts = [file, ...argv].map((argument) => byteLength(argument) + 1);
  const values = [...variables].map(([name, value]) => byteLength(name) + 1 + byteLength(value) + 1);
  const bytes = [...texts, ...values].reduce((sum, length) => sum + length, 0);
  if (bytes + POINTER * (argv.length + variables.size) > limit) throw notStarted(name, startFailures.tooLong);
}

/** Bytes of the pointer to each text. */
const POINTER = 8;
