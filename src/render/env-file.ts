/**
 * The file of environment variables, one `NAME='value'` each.
 *
 * Text in single quotes means the same to every parser of such files that was tested: the kubelet's (`fileKeyRef`), /bin/sh,
 * Node's `util.parseEnv`, dotenv of npm, python-dotenv and compose-go. What would make
 * the file unreadable for the kubelet or a shell is refused; what one library reads differently is a warning. No message has a part of a value.
 */

import { Secret } from '../core/secret.ts';

/** A variable and its value. */
export interface EnvVariable {
  readonly name: string;
  readonly value: Secret;
}

/** A mistake in a value, and what to do. */
export interface EnvMistake {
  readonly message: string;
  readonly remedy: string;
}

/** Bytes. The kubelet reads lines of 64 KiB at most; with a longer one the whole file fails. */
const MAX_LINE = 65_000;

/** The environment that `exec` makes has neither limit. */
const WITHOUT_LIMIT = 'Read it as a file, or use podsecrets exec, which has no such limit.';

/** The file: variables in the given order, no comment and no blank line. The values must be without mistakes. */
export function envFileContent(variables: readonly EnvVariable[]): Secret {
  return new Secret(variables.map(({ name, value }) => `${name}='${textOf(value)}'\n`).join(''));
}

/** Why a value cannot be in the file; undefined if it can. */
export function envValueError({ name, value }: EnvVariable): EnvMistake | undefined {
  const text = textOf(value);
  const error = (got: string, remedy = 'Read it as a file.'): EnvMistake => ({
    message: `expected a value of variable ${name} that a file of variables can hold, got ${got}`,
    remedy,
  });
  if (text === undefined) return error('bytes that are not UTF-8');
  if (text.includes("'")) return error('a single quote', WITHOUT_LIMIT);
  // No environment can hold it.
  if (text.includes('\0')) return error('a NUL character');
  const lines = `${name}='${text}'`.split('\n');
  if (lines.some((line) => new TextEncoder().encode(line).length > MAX_LINE))
    return error(`a line of more than ${MAX_LINE} bytes`, WITHOUT_LIMIT);
  return undefined;
}

/** What some parsers read differently; undefined for a value that all of them read as it is. */
export function envValueWarning({ name, value }: EnvVariable): EnvMistake | undefined {
  const text = textOf(value) ?? '';
  if (text === '') {
    return {
      message: `the value of variable ${name} is empty, which the kubelet treats as missing`,
      remedy: 'Write optional: true in its fileKeyRef, or store a value.',
    };
  }
  const part = DIFFERENT.find(([pattern]) => pattern.test(text))?.[1];
  if (part === undefined) return undefined;
  return {
    message: `the value of variable ${name} has ${part}`,
    remedy: 'Check how the application gets it, or read it as a file.',
  };
}

/** Measured with python-dotenv 1.2, compose-go 2.1, dotenv 18 and Node 26. /bin/sh reads all of them as they are. */
const DIFFERENT: readonly (readonly [pattern: RegExp, part: string])[] = [
  [/\r\n/, 'line breaks CR LF, which the kubelet and libraries turn into LF'],
  [/\r/, 'a carriage return, which dotenv and util.parseEnv turn into LF'],
  [/\\$/, 'a backslash at its end, which makes the file unreadable for python-dotenv and Compose'],
  [/\\\\/, 'two backslashes in a row, which python-dotenv reads as one'],
  [/\$\{/, 'a $ before {, which python-dotenv takes for the name of another variable'],
];

/** Undefined for bytes that are not UTF-8. */
function textOf(value: Secret): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.reveal());
  } catch {
    return undefined;
  }
}
