/**
 * Reads a config file: returns its text, or throws a Problem with the reason.
 */

import { Problem } from '../core/problem.ts';
import { readRegularFile } from '../core/regular-file.ts';

/** Bytes. A SecretProviderClass in a ConfigMap cannot be longer: the API server accepts 1 MiB of data at most. */
const MAX_SIZE = 1024 * 1024;

/** The text of a config file. Throws a Problem of code `config.file`. */
export function readConfigFile(file: string): string {
  const content = readRegularFile(file, MAX_SIZE);
  if (content.kind === 'failed') {
    const { found = errors[content.code]?.[0] ?? content.code } = content;
    throw fileProblem(file, found, remedies[found] ?? errors[content.code]?.[1] ?? OTHER_REMEDY);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content.bytes);
  } catch {
    throw fileProblem(file, 'bytes that are not UTF-8', 'Save the file as UTF-8 text.');
  }
}

const OTHER_REMEDY = 'Name a file that this container can read.';

const errors: Readonly<Record<string, readonly [found: string, remedy: string]>> = {
  ENOENT: ['no such file', 'Mount the ConfigMap there, or name the file with --config.'],
  ENOTDIR: ['no such file', 'Mount the ConfigMap there, or name the file with --config.'],
  EACCES: ['permission denied', 'Give the user of this container read permission.'],
};

const remedies: Readonly<Record<string, string>> = {
  'a directory': 'Name the file in it: --config DIR/config.yaml.',
  'more than 1 MiB': 'Split it into several configs.',
};

function fileProblem(file: string, found: string, remedy: string): Problem {
  const message = `expected a SecretProviderClass file, got ${found}`;
  return new Problem({ code: 'config.file', subject: file, message, remedy });
}
