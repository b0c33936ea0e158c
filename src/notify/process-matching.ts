/**
 * The processes of a PID namespace, and the selection of those to signal.
 *
 * A process is found by the pid in its own pid file, or by its name. Both can be wrong: a pid file outlives its process, a
 * pid is reused, the kernel truncates a name after 15 bytes, and workers have the name of their master. A process that is
 * not certainly the target is not signalled.
 */

/** One row of /proc. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Its name in the kernel, truncated after 15 bytes; a program can change it. */
  readonly name: string;
  /** argv[0]; empty for kernel threads and zombies; a program can overwrite it with a title. */
  readonly program: string;
  /** It has ended, and its parent has not waited for it. */
  readonly zombie: boolean;
  /** Clock ticks after boot at which it started; 0 when unknown. */
  readonly started: number;
}

/** The processes that can be seen, by pid. */
export type ProcessTable = ReadonlyMap<number, ProcessEntry>;

/** What `/proc/PID/stat` and `/proc/PID/cmdline` say; undefined if the text does not have the kernel's format. */
export function parseProcess(stat: string, cmdline: string): ProcessEntry | undefined {
  // The name is in parentheses and may contain some itself, so the last one ends it.
  const end = stat.lastIndexOf(')');
  const head = /^(\d+) \(/.exec(stat);
  if (head === null || end < head[0].length) return undefined;
  const words = stat.slice(end + 2).split(' ');
  // proc(5) counts from 1 and the state is word 3: words[0] is 3, the parent 4, the start time 22.
  const [state = '', parent, started] = [words[0], Number(words[1]), Number(words[19])];
  if (!Number.isInteger(parent)) return undefined;
  return {
    pid: Number(head[1]),
    parent,
    name: stat.slice(head[0].length, end),
    program: cmdline.split('\0', 1)[0] ?? '',
    zombie: state === 'Z' || state === 'X',
    started: Number.isInteger(started) ? started : 0,
  };
}

/** The first line of a pid file: a pid, or undefined if it contains anything else. Further lines are ignored. */
export function parsePidFile(text: string): number | undefined {
  const match = /^[ \t]*(\d{1,7})[ \t]*\r?(\n|$)/.exec(text);
  const pid = Number(match?.[1]);
  return pid >= 1 && pid <= LARGEST_PID ? pid : undefined;
}

/** `PID_MAX_LIMIT` of 64-bit Linux. */
const LARGEST_PID = 4_194_304;

/**
 * The processes to signal for a name: those that have it, except this process, its descendants, and the children of a process that has
 * it too: a master signals its workers itself, and a worker that is signalled twice drops its requests.
 */
export function findByName(table: ProcessTable, name: string, self: number): readonly ProcessEntry[] {
  const found = [...table.values()].filter(
    (process) =>
      !process.zombie && matchesName(process, name) && !isSelfOrDescendant(table, process.pid, self),
  );
  const pids = new Set(found.map((process) => process.pid));
  return found.filter((process) => !pids.has(process.parent));
}

/** Whether a pid is this process or a descendant. */
export function isSelfOrDescendant(table: ProcessTable, pid: number, self: number): boolean {
  return ancestry(table, pid).includes(self);
}

/**
 * Whether this process sees only its own container: process 1 is then this process, or the small init that started it. In a pod with a
 * shared PID namespace process 1 is the sandbox's `pause`, which is the parent of orphans only.
 */
export function hasOwnPidNamespace(table: ProcessTable, self: number): boolean {
  return ancestry(table, self).includes(1);
}

/**
 * Whether a process started later than the pid file that names it was written, and so is another one with a reused pid.
 * `bootTime` and `written` are milliseconds since 1970.
 */
export function isReused(process: ProcessEntry, bootTime: number, written: number): boolean {
  if (process.started === 0) return false;
  return bootTime + (process.started * 1000) / TICKS_PER_SECOND > written + REUSE_SLACK;
}

/** USER_HZ, the unit of /proc: 100 on every supported architecture, whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100;

/**
 * Milliseconds of tolerance, because the wall clock may have been set since. Not signalling the right process is worse than
 * missing a pid that was reused within seconds.
 */
const REUSE_SLACK = 10_000;

function matchesName(process: ProcessEntry, wanted: string): boolean {
  const base = process.program.slice(process.program.lastIndexOf('/') + 1);
  if (base === wanted || process.program === wanted) return true;
  const cut = truncateComm(wanted);
  if (process.name !== cut) return false;
  // Two long names can be equal once truncated: argv[0] distinguishes them, unless it contains a title instead.
  return cut === wanted || !base.startsWith(cut);
}

/** A name as the kernel keeps it. */
function truncateComm(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return bytes.length <= 15 ? name : new TextDecoder().decode(bytes.subarray(0, 15));
}

/** The process, its parent, and so on. */
function ancestry(table: ProcessTable, pid: number): readonly number[] {
  const line: number[] = [];
  for (let at = pid; at > 0 && !line.includes(at); at = table.get(at)?.parent ?? 0) line.push(at);
  return line;
}
