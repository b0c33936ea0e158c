/**
 * The token that the kubelet writes and renews for the service account.
 *
 * It is read anew each time credentials are asked for. Its text goes into the one request that needs it and into no
 * message: what is wrong with it is told by its kind.
 */

import { readFileSync } from 'node:fs';
import { tokenProblem } from './credential-problems.ts';

/** The token, without white space around it; throws a Problem when there is none to use. */
export async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    // At once: the file is in memory, and Node's promises of files cost a cold start 2 ms.
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw tokenProblem(file, {
      kind: 'unreadable',
      code: (error as NodeJS.ErrnoException).code ?? 'no answer of the file system',
    });
  }
  if (text === '') throw tokenProblem(file, { kind: 'empty' });
  // It becomes a header: anything but visible characters would be refused with a message that quotes it.
  if (!/^[\x21-\x7e]+$/.test(text)) throw tokenProblem(file, { kind: 'malformed' });
  return text;
}
