/**
 * The token that the kubelet writes and renews for the service account.
 *
 * It is read again each time credentials are fetched. Its text goes into the one request that needs it and into no
 * message: a problem with it is reported by its kind.
 */

import { readRegularFile } from '../core/regular-file.ts';
import { tokenProblem } from './credential-problems.ts';

/** Bytes. A token of the kubelet has about 1 KiB. */
const MAX_SIZE = 64 * 1024;

/** The token, without white space around it; throws a Problem when there is none to use. */
export async function readToken(file: string): Promise<string> {
  // Synchronously: the file is in memory, and Node's promises of files cost a cold start 2 ms.
  const content = readRegularFile(file, MAX_SIZE);
  if (content.kind === 'failed')
    throw tokenProblem(file, { kind: 'unreadable', code: content.found ?? content.code });
  const text = new TextDecoder().decode(content.bytes).trim();
  if (text === '') throw tokenProblem(file, { kind: 'empty' });
  // It becomes a header: anything but visible characters would be refused with a message that quotes it.
  if (!/^[\x21-\x7e]+$/.test(text)) throw tokenProblem(file, { kind: 'malformed' });
  return text;
}
