/** Memory and CPU of a process, from /proc. */

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024;

export interface Memory {
  /** MiB each. */
  readonly rss: number;
  readonly pss: number;
  /** What goes when the process goes: dirty and clean pages that no other process has. */
  readonly private: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / MIB;
  return {
    rss: field('Rss'),
    pss: field('Pss'),
    private: field('Private_Dirty') + field('Private_Clean'),
  };
}

export interface Activity {
  readonly cpuMs: number;
  /** How often a thread was put on a core after it had slept. */
  readonly wakeUps: number;
}

/** Of all its threads, and of its children that have ended, since it started. */
export function activityOf(pid: number): Activity {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    cpuMs:
      sum(threads.map((thread) => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]))) / 1e6 +
      childrenCpuMs(pid),
    wakeUps: sum(
      threads.map((thread) =>
        Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`${thread}/status`, 'utf8'))?.[1]),
      ),
    ),
  };
}

/** The worker of each sync is such a child. The kernel counts them in hundredths of a second. */
function childrenCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may have spaces; the times are fields 16 and 17.
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
    .map(Number);
  return (user + system) * 10;
}

/**
 * Drops the file from the page cache: a file just written lies there in large pieces, and of each piece that is touched the
 * whole counts.
 */
export function dropPages(file: string): void {
  spawnSync('sync', ['-d', file], { stdio: 'ignore' });
  spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
}

/** The most resident memory that the command ever had, in MiB; looked at until it ends, so the last moment may be missed. */
export function peakOf(command: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env, stdio: 'ignore' });
    let [peak, over] = [0, false];
    child.on('error', reject);
    child.on('exit', (code) => {
      over = true;
      if (code === 0) resolve(peak);
      else reject(new Error(`${command.join(' ')} ended with ${code}`));
    });
    void (function look(): void {
      if (over) return;
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / MIB);
      } catch {
        // It is gone; its exit comes next.
      }
      setImmediate(look);
    })();
  });
}
