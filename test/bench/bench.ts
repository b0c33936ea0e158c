/**
 * `npm run bench`: what podsecrets costs, measured against the fake AWS in another process, as production runs it: TLS 1.3 with a
 * private authority and a host name, the Pod Identity agent over plain HTTP, AWS 0 to 80 ms away.
 *
 * Writes test/bench/results.json, and from it the tables, the chart and the price in the pages. Ends with 1 when a figure exceeds
 * test/bench/budget.json by more than the noise of this run. Takes about twelve minutes; needs a quiet machine with Linux, bash,
 * and two cores (on a busy one run it as root by `chrt -r 1 npm run bench`). PODSECRETS_IMAGE: a tar of the image, to measure it too.
 */

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { binary } from '../support/program.ts';
import { measureCalls, measureRoundTrips } from './call-figures.ts';
import { openTlsAws } from './place.ts';
import { openRecorder, type Recorder } from './recorder.ts';
import { overBudget, writeResults } from './results.ts';
import { measureScale } from './scale-figures.ts';
import { measureSidecars } from './sidecars.ts';
import {
  measureColdCache,
  measureGoPeer,
  measureGrid,
  measureIrsa,
  measureLimited,
} from './start-figures.ts';

const recorder = openRecorder();
const aws = await openTlsAws();
try {
  await measureGrid(aws, recorder);
  await measureIrsa(aws, recorder);
  await measureCalls(aws, recorder);
  await measureRoundTrips(aws, recorder);
  measureColdCache(aws, recorder);
  measureLimited(aws, recorder);
  measureGoPeer(aws, recorder);
} finally {
  await aws.stop();
}
await measureScale(recorder);
await recordSidecars(recorder);
recordSizes(recorder);
writeResults(recorder);
const over = overBudget(recorder.figures);
for (const line of over) process.stdout.write(`over budget: ${line}\n`);
process.exitCode = over.length === 0 ? 0 : 1;

async function recordSidecars({ measured }: Recorder): Promise<void> {
  const { alone, oneOfFive, refreshCpuMs, idleCpuMsPerHour, idleWakeUpsPerMinute } =
    await measureSidecars(binary);
  measured('private memory of one more sidecar', 'MiB', oneOfFive.private);
  measured('PSS of one of five sidecars', 'MiB', oneOfFive.pss);
  measured('RSS of a sidecar', 'MiB', alone.rss);
  measured('PSS of a sidecar alone', 'MiB', alone.pss);
  if (alone.workingSet !== undefined) measured('working set of a sidecar alone', 'MiB', alone.workingSet);
  measured('CPU of a refresh of 20 secrets and 20 parameters', 'ms', refreshCpuMs);
  // Six refreshes are in an hour of the default interval.
  const [refreshes, rest] = [6 * refreshCpuMs.value, idleCpuMsPerHour.value];
  measured('CPU of a sidecar, an hour', 's', {
    value: (refreshes + rest) / 1000,
    noise: (refreshes * refreshCpuMs.noise + rest * idleCpuMsPerHour.noise) / (refreshes + rest),
  });
  measured('wake-ups of an idle sidecar', 'per minute', idleWakeUpsPerMinute);
}

function recordSizes({ counted }: Recorder): void {
  counted('binary', 'MB', statSync(binary).size / 1e6);
  const image = process.env.PODSECRETS_IMAGE;
  if (image === undefined) return;
  // A tar of the image as `docker save` writes it.
  const gzip = execFileSync('sh', ['-c', 'gzip -6 -c "$0" | wc -c', image], { encoding: 'utf8' });
  counted('image, compressed', 'MB', Number(gzip) / 1e6);
}
