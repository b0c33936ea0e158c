/**
 * The one table of options.
 *
 * The command line, the environment, the Settings type, `--help`, the options page and the chart's values all come from it. Its rows are
 * in sync-options.ts and command-options.ts, its columns in option-kinds.ts. Precedence: flag, then environment, then default. No option
 * contains a secret, so there is no list of options to redact. A default is text, and is parsed like any other value.
 */

import { commandOptions } from './command-options.ts';
import type { CommandName, kinds, Option } from './option-kinds.ts';
import { syncOptions } from './sync-options.ts';

/** The table, in the order of `--help`. */
export const options = { ...syncOptions, ...commandOptions } as const;

/** The name of an option in the code; `flagOf` returns its flag. */
export type OptionName = keyof typeof options;

/** The parsed value of an option: a union of its choices, a list if repeatable, optional without a default. */
type Value<O extends Option> = O extends { choices: readonly (infer C)[] }
  ? C | (O extends { overrides: Record<string, { choices: readonly (infer D)[] }> } ? D : never)
  : NonNullable<ReturnType<(typeof kinds)[O['kind']]['read']>>;
type Listed<O extends Option> = O extends { repeatable: true } ? readonly Value<O>[] : Value<O>;

/** Every option with its value. Durations are milliseconds, modes are permission bits. */
export type Settings = {
  readonly [N in OptionName]:
    | Listed<(typeof options)[N]>
    | ((typeof options)[N] extends { repeatable: true } | { default: string } ? never : undefined)
    | ((typeof options)[N] extends { overrides: { exec: { default: undefined } } } ? undefined : never);
};

/** How to authenticate. */
export type AuthOption = Settings['auth'];
/** How to read Secrets Manager. */
export type FetchMode = Settings['fetch'];
/** The owner of a synced Kubernetes Secret, with which it is deleted. */
export type SecretOwner = Settings['secretOwner'];
/** What `inject` adds to a pod. */
export type InjectAs = Settings['as'];

/** The rows of the table, in its order. */
export function optionEntries(): readonly (readonly [OptionName, Option])[] {
  return Object.entries(options) as [OptionName, Option][];
}

/** The row of an option, with the overrides for a command. */
export function optionFor(name: OptionName, command: CommandName): Option {
  const option: Option = options[name];
  return { ...option, ...option.overrides?.[command] };
}

/** `--notify-pid-file` for notifyPidFile. */
export function flagOf(name: OptionName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
