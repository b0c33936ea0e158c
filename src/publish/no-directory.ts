/**
 * What `exec` publishes to without a directory: nothing. Only the variables of its configs are used.
 */

import type { PublishTarget } from './directory.ts';

/** Keeps nothing, and has nothing to notify of. */
export const noDirectory: PublishTarget = {
  holds: () => false,
  publish: () => ({ change: { kind: 'unchanged' }, pending: [] }),
  pendingNotification: () => [],
  clearPendingNotification() {},
  appliedSecrets: () => undefined,
  recordAppliedSecrets() {},
};
