/**
 * Reads a config file: text, or a Problem that says why there is none.
 */

import { readFileSync, statSync } from 'node:fs';
import { Problem } from '../core/problem.ts';

/** A SecretProviderClass in a ConfigMap cannot be larger: etcd takes no object above 1.5 MiB, a ConfigMap none above 1 MiB. */
const LARGEST = 1024 * 1024;

/** The text of a config file. Throws a Problem of code `config.file`. */
export function readConfigFile(file: string): string {
  try {
    const status = statSync(file);
    if (status.isDirectory()) throw unreadable(file, 'a directory', 'Name the file in it: --config DIR/config.yaml.');
    if (status.size > LARGEST) throw unreadable(file, `${status.size} bytes`, `A config has at most ${LARGEST} bytes.`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    throw error instanceof Problem ? error : explained(file, error);
  }
}

function explained(file: string, error: unknown): Problem {
  if (error instanceof TypeError) return unreadable(file, 'bytes that are no UTF-8', 'Save the file as UTF-8 text.');
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return unreadable(file, 'no such file', 'Mount the ConfigMap there, or name the file with --config.');
    case 'EACCES':
      return unreadable(file, 'no permission to read it', 'Give the user of this container read permission.');
    default:
      return unreadable(file, (error as Error).message, 'See the cause.', error);
  }
}

function unreadable(file: string, found: string, remedy: string, cause?: unknown): Problem {
  return new Problem({
    code: 'config.file',
    subject: file,
    message: `expected a SecretProviderClass file, got ${found}`,
    remedy,
    cause,
  });
}
