/**
 * The file system operations that publishing uses: those of `node:fs` itself, as a parameter, so that a test can make each
 * of them fail, or end the process in it.
 *
 * They are the synchronous ones, because on a tmpfs a call is a copy in memory: writing, chmodding and linking 50 files
 * took 1.0 ms here, against 1.6-2.2 ms for promises all at once and 5-7 ms one after another (1000 files: 18, 31 and 110 ms;
 * Node 26, 2 cores), and promises start four threads that stay. A synchronous publish is also never interleaved.
 */

import type * as fs from 'node:fs';

/** The part of `node:fs` that publishing uses. */
export type FileSystem = Pick<
  typeof fs,
  | 'accessSync'
  | 'chmodSync'
  | 'closeSync'
  | 'constants'
  | 'fchmodSync'
  | 'fstatSync'
  | 'lchownSync'
  | 'lstatSync'
  | 'mkdirSync'
  | 'mkdtempSync'
  | 'openSync'
  | 'readFileSync'
  | 'readSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'realpathSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'statfsSync'
  | 'symlinkSync'
  | 'unlinkSync'
  | 'writeFileSync'
>;
