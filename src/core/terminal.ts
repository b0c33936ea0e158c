/**
 * Whether a standard stream is a terminal.
 */

import { fstatSync } from 'node:fs';

/** Uses fstat, because `process.stderr.isTTY` opens the stream, which makes a pipe non-blocking. */
export function isTerminal(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    // Major number 1: /dev/null, /dev/full and the like.
    return stat.isCharacterDevice() && stat.rdev >> 8 !== 1;
  } catch {
    return false;
  }
}
