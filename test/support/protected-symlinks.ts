/**
 * The kernel's rule for following symbolic links, as it is with the sysctl fs.protected_symlinks (Linux,
 * Documentation/admin-guide/sysctl/fs.rst), applied to the files of a directory. It proves that an application can open
 * its files on a machine whose sysctl is off.
 */

import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface LinkAttempt {
  /** The user that follows the link; root has no privilege here. */
  readonly reader: number;
  readonly link: { readonly uid: number };
  /** The directory that the link is in. */
  readonly directory: { readonly uid: number; readonly mode: number };
}

/** Whether the kernel follows the link for the reader. */
export function mayFollow({ reader, link, directory }: LinkAttempt): boolean {
  const isStickyAndWorldWritable = (directory.mode & 0o1002) === 0o1002;
  return link.uid === reader || !isStickyAndWorldWritable || directory.uid === link.uid;
}

/**
 * The links in the directory, and below, that the kernel would not follow for this user. Every path that an application
 * opens, such as `<dir>/<file>` and `<dir>/..data`, ends in one of them or passes only directories.
 */
export function refusedLinks(dir: string, reader: number): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((link) => !mayFollow({ reader, link: lstatSync(link), directory: statSync(dirname(link)) }));
}

/** Whether the kernel of this machine has the sysctl on. It is never written here: it belongs to the whole machine. */
export function isEnforced(): boolean {
  return readFileSync('/proc/sys/fs/protected_symlinks', 'utf8').trim() === '1';
}
