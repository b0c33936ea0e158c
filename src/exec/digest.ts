/**
 * Compares the values that two processes fetched, without passing the values between them.
 */

import { createHmac, randomBytes } from 'node:crypto';
import type { FetchedSet } from './fetch.ts';

/**
 * A text that is equal for equal variables and files. It contains a random key, which is taken over from `previous`: digests are
 * comparable only within one supervised command, and a short value cannot be looked up in precomputed digests.
 */
export function digestOf(
  { variables, snapshots }: Pick<FetchedSet, 'variables' | 'snapshots'>,
  previous: string | undefined,
): string {
  const key = previous?.split(':')[0] ?? randomBytes(32).toString('hex');
  const hmac = createHmac('sha256', key);
  const add = (part: Uint8Array | string): void => {
    hmac.update(`${part.length}:`).update(part);
  };
  add(String(variables.length));
  for (const { name, value } of variables) {
    add(name);
    add(value.reveal());
  }
  for (const { files } of snapshots) {
    add(String(files.length));
    for (const { path, mode, content } of files) {
      add(`${mode} ${path}`);
      add(content.reveal());
    }
  }
  return `${key}:${hmac.digest('hex')}`;
}
