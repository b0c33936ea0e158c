/**
 * How long a test waits for what comes from another process, or from the kernel.
 *
 * Only a test that fails waits so long, so it is more than a machine needs that is slow, or busy elsewhere; and less than
 * test/run.ts gives a file, so that what did not come is said.
 */

import { setTimeout } from 'node:timers/promises';

/** Milliseconds. */
export const PATIENCE = 120_000;

/** Resolves as soon as it is so; rejects with `what` was expected when it does not become so. */
export async function until(
  what: string | (() => string),
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await isSo())) {
    if (performance.now() > deadline) {
      throw new Error(`expected ${typeof what === 'string' ? what : what()}, not within ${PATIENCE} ms`);
    }
    // Not only a turn of the event loop: on a busy machine whoever is waited for needs the core.
    await setTimeout(1);
  }
}
