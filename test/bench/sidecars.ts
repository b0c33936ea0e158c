/**
 * Sidecars of one binary over TLS, with metrics, pages and the watch of their configs: their memory after 100 refreshes of 20
 * secrets and 20 parameters, the CPU of a refresh, and their wake-ups while idle.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cgroup } from './cgroup.ts';
import { numbered, openPlace, openTlsAws, type TlsAws } from './place.ts';
import { type Activity, activityOf, dropPages, type Memory, memoryOf } from './processes.ts';
import { averaged, type Measured, measured } from './statistics.ts';
import { openMemoryGroup } from './working-set.ts';

export interface SidecarFigures {
  /** MiB each; `workingSet` is undefined where no cgroup can be made. */
  readonly alone: MeasuredMemory & { readonly workingSet: Measured | undefined };
  readonly oneOfFive: MeasuredMemory;
  readonly refreshCpuMs: Measured;
  readonly idleWakeUpsPerMinute: Measured;
  readonly idleCpuMsPerHour: Measured;
}

type MeasuredMemory = Readonly<Record<keyof Memory, Measured>>;

/** Refreshes in sequence: CPU is compared from one series to the next. */
const SERIES = 10;
const REFRESHES = 10;

/** Seconds of one look at an idle sidecar, and how many. */
const IDLE = 6;
const LOOKS = 5;

export async function measureSidecars(binary: string): Promise<SidecarFigures> {
  const aws = await openTlsAws();
  try {
    // Five and one by turns, not side by side: the one must be alone with its binary.
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
  readonly memory: MeasuredMemory;
  readonly workingSet: Measured | undefined;
  readonly refreshCpuMs: Measured;
}> {
  await aws.clearCalls();
  // Pages of the binary count for the group that reads them first.
  dropPages(binary);
  const group = openMemoryGroup();
  const flags = ['--listen', '127.0.0.1:0', '--interval', '1s', '--fetch', 'batch'];
  const sidecars = numbered(count, () => startSidecar(binary, aws, flags, group));
  const cpuMs = (): number => sidecars.reduce((sum, { pid }) => sum + activityOf(pid).cpuMs, 0);
  try {
    await synced(aws, count, sidecars);
    const costs: number[] = [];
    for (let series = 1; series <= SERIES; series++) {
      const before = cpuMs();
      await synced(aws, count * (series * REFRESHES + 1), sidecars);
      costs.push((cpuMs() - before) / count / REFRESHES);
    }
    const samples: Memory[] = [];
    const workingSets: number[] = [];
    for (let times = 0; times < 20; times++) {
      await pause(150);
      if (group !== undefined) workingSets.push(group.workingSet());
      samples.push(...sidecars.map(({ pid }) => memoryOf(pid)));
    }
    const of = (kind: keyof Memory) => measured(samples.map((sample) => sample[kind]));
    return {
      memory: { rss: of('rss'), pss: of('pss'), private: of('private') },
      workingSet: group === undefined ? undefined : measured(workingSets),
      refreshCpuMs: measured(costs),
    };
  } finally {
    await endSidecars(sidecars);
    group?.remove();
  }
}

/** Waits until there were so many syncs, by the call that each makes once. */
async function synced(aws: TlsAws, times: number, sidecars: readonly Sidecar[]): Promise<void> {
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
  const sidecar = startSidecar(binary, aws, ['--listen', '127.0.0.1:0', '--fetch', 'batch']);
  try {
    await synced(aws, 1, [sidecar]);
    // Its connections are closed after five seconds without use.
    await pause(8000);
    const looks: Activity[] = [activityOf(sidecar.pid)];
    for (let look = 0; look < LOOKS; look++) {
      await pause(IDLE * 1000);
      looks.push(activityOf(sidecar.pid));
    }
    const differences = (of: keyof Activity, per: number) =>
      looks.slice(1).map((look, index) => ((look[of] - (looks[index]?.[of] ?? 0)) * per) / IDLE);
    return {
      idleWakeUpsPerMinute: averaged(differences('wakeUps', 60)),
      idleCpuMsPerHour: averaged(differences('cpuMs', 3600)),
    };
  } finally {
    await endSidecars([sidecar]);
  }
}

export interface Sidecar {
  readonly child: ChildProcess;
  readonly pid: number;
}

/** Starts a sidecar of 20 secrets and 20 parameters. */
export function startSidecar(binary: string, aws: TlsAws, flags: readonly string[], group?: Cgroup): Sidecar {
  const place = openPlace(aws, 20, 20);
  const join =
    group === undefined ? [] : ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group.file('cgroup.procs')];
  const [program = '', ...words] = [
    ...join,
    binary,
    ...place.args('sidecar', '--log-level', 'error', ...flags),
  ];
  const child = spawn(program, words, {
    env: { ...place.env, PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  child.once('exit', () => place.box.remove());
  return { child, pid: child.pid ?? 0 };
}

export async function endSidecars(sidecars: readonly Sidecar[]): Promise<void> {
  const running = sidecars.filter(({ child }) => child.exitCode === null);
  const ended = running.map(({ child }) => once(child, 'exit'));
  for (const { child } of running) child.kill();
  await Promise.all(ended);
}
