/**
 * Reads a config file: text, or a Problem that says why there is none.
 *
 * Read whole from one opening, so that a file that is replaced meanwhile is the old or the new one, and never further than
 * a config can be long, so that not even /dev/zero is read to its end.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { Problem } from '../core/problem.ts';

/** Bytes. A SecretProviderClass in a ConfigMap cannot be longer: the API server takes no more than 1 MiB of data. */
const LARGEST = 1024 * 1024;

/** The text of a config file. Throws a Problem of code `config.file`. */
export function readConfigFile(file: string): string {
  const bytes = readBytes(file);
  if (bytes.length > LARGEST) throw unreadable(file, 'more than 1 MiB', 'Divide it into several configs.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(file, 'bytes that are no UTF-8', 'Save the file as UTF-8 text.');
  }
}

/** At most one byte more than is allowed. */
function readBytes(file: string): Uint8Array {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const buffer = Buffer.alloc(LARGEST + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    // A copy, so that the large buffer is let go.
    return new Uint8Array(buffer.subarray(0, length));
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const [found, remedy] = explanations[code] ?? [code, 'Name a file that this container can read.'];
    throw unreadable(file, found, remedy);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const explanations: Readonly<Record<string, readonly [found: string, remedy: string]>> = {
  ENOENT: ['no such file', 'Mount the ConfigMap there, or name the file with --config.'],
  ENOTDIR: ['no such file', 'Mount the ConfigMap there, or name the file with --config.'],
  EISDIR: ['a directory', 'Name the file in it: --config DIR/config.yaml.'],
  EACCES: ['no permission to read it', 'Give the user of this container read permission.'],
};

function unreadable(file: string, found: string, remedy: string): Problem {
  return new Problem({
    code: 'config.file',
    subject: file,
    message: `expected a SecretProviderClass file, got ${found}`,
    remedy,
  });
}
