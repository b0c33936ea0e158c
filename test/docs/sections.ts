/** The sections of the pages that are made from tables in the code. */

import type { Option } from '../../src/cli/option-kinds.ts';
import { flagOf, optionEntries } from '../../src/cli/options.ts';
import { events } from '../../src/core/log-events.ts';
import { exitCodes, problemCodes } from '../../src/core/problem.ts';
import { image } from '../../src/core/version.ts';
import { metrics } from '../../src/sidecar/metrics.ts';
import { code, fenced, table } from './markdown.ts';

/** How to make the image that `inject`, the chart and every example name. */
export function imageCommands(): string {
  return fenced('sh', `export PODSECRETS_IMAGE=${image}\ndocker build --tag "$PODSECRETS_IMAGE" .\n`);
}

export function optionsTable(): string {
  const rows = optionEntries().map(([name, option]) => [
    `${code(flagOf(name) + (option.placeholder === undefined ? '' : ` ${option.placeholder}`))}${option.alias === undefined ? '' : `, ${code(`-${option.alias}`)}`}`,
    meanings(option),
  ]);
  return table(['flag', 'meaning'], rows);
}

/** The meaning, after the commands that it is for, unless `init` is one of them. */
function meanings(option: Option): string {
  const special = Object.entries(option.overrides ?? {});
  const { repeatable: _, ...once } = option;
  const others = option.commands.filter((command) => option.overrides?.[command] === undefined);
  const of = option.commands.includes('init') ? '' : `${others.map(code).join(', ')}: `;
  const rest = special.map(
    ([command, row]) => `${code(command)}: ${meaning({ ...once, default: undefined, ...row })}`,
  );
  return [of + meaning(option), ...rest].join('; ');
}

/** A flag that is off by default, and an option without a default, show none. */
function meaning({
  kind,
  description,
  repeatable,
  choices = [],
  default: byDefault,
}: Omit<Option, 'default'> & { readonly default?: string | undefined }): string {
  const notes = [
    ...(repeatable ? ['repeatable'] : []),
    ...(choices.length === 0 ? [] : [choices.map(code).join(', ')]),
    ...(byDefault === undefined || kind === 'flag' ? [] : [`default ${code(byDefault)}`]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

export function exitCodesTable(): string {
  return table(
    ['exit code', 'meaning', 'the last line ends with'],
    Object.entries(exitCodes).map(([name, exitCode]) => [
      `${exitCode}`,
      exitCodeMeanings[name as keyof typeof exitCodes],
      (name === 'bug' ? [name] : problemCodes.filter((problem) => problem.startsWith(`${name}.`)))
        .map(code)
        .join(', '),
    ]),
  );
}

const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done',
  bug: 'an internal error: please report the last line',
  usage: 'the command line or a variable is invalid; `status`: no sidecar responds',
  config: 'the SecretProviderClass is wrong; `podsecrets check` lists every problem',
  credentials: 'no credentials, or AWS rejected them',
  fetch: 'a value could not be read, or does not match the config; `status`: the sidecar is not ready',
  publish: 'the directory could not be written',
  notify: 'the files are there, but the application could not be notified',
  exec: '`exec`: the command could not be started; 127: it was not found. Afterwards the exit code is that of the command',
  kubernetes: 'a Kubernetes Secret could not be applied, or a manifest cannot work',
  sync: 'the process that does a sync was killed, or could not be started: memory, processes, time',
};

export function metricsTable(): string {
  const rows = Object.entries(metrics).map(([name, { type, labels, help }]) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help,
  ]);
  return table(['metric', 'type', 'labels', 'meaning'], rows);
}

export function eventsTable(): string {
  return table(
    ['event', 'level', 'when'],
    Object.entries(events).map(([name, event]) => [code(name), event.level, event.meaning]),
  );
}
