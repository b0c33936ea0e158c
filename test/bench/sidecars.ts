/**
 * Sidecars of one binary over TLS, with metrics, pages and the watch of their configs: what they weigh after 100 refreshes
 * of 20 secrets and 20 parameters, what a refresh costs, and what they do while there is nothing to do.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { selfSigned } from '../aws-stand-in/certificate.ts';
import type { LaunchedStandIn } from '../aws-stand-in/client.ts';
import { numbered, openPlace, openStandIn } from './place.ts';
import { activityOf, type Memory, memoryOf } from './processes.ts';
import { median } from './starts.ts';

export interface SidecarFigures {
  readonly alone: Memory;
  readonly oneOfFive: Memory;
  readonly refreshCpuMs: number;
  readonly idleWakeUpsPerMinute: number;
  readonly idleCpuMsPerHour: number;
}

const REFRESHES = 100;

/** Seconds that an idle sidecar is looked at. */
const IDLE = 30;

export async function measureSidecars(binary: string): Promise<SidecarFigures> {
  const certificate = selfSigned();
  const aws = await openStandIn(certificate);
  try {
    // Five and one by turns, not side by side: the one must be alone with its binary.
    const five = await measure(binary, aws, certificate.cert, 5);
    const one = await measure(binary, aws, certificate.cert, 1);
    return {
      alone: one.memory,
      oneOfFive: five.memory,
      refreshCpuMs: one.refreshCpuMs,
      ...(await idle(binary, aws, certificate.cert)),
    };
  } finally {
    await aws.stop();
  }
}

async function measure(
  binary: string,
  aws: LaunchedStandIn,
  ca: string,
  count: number,
): Promise<{ readonly memory: Memory; readonly refreshCpuMs: number }> {
  await aws.forgetCalls();
  const sidecars = numbered(count, () =>
    startSidecar(binary, aws, ca, ['--interval', '1s', '--fetch', 'batch']),
  );
  try {
    await called(aws, count);
    const before = sidecars.map(({ pid }) => activityOf(pid).cpuMs);
    await called(aws, count * (REFRESHES + 1));
    const cpu = sidecars.map(({ pid }, index) => activityOf(pid).cpuMs - (before[index] ?? 0));
    const samples: Memory[] = [];
    for (let times = 0; times < 20; times++) {
      await pause(150);
      samples.push(...sidecars.map(({ pid }) => memoryOf(pid)));
    }
    const middle = (of: keyof Memory) => median(samples.map((sample) => sample[of]));
    return {
      memory: { rss: middle('rss'), pss: middle('pss'), private: middle('private') },
      refreshCpuMs: median(cpu) / REFRESHES,
    };
  } finally {
    for (const { child } of sidecars) child.kill();
  }
}

/** Waits until there were so many passes, by the call that each makes once. */
async function called(aws: LaunchedStandIn, times: number): Promise<void> {
  while ((await aws.count({ operation: 'BatchGetSecretValue' })) < times) await pause(200);
}

async function idle(
  binary: string,
  aws: LaunchedStandIn,
  ca: string,
): Promise<Pick<SidecarFigures, 'idleWakeUpsPerMinute' | 'idleCpuMsPerHour'>> {
  await aws.forgetCalls();
  const { child, pid } = startSidecar(binary, aws, ca, ['--fetch', 'batch']);
  try {
    await called(aws, 1);
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

function startSidecar(
  binary: string,
  aws: LaunchedStandIn,
  ca: string,
  flags: readonly string[],
): { readonly child: ChildProcess; readonly pid: number } {
  const place = openPlace(aws, 20, 20);
  const env = { ...place.env, AWS_CA_BUNDLE: place.box.write('ca.pem', ca) };
  const args = place.args('sidecar', '--log-level', 'error', '--listen', '127.0.0.1:0', ...flags);
  const child = spawn(binary, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  child.once('exit', () => place.box.remove());
  return { child, pid: child.pid ?? 0 };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
