/**
 * Memory, CPU and start time of sidecars whose syncs run in worker processes, for one or more builds:
 *
 *   npx node test/bench/sync-process.ts BINARY [BINARY...]
 *
 * The sidecars use TLS, 20 secrets, 20 parameters, metrics, the HTTP pages and the watcher of the config. All binaries are
 * measured in the same run, in turn.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { numbered, openPlace, openTlsAws, type TlsAws } from './place.ts';
import { dropPages, memoryOf } from './processes.ts';
import { median } from './starts.ts';
import { type MemoryGroup, openMemoryGroup } from './working-set.ts';

const REFRESHES = 30;
const ROUNDS = 9;

interface Sidecar {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly startedAt: number;
}

async function startSidecar(binary: string, aws: TlsAws, group?: MemoryGroup): Promise<Sidecar> {
  const place = openPlace(aws, 20, 20);
  const port = await freePort();
  const flags = [
    '--log-level',
    'error',
    '--listen',
    `127.0.0.1:${port}`,
    '--interval',
    '1h',
    '--fetch',
    'batch',
  ];
  const join = group === undefined ? [] : ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group.procs];
  const [program = '', ...words] = [...join, binary, ...place.args('sidecar', ...flags)];
  const startedAt = performance.now();
  const child = spawn(program, words, {
    env: { ...place.env, PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  child.once('exit', () => place.box.remove());
  return { child, pid: child.pid ?? 0, port, startedAt };
}

async function end(sidecars: readonly Sidecar[]): Promise<void> {
  const ended = sidecars.map(({ child }) => once(child, 'exit'));
  for (const { child } of sidecars) child.kill();
  await Promise.all(ended);
}

/** Milliseconds from the start until the page returns 200. */
async function until(sidecar: Sidecar, path: string): Promise<number> {
  for (;;) {
    if ((await status(sidecar, path)) === 200) return performance.now() - sidecar.startedAt;
    await pause(1);
  }
}

function status({ port }: Sidecar, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(undefined));
  });
}

/** Refreshes in sequence, by SIGHUP, which is not limited to one per second. */
async function refresh(sidecars: readonly Sidecar[], aws: TlsAws, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const before = await aws.count({ operation: 'GetParameters' });
    for (const { pid } of sidecars) process.kill(pid, 'SIGHUP');
    // Two calls each.
    while ((await aws.count({ operation: 'GetParameters' })) < before + 2 * sidecars.length) await pause(10);
    await pause(150);
  }
}

/** CPU of the process and of its children that ended, in milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

async function memory(binary: string, aws: TlsAws): Promise<Record<string, number>> {
  dropPages(binary);
  const five = await Promise.all(numbered(5, () => startSidecar(binary, aws)));
  await Promise.all(five.map((sidecar) => until(sidecar, '/readyz')));
  await refresh(five, aws, REFRESHES);
  await pause(2000);
  const privateOfFive = median(five.map(({ pid }) => memoryOf(pid).private));
  await end(five);

  dropPages(binary);
  const group = openMemoryGroup();
  const one = await startSidecar(binary, aws, group);
  await until(one, '/readyz');
  await refresh([one], aws, 12);
  await pause(2000);
  const workingSet = group?.workingSet() ?? Number.NaN;
  const before = cpuOf(one.pid);
  await refresh([one], aws, REFRESHES);
  const cpu = (cpuOf(one.pid) - before) / REFRESHES;
  await end([one]);
  group?.remove();
  return { 'private of five, MiB': privateOfFive, 'working set, MiB': workingSet, 'refresh CPU, ms': cpu };
}

async function starts(binaries: readonly string[], aws: TlsAws): Promise<readonly Record<string, number>[]> {
  const found = binaries.map(() => ({ livez: [] as number[], ready: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, binary] of binaries.entries()) {
      const sidecar = await startSidecar(binary, aws);
      const [livez, ready] = await Promise.all([until(sidecar, '/livez'), until(sidecar, '/readyz')]);
      await end([sidecar]);
      if (round === 0) continue;
      found[index]?.livez.push(livez);
      found[index]?.ready.push(ready);
    }
  }
  return found.map(({ livez, ready }) => ({
    '/livez responds after, ms': median(livez),
    'start to ready, ms': median(ready),
  }));
}

const binaries = process.argv.slice(2);
const aws = await openTlsAws();
try {
  const rows = await starts(binaries, aws);
  for (const [index, binary] of binaries.entries()) {
    const figures = { ...rows[index], ...(await memory(binary, aws)) };
    process.stdout.write(`${binary}\n`);
    for (const [name, value] of Object.entries(figures))
      process.stdout.write(`  ${name.padEnd(28)}${value.toFixed(1)}\n`);
  }
} finally {
  await aws.stop();
}
