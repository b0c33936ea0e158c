/**
 * The growth of a resting sidecar: refreshes without a pause, every tenth fails and every tenth finds a change.
 *
 *   npx node test/bench/long-run.ts [REFRESHES]     default 10000
 *
 * Each refresh is triggered by SIGHUP, which has no limit, as soon as the one before has ended: 10,000 take half an hour on a quiet
 * machine. Prints the figures after 100 refreshes and after each tenth of all: the least of eight refreshes, so soon after one of the
 * collections of garbage, which follow every third sync, and when the last worker has been reaped.
 */

import { refreshes } from '../support/refreshes.ts';

const count = Number(process.argv[2] ?? 10_000);
const tenths = Array.from({ length: 10 }, (_, at) => ((at + 1) * count) / 10);
const marks = [100, ...tenths.filter((mark) => mark > 100)];
const SAMPLES = 8;
const startedAt = performance.now();
let samples: (readonly number[])[] = [];

for await (const { refreshes: done, failed, notified, footprint } of refreshes()) {
  const [mark = count] = marks;
  if (done <= mark - SAMPLES) continue;
  const { privateMemory, descriptors, threads, zombies } = footprint();
  samples.push([privateMemory, descriptors, threads, zombies]);
  if (done < mark) continue;
  const [memory, files, tasks, ended] = [0, 1, 2, 3].map((at) =>
    Math.min(...samples.map((one) => one[at] ?? 0)),
  );
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  process.stdout.write(
    `${done} refreshes, ${failed} failed, ${notified} notified, ${minutes} min: ` +
      `${memory} MiB, ${files} descriptors, ${tasks} threads, ${ended} zombies\n`,
  );
  samples = [];
  marks.shift();
  if (marks.length === 0) break;
}
