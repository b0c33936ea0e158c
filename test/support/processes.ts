/** Other processes of this machine, as /proc shows them. */

import { readdirSync, readFileSync } from 'node:fs';

/** Whether the process runs; false for a zombie. */
export function isRunning(pid: number): boolean {
  const stat = textOf(pid, 'stat');
  return stat !== '' && !/\) Z /.test(stat);
}

/** The pids of its children that it has not reaped. */
export function childrenOf(pid: number): readonly number[] {
  return textOf(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** Its command line, the words separated by spaces; '' for a zombie, and after its end. */
export function commandOf(pid: number): string {
  return textOf(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

/** The pids of all processes with this command line. */
export function processesOf(command: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && commandOf(pid) === command);
}

function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').trim();
  } catch {
    return '';
  }
}
