/**
 * Sidecars of one or more builds in one run: their figures as in `npm run bench`, and how soon they answer:
 *
 *   npx node test/bench/compare-sidecars.ts BINARY [BINARY...]
 */

import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { openTlsAws, type TlsAws } from './place.ts';
import { endSidecars, measureSidecars, startSidecar } from './sidecars.ts';
import { median } from './statistics.ts';

const ROUNDS = 9;

interface Times {
  readonly livez: number[];
  readonly ready: number[];
}

/** Milliseconds from the start of a sidecar until its pages answer; the builds start in turn. */
async function answerTimes(binaries: readonly string[], aws: TlsAws): Promise<readonly Times[]> {
  const found = binaries.map((): Times => ({ livez: [], ready: [] }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, binary] of binaries.entries()) {
      const port = await freePort();
      const startedAt = performance.now();
      const sidecar = startSidecar(binary, aws, ['--listen', `127.0.0.1:${port}`]);
      const until = async (path: string): Promise<number> => {
        while ((await statusOf(port, path)) !== 200) await pause(1);
        return performance.now() - startedAt;
      };
      const [livez, ready] = await Promise.all([until('/livez'), until('/readyz')]);
      await endSidecars([sidecar]);
      // The first round warms up.
      if (round === 0) continue;
      found[index]?.livez.push(livez);
      found[index]?.ready.push(ready);
    }
  }
  return found;
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
const times = await answerTimes(binaries, aws);
await aws.stop();
for (const [index, binary] of binaries.entries()) {
  const { alone, oneOfFive, refreshCpuMs } = await measureSidecars(binary);
  const { livez = [], ready = [] } = times[index] ?? {};
  const rows = {
    '/livez answers after, ms': median(livez),
    'start to ready, ms': median(ready),
    'private of one of five, MiB': oneOfFive.private.value,
    'working set alone, MiB': alone.workingSet?.value ?? Number.NaN,
    'CPU of a refresh, ms': refreshCpuMs.value,
  };
  process.stdout.write(`${binary}\n`);
  for (const [name, value] of Object.entries(rows))
    process.stdout.write(`  ${name.padEnd(30)}${value.toFixed(1)}\n`);
}
