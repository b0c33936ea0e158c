/**
 * The columns of the option table: the kinds of values, the fields of a row, and the commands.
 */

import { isEnvName } from '../core/environment.ts';
import {
  readCommand,
  readConfigTarget,
  readDuration,
  readExitCode,
  readListen,
  readMode,
  readOnChange,
  readOwner,
  readQuantity,
  readSignal,
  readUrl,
  readVariable,
} from './values.ts';

/** For each kind of value: its description in errors, and its parser. */
export const kinds = {
  text: { expected: 'text', read: (text: string) => text || undefined },
  flag: { expected: 'true or false', read: readFlag },
  duration: { expected: 'a duration with units, such as 500ms, 30s or 1h30m', read: readDuration },
  mode: { expected: 'four octal digits, such as 0440', read: readMode },
  owner: { expected: 'UID:GID as two numbers', read: readOwner },
  quantity: { expected: 'a quantity above 0, such as 10m, 0.5 or 128Mi', read: readQuantity },
  listen: { expected: 'HOST:PORT, or off', read: readListen },
  config: { expected: 'FILE, FILE=DIR, env:NAME or env:NAME=DIR', read: readConfigTarget },
  command: {
    expected: 'a JSON list of a program and its arguments, or a program without arguments',
    read: readCommand,
  },
  url: { expected: 'an http or https URL without a password', read: readUrl },
  exitCode: { expected: 'an exit code from 1 to 255', read: readExitCode },
  signal: { expected: 'a signal such as SIGHUP', read: readSignal },
  onChange: { expected: 'none, restart, exit or a signal such as SIGHUP', read: readOnChange },
  envName: {
    expected: 'the name of an environment variable',
    read: (text: string) => (isEnvName(text) ? text : undefined),
  },
  variable: {
    expected: 'NAME=REF, where REF is the ARN of a secret or parameter, or /NAME of a parameter',
    read: readVariable,
  },
} as const;

function readFlag(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** The kind of an option's value. */
export type Kind = keyof typeof kinds;
/** The commands. */
export type CommandName = 'init' | 'sidecar' | 'exec' | 'check' | 'doctor' | 'inject' | 'status' | 'install';

/** A row of the table. */
export interface Option {
  readonly kind: Kind;
  /** The variable that sets it. */
  readonly env: string;
  readonly default?: string | undefined;
  /** May be given several times; in the environment variable the values are separated by commas. */
  readonly repeatable?: true;
  /** A one-letter flag. */
  readonly alias?: string;
  readonly choices?: readonly string[];
  /** The smallest duration that makes sense, as text. */
  readonly min?: string;
  /** The name of the value in the help: `FILE[=DIR]`; flags and choices need none. */
  readonly placeholder?: string;
  /** The heading in the help. */
  readonly group: string;
  readonly commands: readonly CommandName[];
  readonly description: string;
  /** Differences for single commands. */
  readonly overrides?: Partial<Record<CommandName, Pick<Option, 'default' | 'choices' | 'description'>>>;
}

// Groups of commands that share options. inject accepts the options of the containers that it adds, and passes them to these.
export const planning = ['init', 'sidecar', 'exec', 'check', 'doctor', 'inject'] as const;
export const fetching = ['init', 'sidecar', 'exec', 'doctor', 'inject'] as const;
export const publishing = ['init', 'sidecar', 'exec', 'inject'] as const;
export const notifying = ['init', 'sidecar', 'inject'] as const;
