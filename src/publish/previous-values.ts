/**
 * Values that publishes replaced, for as long as the application has not heard of it.
 *
 * Whoever is told of a new password may well print the old one, which may still be good: AWS keeps the version before. Its
 * file is gone a second after the publish, so it is kept in memory until the new one was told, and then overwritten.
 */

import type { Secret } from '../core/secret.ts';

/** Bytes: sixteen of the largest secrets. A hook that fails for weeks must not make a sidecar grow for weeks. */
const MAX_BYTES = 1024 * 1024;

/** A memory for replaced values. */
export interface PreviousValues {
  /** Keeps these too; what is oldest goes when it becomes too much. */
  keep(values: readonly Secret[]): void;
  values(): readonly Secret[];
  forget(): void;
}

/** A memory that holds nothing yet. */
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
