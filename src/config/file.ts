/**
 * Reads a config: returns its text, or throws a Problem with the reason.
 */

import type { Environment } from '../core/environment.ts';
import { OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { readRegularFile } from '../core/regular-file.ts';
import { quote } from '../core/text.ts';

/** Bytes. A SecretProviderClass in a ConfigMap cannot be longer: the API server accepts 1 MiB of data at most. */
const MAX_SIZE = 1024 * 1024;

/** The variable that `env:NAME` names; undefined for the path of a file. */
export function configVariable(file: string): string | undefined {
  return file.startsWith('env:') ? file.slice('env:'.length) : undefined;
}

/** The text of a config: of a file, or of the variable in `env:NAME`. Throws a Problem of code `config.file`. */
export function readConfig(file: string, env: Environment): string {
  const name = configVariable(file);
  if (name === undefined) return readConfigFile(file);
  const text = env[name];
  if (text) return text;
  const message = `expected a SecretProviderClass in the variable ${quote(name)}, got ${text === undefined ? 'no such variable' : 'an empty one'}`;
  const remedy = 'Set the variable to the text of the SecretProviderClass.';
  throw new Problem({ code: 'config.file', subject: file, message, remedy });
}

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
  ENOENT: ['no such file', 'Correct the path; in a container mount the ConfigMap there.'],
  ENOTDIR: ['no such file', 'Correct the path; in a container mount the ConfigMap there.'],
  EMFILE: ['EMFILE', OPEN_FILES_REMEDY],
  ENFILE: ['ENFILE', OPEN_FILES_REMEDY],
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
