/**
 * The memory that a worker uses, and the limit at which it is killed.
 */

import { readFileSync } from 'node:fs';
import { findMemoryCgroup, type MemoryCgroup } from '../core/memory-cgroup.ts';

/** The memory of a worker. Bytes. */
export interface WorkerMemory {
  /** What no other process uses. */
  readonly used: number;
  /** What it may use: less if this process, published files or hooks use more; negative if they leave nothing. */
  readonly limit: number;
}

/**
 * Reads the memory of a worker. `cgroup`: of the container, with the worker; undefined: it has no limit. On cgroup v2 the kernel
 * would end the whole container at its limit, in which files on a tmpfs count too.
 */
export function openWorkerMemory(
  cgroup: MemoryCgroup | undefined = findMemoryCgroup(),
): (pid: number | undefined) => WorkerMemory {
  const own = privateMemory('self');
  return (pid) => {
    const used = privateMemory(pid);
    if (cgroup === undefined) return { used, limit: MAX_WITHOUT_LIMIT };
    const others = Math.max(0, (cgroup.used() ?? own + used) - used);
    return { used, limit: Math.min(MAX_WITHOUT_LIMIT, cgroup.limit - others - RESERVE) };
  };
}

/** Bytes of memory that only this process uses; 0 if there is no such process. */
function privateMemory(pid: number | 'self' | undefined): number {
  try {
    // Not latin1: for UTF-8 Node needs no buffer of 64 KiB, which would wait for the next collection.
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
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

/** Bytes that a worker may use if the container has no limit: twenty times what 200 secrets of 64 KiB need. */
const MAX_WITHOUT_LIMIT = 1024 * MEBIBYTE;
