/**
 * The file of environment variables, one line `NAME='value'` each.
 *
 * All parsers that were tested read text in single quotes the same: the kubelet's (`fileKeyRef`), /bin/sh, Node's `util.parseEnv`,
 * dotenv of npm, python-dotenv and compose-go. A value that makes the file unreadable for the kubelet or a shell is an error; a value
 * that one library reads differently is a warning. No message contains part of a value.
 */

import { Secret } from '../core/secret.ts';

/** A variable and its value. */
export interface EnvVariable {
  readonly name: string;
  readonly value: Secret;
}

/** A mistake in a value, and its remedy. */
export interface EnvMistake {
  readonly message: string;
  readonly remedy: string;
}

/** Bytes. The kubelet reads lines of 64 KiB at most; with a longer one the whole file fails. */
const MAX_LINE = 65_000;

/** The environment that `exec` creates has neither limit. */
const WITHOUT_LIMIT =
  'Let the application read it from its file instead, or use podsecrets exec, which has no such limit.';

/** The file: variables in the given order, no comment and no blank line. The values must be without mistakes. */
export function envFileContent(variables: readonly EnvVariable[]): Secret {
  return new Secret(variables.map(({ name, value }) => `${name}='${textOf(value)}'\n`).join(''));
}

/** Why a value cannot be in the file; undefined if it can. */
export function envValueError({ name, value }: EnvVariable): EnvMistake | undefined {
  const text = textOf(value);
  const error = (got: string, remedy = 'Let the application read it from its file instead.'): EnvMistake => ({
    message: `expected a value of variable ${name} that envFile can represent, got ${got}`,
    remedy,
  });
  if (text === undefined) return error('bytes that are not UTF-8');
  if (text.includes("'")) return error('a single quote', WITHOUT_LIMIT);
  // No environment variable can contain it.
  if (text.includes('\0')) return error('a NUL character');
  const lines = `${name}='${text}'`.split('\n');
  if (lines.some((line) => new TextEncoder().encode(line).length > MAX_LINE))
    return error(`a line of more than ${MAX_LINE} bytes`, WITHOUT_LIMIT);
  return undefined;
}

/** Why some parsers read a value differently; undefined if all of them read it unchanged. */
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
    remedy: 'Check which value the application gets, or let it read the file.',
  };
}

/** Measured with python-dotenv 1.2, compose-go 2.1, dotenv 18 and Node 26. /bin/sh reads all of them unchanged. */
const DIFFERENT: readonly (readonly [pattern: RegExp, part: string])[] = [
  [/\r\n/, 'line breaks CR LF, which the kubelet and libraries convert to LF'],
  [/\r/, 'a carriage return, which dotenv and util.parseEnv convert to LF'],
  [/\\$/, 'a backslash at its end, which makes the file unreadable for python-dotenv and Compose'],
  [/\\\\/, 'two backslashes in a row, which python-dotenv reads as one'],
  [/\$\{/, 'a $ before {, which python-dotenv expands as a variable'],
];

/** Undefined for bytes that are not UTF-8. */
function textOf(value: Secret): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.reveal());
  } catch {
    return undefined;
  }
}
