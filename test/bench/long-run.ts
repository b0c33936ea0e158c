/**
 * The growth of a resting sidecar: refreshes without a pause, every tenth fails and every tenth finds a change.
 *
 *   npx node test/bench/long-run.ts [MINUTES]     default 10
 *
 * Prints how many refreshes there were, and the private memory after each part of them.
 */

import { refreshes } from '../support/refreshes.ts';

const milliseconds = Number(process.argv[2] ?? 10) * 60_000;
const PARTS = 10;
const startedAt = performance.now();
let printed = 0;

for await (const { refreshes: count, failed, notified, footprint } of refreshes()) {
  const part = Math.floor(((performance.now() - startedAt) / milliseconds) * PARTS);
  if (part <= printed) continue;
  printed = part;
  const { privateMemory, descriptors, threads } = footprint();
  process.stdout.write(
    `${count} refreshes, ${failed} failed, ${notified} notified: ` +
      `${privateMemory} MiB, ${descriptors} descriptors, ${threads} threads\n`,
  );
  if (part >= PARTS) break;
}
