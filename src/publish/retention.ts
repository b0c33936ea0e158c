/**
 * Selects the replaced generation that stays until the application was notified.
 *
 * A hook that is notified of a new password may print the old one, which may still be valid: AWS keeps the previous
 * version. To redact it, the value is read from the replaced generation, so that no process keeps it in memory. The
 * directory then contains at most two generations, and they take at most half of the volume, because the next one must fit.
 */

import { join } from 'node:path';
import type { FileSystem } from './fs.ts';
import type { Layout } from './layout.ts';
import { readPendingNotification } from './pending-notification.ts';
import { fits, spaceBelow, volumeSpace } from './space.ts';

/** The names of the generations to keep, besides the current one: one or none. Throws errors of the file system. */
export function keptForRedaction(fs: FileSystem, dir: string, layout: Layout): ReadonlySet<string> {
  const [replaced, ...more] = readPendingNotification(fs, dir, layout).replaced;
  const { current } = layout;
  // After two changes without a delivery, values of both would be needed.
  if (current === undefined || replaced === undefined || more.length > 0) return new Set();
  if (!layout.otherGenerations.includes(replaced)) return new Set();
  const both = [current.name, replaced].map((name) => spaceBelow(fs, join(dir, name)));
  const needed = {
    bytes: both.reduce((sum, { bytes }) => sum + bytes, 0),
    inodes: both.reduce((sum, { inodes }) => sum + inodes, 0),
  };
  const { size } = volumeSpace(fs, dir);
  const half = { bytes: size.bytes / 2, inodes: size.inodes / 2 };
  return fits(needed, half) ? new Set([replaced]) : new Set();
}
