/**
 * Parses the command line.
 *
 * yargs-parser splits it into tokens. It costs a cold start 2 ms; the whole of yargs costs 30 ms on Node 26, 1.5 times the start of
 * Node itself. All values stay text, and the parsers of the option table convert them. Nothing here prints, exits or reads the
 * process. yargs' `env(prefix)` is not used: see settings.ts.
 */

import parser from 'yargs-parser';
import type { Environment } from '../core/environment.ts';
import { type Problem, throwProblems, usageProblem } from '../core/problem.ts';
import { didYouMean, escapeControl, quote } from '../core/text.ts';
import type { CommandName, Option } from './option-kinds.ts';
import { flagOf, type OptionName, optionEntries, options } from './options.ts';
import { type Invocation, readSettings } from './settings.ts';

/** A parsed command line. */
export type Command =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly name: CommandName | undefined }
  | { readonly kind: 'version' };

/** The commands and their descriptions in `--help`. */
export const commands: Readonly<Record<CommandName, string>> = {
  init: 'fetch once, publish, notify the application, exit',
  sidecar: 'like init, then keep the files up to date until SIGTERM',
  exec: 'fetch once, then run a command with the secrets in its environment',
  check: 'validate configs offline: report all problems, or print the plan',
  doctor: 'check configs, then test them against AWS: identity, region, endpoint, each object',
  inject: 'add podsecrets to pod specs, and convert secrets-store.csi.k8s.io volumes',
  status: 'show the status of a running sidecar',
  install: 'copy the program into a volume, for exec in other images',
};

/** Parses a command line. Throws all Problems together, of stage `usage`. */
export function parseCommand(argv: readonly string[], env: Environment): Command {
  const entries = optionEntries();
  // The arguments after `--` are not flags, and those of `exec` are passed unchanged.
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const afterDashes = argv.slice(end + 1);
  const args = joinLoneDashes(argv.slice(0, end));
  const tokens = parser([...args], {
    string: entries.filter(([, option]) => option.kind !== 'flag').map(([name]) => flagOf(name).slice(2)),
    boolean: [
      ...entries.filter(([, option]) => option.kind === 'flag').map(([name]) => flagOf(name).slice(2)),
      'help',
      'version',
    ],
    alias: { help: 'h', ...Object.fromEntries(entries.flatMap(([name, option]) => aliasOf(name, option))) },
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
      'strip-aliased': true,
    },
  });
  const positionals = tokens._.map(String);
  const takesCommand = positionals[0] === 'exec';
  const [command, ...others] = takesCommand ? positionals : [...positionals, ...afterDashes];
  if (tokens.help === true) return { kind: 'help', name: isCommand(command) ? command : undefined };
  if (tokens.version === true || command === 'version') return { kind: 'version' };
  if (command === 'help') return { kind: 'help', name: commandToExplain(others) };
  if (!isCommand(command)) throw unknownCommand(command);

  const problems = others
    .slice(MAX_ARGUMENTS[command] ?? 0)
    .map((other) => unexpectedArgument(command, other));
  if (takesCommand && others.length === 0 && afterDashes.length === 0) problems.push(missingCommand());
  const flags = new Map<OptionName, readonly string[]>();
  for (const [token, value] of Object.entries(tokens)) {
    if (token === '_' || token === 'help' || token === 'version') continue;
    const entry = entries.find(([name]) => flagOf(name) === `--${token}`);
    if (entry === undefined || !entry[1].commands.includes(command))
      problems.push(unknownFlag(token, command, entry?.[1]));
    else flags.set(entry[0], entry[1].kind === 'flag' ? flagTexts(args, token) : [value].flat().map(String));
  }
  if (command === 'check' && others.length > 0 && flags.has('config')) problems.push(filesTwice());
  if (command === 'doctor' && others.length > 0)
    flags.set('config', [...(flags.get('config') ?? []), ...others]);
  const reading = readSettings(command, flags, env, takesCommand ? afterDashes : others);
  throwProblems([...problems, ...reading.problems]);
  return { kind: 'run', invocation: reading.invocation };
}

/** `-f -` as `-f=-`: yargs parses a lone dash as a separate argument, and the flag before it then has no value. */
function joinLoneDashes(argv: readonly string[]): readonly string[] {
  const args: string[] = [];
  for (const arg of argv) {
    const before = args.at(-1);
    if (arg === '-' && before !== undefined && /^--?\w[\w-]*$/.test(before))
      args.splice(-1, 1, `${before}=-`);
    else args.push(arg);
  }
  return args;
}

function aliasOf(name: OptionName, option: Option): [string, string][] {
  return option.alias === undefined ? [] : [[flagOf(name).slice(2), option.alias]];
}

