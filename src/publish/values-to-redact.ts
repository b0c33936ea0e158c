/**
 * The values that the output of a hook or an endpoint must not show: those of the current generation, and of the one that it
 * replaced if the application was not notified since.
 */

import { join } from 'node:path';
import { Problem } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';
import { readBoundedBytes } from './bounded-read.ts';
import type { FileSystem } from './fs.ts';
import type { DirectoryHandle } from './held-directory.ts';
import { checkDirectoryIdentity } from './identity.ts';
import { readLayout } from './layout.ts';
import { readPendingNotification, replacedToRedact } from './pending-notification.ts';

/** Bytes of all values together. More would be a file that another container put there. */
const LIMIT = 64 * 1024 * 1024;

/**
 * Every value that a hook may print; undefined if one of them cannot be read any more: because there were two changes since the last
 * delivery, or the directory was replaced or unmounted.
 */
export function readValuesToRedact(
  fs: FileSystem,
  { path, identity }: DirectoryHandle,
): readonly Secret[] | undefined {
  try {
    checkDirectoryIdentity(fs, path, identity);
    return readValues(fs, path);
  } catch (error) {
    // An error of the file system, or a `..data` of another program.
    if (error instanceof Problem || (error instanceof Error && 'syscall' in error)) return undefined;
    throw error;
  }
}

function readValues(fs: FileSystem, dir: string): readonly Secret[] | undefined {
  const layout = readLayout(fs, dir);
  // A notification follows a publish, so something else has removed the link.
  if (layout.current === undefined) return undefined;
  const replaced = replacedToRedact(readPendingNotification(fs, dir, layout));
  // A hook that started before both changes may have shown a value of a generation that is not stored.
  if (replaced === undefined) return undefined;
  const generations = [layout.current.name, ...replaced];
  const values: Secret[] = [];
  let left = LIMIT;
  for (const generation of generations) {
    if (!fs.lstatSync(join(dir, generation)).isDirectory()) return undefined;
    for (const entry of fs.readdirSync(join(dir, generation), { withFileTypes: true, recursive: true })) {
      if (entry.isDirectory()) continue;
      const bytes = readBoundedBytes(fs, join(entry.parentPath, entry.name), left);
      if (bytes === undefined) return undefined;
      left -= bytes.length;
      values.push(new Secret(bytes));
    }
  }
  return values;
}
