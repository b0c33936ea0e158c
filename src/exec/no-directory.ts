/**
 * What `exec` publishes to without a directory: nothing. Only the variables of its configs are used.
 */

import type { PublishTarget } from '../sidecar/target.ts';

/** Keeps nothing, and has nothing to notify of. */
export const noDirectory: PublishTarget = {
  holds: () => false,
  publish: async () => ({ change: { kind: 'unchanged' }, generation: '', pending: [] }),
  recordAppliedSecrets: async () => {},
  appliedSecrets: () => undefined,
  pendingNotification: () => ({ generation: undefined, files: [] }),
  clearPendingNotification() {},
  removeReplaced: async () => {},
};
