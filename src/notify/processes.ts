/**
 * Reads the processes of the PID namespace from /proc.
 *
 * A process may end between being listed and being read; it is then left out. Nothing is cached, because pids are reused.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { type ProcessEntry, type ProcessTable, parseProcess } from './process-matching.ts';

/** Every process that can be seen. Throws the error of the system when there is no /proc at all. */
export function readProcessTable(proc: string = '/proc'): ProcessTable {
  const table = new Map<number, ProcessEntry>();
  for (const name of readdirSync(proc)) {
    const entry = /^\d+$/.test(name) ? readProcess(Number(name), proc) : undefined;
    if (entry !== undefined) table.set(entry.pid, entry);
  }
  return table;
}

/** When the machine started, by its clock as it is set now: milliseconds since 1970, 0 if /proc does not have it. */
export function readBootTime(proc: string = '/proc'): number {
  return Number(/^btime (\d+)$/m.exec(readText(`${proc}/stat`) ?? '')?.[1] ?? 0) * 1000;
}

/** The user a process runs as, for an error message; undefined if it has ended. */
export function readUser(pid: number, proc: string = '/proc'): number | undefined {
  const uid = /^Uid:\t(\d+)/m.exec(readText(`${proc}/${pid}/status`) ?? '')?.[1];
  return uid === undefined ? undefined : Number(uid);
}

function readProcess(pid: number, proc: string): ProcessEntry | undefined {
  const stat = readText(`${proc}/${pid}/stat`);
  if (stat === undefined) return undefined;
  return parseProcess(stat, readText(`${proc}/${pid}/cmdline`) ?? '');
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
