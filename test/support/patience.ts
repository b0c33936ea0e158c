/**
 * How long a test waits for what comes from another process, in milliseconds.
 *
 * Only a test that fails waits so long, so it is more than a machine needs that is slow, or busy elsewhere; and less than
 * test/run.ts gives a file, so that what did not come is said.
 */

export const PATIENCE = 120_000;
