/**
 * The growth of a resting sidecar: refreshes without a pause, every tenth fails and every tenth finds a change.
 *
 *   npx node test/bench/long-run.ts [REFRESHES]     default 10000
 *
 * Each refresh is triggered by SIGHUP, which has no limit, as soon as the one before has ended. Prints the private memory after 100
 * refreshes, and after each tenth of all. It is the least of eight refreshes, so soon after a collection of the garbage, of which
 * one follows every fourth sync.
 */

import { refreshes } from '../support/refreshes.ts';

const count = Number(process.argv[2] ?? 10_000);
const marks = [100, ...Array.from({ length: 10 }, (_, at) => ((at + 1) * count) / 10)];
const startedAt = performance.now();
let least = Number.POSITIVE_INFINITY;

for await (const { refreshes: done, failed, notified, footprint } of refreshes()) {
  const [mark] = marks;
  if (mark === undefined) break;
  if (done <= mark - 8) continue;
  const { privateMemory, descriptors, threads, zombies } = footprint();
  least = Math.min(least, privateMemory);
  if (done < mark) continue;
  process.stdout.write(
    `${done} refreshes, ${failed} failed, ${notified} notified, ${((performance.now() - startedAt) / 60_000).toFixed(1)} min: ` +
      `${least} MiB, ${descriptors} descriptors, ${threads} threads, ${zombies} zombies\n`,
  );
  least = Number.POSITIVE_INFINITY;
  marks.shift();
  if (marks.length === 0) break;
}