/** yargs silently converts `--allow-disk=yes` to false, so the values of boolean flags are read from the arguments. */
function flagTexts(args: readonly string[], token: string): readonly string[] {
  return args
    .filter((arg) => arg === `--${token}` || arg.startsWith(`--${token}=`))
    .map((arg) => (arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : 'true'));
}

/** How many arguments a command takes; the others take none. Those of `doctor` are configs, as `--config` names them. */
const MAX_ARGUMENTS: Partial<Record<CommandName, number>> = {
  check: Number.POSITIVE_INFINITY,
  doctor: Number.POSITIVE_INFINITY,
  install: 1,
};

function commandToExplain([command, ...others]: readonly string[]): CommandName | undefined {
  if (command === undefined) return undefined;
  if (!isCommand(command) || others.length > 0) throw unknownCommand([command, ...others].join(' '));
  return command;
}

function unexpectedArgument(command: CommandName, argument: string): Problem {
  const isFile = /\.ya?ml$|\//.test(argument);
  const flag =
    command === 'inject'
      ? '-f'
      : options.config.commands.some((name) => name === command)
        ? '--config'
        : undefined;
  if (command === 'exec') {
    const remedy = `Write -- before the command: podsecrets exec -- ${escapeControl(argument)}.`;
    return usageProblem(quote(argument), 'unexpected argument', remedy, 'usage.command');
  }
  const remedy =
    argument === 'help'
      ? `Write podsecrets help ${command}.`
      : isFile && flag !== undefined
        ? `Write ${flag} ${escapeControl(argument)}.`
        : (insteadOfArgument[command] ?? `Remove it: podsecrets ${command} takes only flags.`);
  return usageProblem(quote(argument), 'unexpected argument', remedy, 'usage.command');
}

const insteadOfArgument: Partial<Record<CommandName, string>> = {
  install: 'Remove it: podsecrets install takes one directory.',
  status: 'Run it in the container: kubectl exec POD -c podsecrets -- podsecrets status.',
};

function missingCommand(): Problem {
  const remedy = 'Write it with its arguments: podsecrets exec -- CMD ARG.';
  return usageProblem('command', 'expected a command after --, got none', remedy, 'usage.command');
}

/** The directories of `--config` are checked together; FILE arguments have none. */
function filesTwice(): Problem {
  const remedy = 'Write all files as arguments: podsecrets check FILE FILE. Or all with --config.';
  return usageProblem('--config', 'cannot be combined with FILE arguments', remedy, 'usage.flag');
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(commands, name);
}

function unknownCommand(name: string | undefined): Problem {
  const hint = name === undefined ? undefined : didYouMean(name, Object.keys(commands));
  return usageProblem(
    'command',
    `expected one of ${[...Object.keys(commands), 'help', 'version'].join(', ')}, got ${name === undefined ? 'none' : quote(name)}`,
    hint === undefined ? 'Run podsecrets --help.' : `Did you mean podsecrets ${hint}?`,
    'usage.command',
  );
}

function unknownFlag(token: string, command: CommandName, option: Option | undefined): Problem {
  const flag = `${token.length === 1 ? '-' : '--'}${escapeControl(token)}`;
  if (option !== undefined) {
    return usageProblem(
      flag,
      `is not a flag of podsecrets ${command}, but of ${option.commands.join(', ')}`,
      instead[`${command} --${token}`] ?? 'Remove it.',
      'usage.flag',
    );
  }
  const known = optionEntries()
    .filter(([, row]) => row.commands.includes(command))
    .map(([name]) => flagOf(name));
  const hint =
    token.length === 1
      ? known.filter((name) => name.startsWith(`--${token}`)).join(' or ') || undefined
      : didYouMean(flag, known);
  const remedy = hint === undefined ? `Run podsecrets ${command} --help.` : `Did you mean ${hint}?`;
  return usageProblem(flag, 'unknown flag', ofOtherTools.get(token) ?? remedy, 'usage.flag');
}

/** What to write for a flag that another command has. */
const instead: Readonly<Record<string, string>> = {
  'check --file': 'Write the file alone: podsecrets check FILE.',
  'doctor --file': 'Write the file alone: podsecrets doctor FILE.',
  'install --dir': 'Write the directory alone: podsecrets install DIR.',
};

/** What to write for flags of kubectl and of the AWS CLI. */
const ofOtherTools: ReadonlyMap<string, string> = new Map([
  ['dry-run', 'Leave it out: podsecrets inject only prints. --diff shows what changes.'],
  ['endpoint-url', 'Set AWS_ENDPOINT_URL.'],
  ['json', 'Write --output json.'],
  ['profile', 'Set AWS_PROFILE.'],
  ['region', 'Set region in the parameters of the SecretProviderClass, or AWS_REGION.'],
]);
