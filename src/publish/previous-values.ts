/**
 * Values that publishes replaced, until the application was notified.
 *
 * A hook that is notified of a new password may well print the old one, which may still be valid: AWS keeps the previous
 * version. Its file is gone a second after the publish, so the value is kept in memory until the delivery of the new one,
 * and then overwritten.
 */

import type { Secret } from '../core/secret.ts';

/** Bytes: sixteen of the largest secrets. A hook that fails for weeks must not make a sidecar grow for weeks. */
const MAX_BYTES = 1024 * 1024;

/** Replaced values. */
export interface PreviousValues {
  /** Keeps these too; the oldest go when all are more than 1 MiB. */
  keep(values: readonly Secret[]): void;
  values(): readonly Secret[];
  forget(): void;
}

/** Holds no values yet. */
export function createPreviousValues(): PreviousValues {
  let kept: readonly Secret[] = [];
  return {
    keep(values) {
      kept = [...kept, ...values];
      let size = kept.reduce((sum, value) => sum + value.reveal().length, 0);
      while (size > MAX_BYTES && kept.length > 0) {
        const [oldest, ...others] = kept;
        size -= oldest?.reveal().length ?? 0;
        oldest?.wipe();
        kept = others;
      }
    },
    values: () => kept,
    forget() {
      for (const value of kept) value.wipe();
      kept = [];
    },
  };
}
