/**
 * Sidecars of one binary over TLS, with metrics, pages and the watch of their configs: their memory after 100 refreshes of 20
 * secrets and 20 parameters, the CPU of a refresh, and their wake-ups while idle.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { numbered, openPlace, openTlsAws, type TlsAws } from './place.ts';
import { activityOf, dropPages, type Memory, memoryOf } from './processes.ts';
import { median } from './starts.ts';
import { type MemoryGroup, openMemoryGroup } from './working-set.ts';

export interface SidecarFigures {
  /** `workingSet` is undefined if no cgroup can be created. */
  readonly alone: Memory & { readonly workingSet: number | undefined };
  readonly oneOfFive: Memory;
  readonly refreshCpuMs: number;
  readonly idleWakeUpsPerMinute: number;
  readonly idleCpuMsPerHour: number;
}

const REFRESHES = 100;

/** Seconds for which an idle sidecar is observed. */
const IDLE = 30;

export async function measureSidecars(binary: string): Promise<SidecarFigures> {
  const aws = await openTlsAws();
  try {
    // Five and one in turn, not at the same time, because the single one must not share its binary.
    const five = await measure(binary, aws, 5);
    const one = await measure(binary, aws, 1);
    return {
      alone: { ...one.memory, workingSet: one.workingSet },
      oneOfFive: five.memory,
      refreshCpuMs: one.refreshCpuMs,
      ...(await idle(binary, aws)),
    };
  } finally {
    await aws.stop();
  }
}

async function measure(
  binary: string,
  aws: TlsAws,
  count: number,
): Promise<{
  readonly memory: Memory;
  readonly workingSet: number | undefined;
  readonly refreshCpuMs: number;
}> {
  await aws.clearCalls();
  // Pages of the binary count for the group that reads them first.
  dropPages(binary);
  const group = openMemoryGroup();
  const sidecars = numbered(count, () =>
    startSidecar(binary, aws, ['--interval', '1s', '--fetch', 'batch'], group),
  );
  try {
    await called(aws, count, sidecars);
    const before = sidecars.map(({ pid }) => activityOf(pid).cpuMs);
    await called(aws, count * (REFRESHES + 1), sidecars);
    const cpu = sidecars.map(({ pid }, index) => activityOf(pid).cpuMs - (before[index] ?? 0));
    const samples: Memory[] = [];
    const workingSets: number[] = [];
    for (let times = 0; times < 20; times++) {
      await pause(150);
      if (group !== undefined) workingSets.push(group.workingSet());
      samples.push(...sidecars.map(({ pid }) => memoryOf(pid)));
    }
    const middle = (of: keyof Memory) => median(samples.map((sample) => sample[of]));
    return {
      memory: { rss: middle('rss'), pss: middle('pss'), private: middle('private') },
      workingSet: group === undefined ? undefined : median(workingSets),
      refreshCpuMs: median(cpu) / REFRESHES,
    };
  } finally {
    const ended = sidecars.map(({ child }) => once(child, 'exit'));
    for (const { child } of sidecars) child.kill();
    await Promise.all(ended);
    group?.remove();
  }
}

/** Waits for this number of syncs, counted by a call that each makes once. */
async function called(aws: TlsAws, times: number, sidecars: readonly Sidecar[]): Promise<void> {
  while ((await aws.count({ operation: 'BatchGetSecretValue' })) < times) {
    if (sidecars.some(({ child }) => child.exitCode !== null)) throw new Error('a sidecar ended');
    await pause(200);
  }
}

async function idle(
  binary: string,
  aws: TlsAws,
): Promise<Pick<SidecarFigures, 'idleWakeUpsPerMinute' | 'idleCpuMsPerHour'>> {
  await aws.clearCalls();
  const sidecar = startSidecar(binary, aws, ['--fetch', 'batch']);
  const { child, pid } = sidecar;
  try {
    await called(aws, 1, [sidecar]);
    // Its connections are closed after five seconds without use.
    await pause(8000);
    const before = activityOf(pid);
    await pause(IDLE * 1000);
    const after = activityOf(pid);
    return {
      idleWakeUpsPerMinute: ((after.wakeUps - before.wakeUps) * 60) / IDLE,
      idleCpuMsPerHour: ((after.cpuMs - before.cpuMs) * 3600) / IDLE,
    };
  } finally {
    child.kill();
  }
}

interface Sidecar {
  readonly child: ChildProcess;
  readonly pid: number;
}

function startSidecar(binary: string, aws: TlsAws, flags: readonly string[], group?: MemoryGroup): Sidecar {
  const place = openPlace(aws, 20, 20);
  const args = place.args('sidecar', '--log-level', 'error', '--listen', '127.0.0.1:0', ...flags);
  const join = group === undefined ? [] : ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group.procs];
  const [program = '', ...words] = [...join, binary, ...args];
  const child = spawn(program, words, {
    env: { ...place.env, PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  child.once('exit', () => place.box.remove());
  return { child, pid: child.pid ?? 0 };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
