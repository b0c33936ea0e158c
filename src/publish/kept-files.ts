/**
 * Reuses files of the current generation whose pinned version never changes.
 *
 * Only an unchanged file is used, because another container may write to the volume.
 */

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FilePath } from '../core/file-path.ts';
import { Secret } from '../core/secret.ts';
import { DATA } from './layout.ts';

/** Files of the current generation of one directory. */
export interface KeptFiles {
  /** The identity of the current file, which differs after any change of it. Undefined if there is none. */
  identify(path: FilePath): string | undefined;
  /** The content, if the file is still the one of that identity. */
  read(path: FilePath, written: string): Secret | undefined;
}

/** The files in a directory. */
export function keptFiles(dir: string): KeptFiles {
  const place = (path: FilePath) => join(dir, DATA, path);
  return {
    identify(path) {
      try {
        return identityOf(lstatSync(place(path), { bigint: true }));
      } catch {
        return undefined;
      }
    },
    read(path, written) {
      let file: number | undefined;
      try {
        file = openSync(place(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        const isSame = identityOf(fstatSync(file, { bigint: true })) === written;
        return isSame ? new Secret(readFileSync(file)) : undefined;
      } catch {
        return undefined;
      } finally {
        if (file !== undefined) closeSync(file);
      }
    },
  };
}

/** Every change of content, mode or owner updates the ctime, which no program can set. */
function identityOf(stats: BigIntStats): string | undefined {
  return stats.isFile() ? `${stats.dev}:${stats.ino}:${stats.ctimeNs}` : undefined;
}
