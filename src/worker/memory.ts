/**
 * The memory that a worker uses, and the limit at which it is killed.
 */

import { readFileSync } from 'node:fs';

/** Bytes of memory that only this process uses; 0 if there is no such process. */
export function privateMemory(pid: number | 'self' | undefined): number {
  try {
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    return (resident - shared) * PAGE;
  } catch {
    return 0;
  }
}

/** Bytes, on x64 and on arm64 as EKS configures it. */
const PAGE = 4096;

const MEBIBYTE = 1024 * 1024;

/** Bytes reserved for the kernel, for hooks, and for allocations between two checks. */
const RESERVE = 8 * MEBIBYTE;

/** Bytes that a worker may use if the container has no limit: ten times what 200 secrets of 64 KiB need. */
const MOST = 1024 * MEBIBYTE;

/**
 * Bytes, given the memory limit of the container (0, or more than a machine has: none) and the memory that this process uses
 * itself.
 */
export function workerMemoryLimit(limit: number, own: number): number {
  const left = limit === 0 ? MOST : limit - own - RESERVE;
  return Math.min(MOST, Math.max(left, RESERVE));
}
