/**
 * Sidecars of one or more builds in one run: their figures as in `npm run bench`, how soon they answer, and
 * how long their workers run:
 *
 *   npx node test/bench/compare-sidecars.ts BINARY [BINARY...]
 */

import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { childrenOf } from '../support/processes.ts';
import type { Cgroup } from './cgroup.ts';
import { openCpuLimit } from './limited.ts';
import { openTlsAws, type TlsAws } from './place.ts';
import { endSidecars, measureSidecars, startSidecar } from './sidecars.ts';
import { median } from './statistics.ts';

const ROUNDS = 9;
const MILLI_CORES = 100;

/** As measureSidecars does it: how secrets are read by default is another matter. */
const FLAGS = ['--fetch', 'batch'];

/** Milliseconds. */
interface Times {
  readonly livez: number[];
  readonly ready: number[];
  /** From the start of a worker to its end. */
  readonly unchanged: number[];
  readonly changed: number[];
}

/** From the start of a sidecar until its pages answer, and the lives of its workers; the builds start in turn. */
async function timesOf(
  binaries: readonly string[],
  aws: TlsAws,
  limit: Cgroup | undefined,
): Promise<readonly Times[]> {
  const found = binaries.map((): Times => ({ livez: [], ready: [], unchanged: [], changed: [] }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, binary] of binaries.entries()) {
      const port = await freePort();
      const startedAt = performance.now();
      const sidecar = startSidecar(binary, aws, [...FLAGS, '--listen', `127.0.0.1:${port}`], limit);
      const until = async (path: string): Promise<number> => {
        while ((await statusOf(port, path)) !== 200) await pause(1);
        return performance.now() - startedAt;
      };
      const [livez, ready] = await Promise.all([until('/livez'), until('/readyz')]);
      // The worker of the first sync may still run.
      while (childrenOf(sidecar.pid).length > 0) await pause(1);
      const unchanged = await workerLife(sidecar.pid);
      await aws.putSecret({ region: 'eu-west-1', name: 'secret-0', string: `value ${round} ${index}` });
      const changed = await workerLife(sidecar.pid);
      await endSidecars([sidecar]);
      const times = found[index];
      // The first round warms up.
      if (round === 0 || times === undefined) continue;
      times.livez.push(livez);
      times.ready.push(ready);
      times.unchanged.push(unchanged);
      times.changed.push(changed);
    }
  }
  return found;
}

/** Of a refresh; NaN for a build that has no workers. */
async function workerLife(sidecar: number): Promise<number> {
  process.kill(sidecar, 'SIGHUP');
  const latest = performance.now() + 1000;
  while (childrenOf(sidecar).length === 0) {
    if (performance.now() > latest) return Number.NaN;
    await pause(1);
  }
  const startedAt = performance.now();
  while (childrenOf(sidecar).length > 0) await pause(1);
  return performance.now() - startedAt;
}

function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(undefined));
  });
}

const binaries = process.argv.slice(2);
const aws = await openTlsAws();
const times = await timesOf(binaries, aws, undefined);
const limit = openCpuLimit(MILLI_CORES);
const limited = limit === undefined ? [] : await timesOf(binaries, aws, limit);
limit?.remove();
await aws.stop();
for (const [index, binary] of binaries.entries()) {
  const { alone, oneOfFive, refreshCpuMs } = await measureSidecars(binary);
  const { livez = [], ready = [], unchanged = [], changed = [] } = times[index] ?? {};
  const rows = {
    '/livez answers after, ms': median(livez),
    'start to ready, ms': median(ready),
    [`start to ready with ${MILLI_CORES}m of CPU, ms`]: median(limited[index]?.ready ?? []),
    'life of a worker, unchanged, ms': median(unchanged),
    'life of a worker, changed, ms': median(changed),
    'private of one of five, MiB': oneOfFive.private.value,
    'working set alone, MiB': alone.workingSet?.value ?? Number.NaN,
    'CPU of a refresh, ms': refreshCpuMs.value,
  };
  process.stdout.write(`${binary}\n`);
  for (const [name, value] of Object.entries(rows))
    process.stdout.write(`  ${name.padEnd(38)}${value.toFixed(1)}\n`);
}
