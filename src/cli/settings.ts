/**
 * Converts flags and environment variables to Settings, or to Problems.
 *
 * Every value is parsed by the parser of its kind; nothing is guessed. A misspelt flag is an error. A misspelt variable is a
 * warning, because the environment is shared: for a Service called podsecrets Kubernetes sets `PODSECRETS_SERVICE_HOST` and
 * others, which are ignored.
 */

import { normalize } from 'node:path';
import type { Environment } from '../core/environment.ts';
import { Problem, usageProblem } from '../core/problem.ts';
import { didYouMean, escapeControl, quote, withoutPassword } from '../core/text.ts';
import { type CommandName, kinds, type Option } from './option-kinds.ts';
import { flagOf, type OptionName, optionEntries, optionFor, type Settings } from './options.ts';
import { valueRemedy } from './value-remedy.ts';
import { readDuration } from './values.ts';

/** The origin of a value. */
export type Origin = 'flag' | 'environment' | 'default';

/** A command and its settings. */
export interface Invocation {
  readonly command: CommandName;
  readonly settings: Settings;
  readonly origins: Readonly<Record<OptionName, Origin>>;
  /** The unparsed values, to pass to another podsecrets process. */
  readonly raw: Readonly<Record<OptionName, readonly string[]>>;
  /** The FILE arguments of `check` and `doctor`, the DIR of `install`; for `exec` the command and its arguments. */
  readonly args: readonly string[];
  /** About variables that have no effect. */
  readonly warnings: readonly Problem[];
}

/** The invocation, which is valid only without problems. */
export interface SettingsReading {
  readonly invocation: Invocation;
  readonly problems: readonly Problem[];
}

/** The value of every option: from its flag, else its variable, else its default. */
export function readSettings(
  command: CommandName,
  flags: ReadonlyMap<OptionName, readonly string[]>,
  env: Environment,
  args: readonly string[] = [],
): SettingsReading {
  const problems: Problem[] = [];
  const settings: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const raw: Record<string, readonly string[]> = {};
  for (const [name] of optionEntries()) {
    const option = optionFor(name, command);
    const taken = option.commands.includes(command);
    const flag = flags.get(name);
    const variable = taken ? env[option.env] : undefined;
    const origin: Origin = flag !== undefined ? 'flag' : variable ? 'environment' : 'default';
    const texts =
      flag ?? (variable ? splitList(variable, option) : option.default === undefined ? [] : [option.default]);
    const subject = origin === 'environment' ? option.env : flagOf(name);
    if (texts.length > 1 && !option.repeatable) {
      problems.push(usageProblem(subject, `expected one value, got ${texts.length}`, `Set ${subject} once.`));
    }
    const values = texts.map((text) => readValue(subject, text, option, problems));
    settings[name] = option.repeatable ? values : values[0];
    origins[name] = origin;
    raw[name] = texts;
  }
  const read = settings as unknown as Settings;
  if (problems.length === 0) problems.push(...checkCombinations(command, read));
  if (problems.length === 0 && command === 'exec') problems.push(...checkOnChange(read, flags));
  const invocation: Invocation = {
    command,
    settings: read,
    origins: origins as Record<OptionName, Origin>,
    raw: raw as Record<OptionName, readonly string[]>,
    args,
    warnings: unknownVariables(env),
  };
  return { invocation, problems };
}

function splitList(variable: string, option: Option): readonly string[] {
  return option.repeatable ? variable.split(',').map((part) => part.trim()) : [variable];
}

function readValue(subject: string, text: string, option: Option, problems: Problem[]): unknown {
  const kind = kinds[option.kind];
  const value = kind.read(text);
  if (option.choices !== undefined && !option.choices.includes(text)) {
    const hint = didYouMean(text, option.choices);
    const remedy = hint === undefined ? 'Use one of these.' : `Did you mean ${hint}?`;
    problems.push(usageProblem(subject, `expected ${listed(option.choices)}, got ${quote(text)}`, remedy));
  } else if (value === undefined) {
    const got = text === '' ? 'nothing' : quote(option.kind === 'url' ? withoutPassword(text) : text);
    problems.push(
      usageProblem(subject, `expected ${kind.expected}, got ${got}`, valueRemedy(option.kind, text)),
    );
  } else if (option.min !== undefined && Number(value) < (readDuration(option.min) ?? 0)) {
    problems.push(
      usageProblem(subject, `expected at least ${option.min}, got ${quote(text)}`, 'Use a longer duration.'),
    );
  }
  return value;
}

function listed(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

/** Options that require or exclude each other. */
function checkCombinations(command: CommandName, settings: Settings): readonly Problem[] {
  const found: Problem[] = [...checkVariables(settings)];
  const { notifySignal, notifyPidFile, notifyProcess } = settings;
  if (notifySignal !== undefined && (notifyPidFile === undefined) === (notifyProcess === undefined)) {
    const got = notifyPidFile === undefined ? 'neither' : 'both';
    const message = `expected one of --notify-pid-file and --notify-process, got ${got}`;
    found.push(usageProblem('--notify-signal', message, 'Use exactly one of the two.'));
  }
  if (notifySignal === undefined && (notifyPidFile ?? notifyProcess) !== undefined) {
    const subject = notifyPidFile === undefined ? '--notify-process' : '--notify-pid-file';
    found.push(usageProblem(subject, 'needs --notify-signal', 'Add --notify-signal SIGHUP, for example.'));
  }
  if (settings.adoptDriverSecrets && !settings.syncSecrets) {
    found.push(
      usageProblem(
        '--adopt-driver-secrets',
        'needs --sync-secrets: without it no Secret is applied',
        'Add --sync-secrets, or remove --adopt-driver-secrets.',
      ),
    );
  }
  if (command === 'status' && settings.listen === 'off') {
    found.push(
      usageProblem(
        '--listen',
        'expected an address, got off',
        'Use the address that the sidecar listens on.',
      ),
    );
  }
  if (command === 'inject' && settings.diff && settings.output === 'json') {
    const message = 'json cannot be combined with --diff';
    found.push(usageProblem('--output', message, 'Remove one of the two.'));
  }
  const directories = settings.config.flatMap(({ dir = settings.dir }) =>
    dir === undefined
      ? []
      : [
          normalize(`${dir}/.`)
            .replace(/^\/+/, '/')
            .replace(/(?<=.)\/+$/, ''),
        ],
  );
  const twice = directories.find((dir, index) => directories.indexOf(dir) !== index);
  if (twice !== undefined && command !== 'doctor' && command !== 'inject') {
    const message = `expected a directory for each config, got ${quote(twice)} twice`;
    found.push(usageProblem('--config', message, 'Give each config its own directory: --config FILE=DIR.'));
  }
  return found;
}

/** Checks the options for the environment of `exec`. */
function checkVariables({ set, keepEnv, pristine }: Settings): readonly Problem[] {
  const found: Problem[] = [];
  const names = set.map(({ name }) => name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index)))
    found.push(usageProblem('--set', `expected each variable once, got ${quote(name)} twice`, 'Remove one.'));
  if (keepEnv.length > 0 && !pristine) {
    const message = 'needs --pristine: without it every variable is passed';
    found.push(usageProblem('--keep-env', message, 'Add --pristine, or remove --keep-env.'));
  }
  return found;
}

/** Checks the options of `exec` for changes. */
function checkOnChange(
  { config, dir, onChange }: Settings,
  flags: ReadonlyMap<OptionName, unknown>,
): readonly Problem[] {
  if (onChange === 'none') {
    return (['interval', 'notifySplay', 'listen', 'stopSignal', 'stopTimeout'] as const)
      .filter((name) => flags.has(name))
      .map((name) => {
        const message =
          'needs --on-change: without it podsecrets becomes the command, and does not watch the secrets';
        return usageProblem(flagOf(name), message, `Add --on-change restart, or remove ${flagOf(name)}.`);
      });
  }
  const isSignal = onChange !== 'restart' && onChange !== 'exit';
  if (!isSignal || dir !== undefined || config.some((one) => one.dir !== undefined)) return [];
  const message = `with ${onChange} needs a directory: the environment of a running command cannot change`;
  return [usageProblem('--on-change', message, 'Add --dir for its files, or use --on-change restart.')];
}

/** Variables with the prefix PODSECRETS_ that belong to no option. */
function unknownVariables(env: Environment): readonly Problem[] {
  const known = optionEntries().map(([, option]) => option.env);
  // Without the common prefix, which would make any two names similar.
  const short = known.map((name) => name.slice(PREFIX.length));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !SERVICE_VARIABLE.test(name))
    .sort()
    .map((name) => {
      const hint = didYouMean(name.slice(PREFIX.length), short);
      return new Problem({
        code: 'usage.environment',
        subject: escapeControl(name),
        message: 'unknown environment variable',
        remedy:
          hint === undefined
            ? 'Remove it: it has no effect.'
            : `It has no effect. Did you mean ${PREFIX}${hint}?`,
      });
    });
}

const PREFIX = 'PODSECRETS_';

/** The variables that the kubelet adds for a Service: `X_SERVICE_HOST`, `X_SERVICE_PORT_HTTP`, `X_PORT`, `X_PORT_8181_TCP_ADDR` … */
const SERVICE_VARIABLE = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;
