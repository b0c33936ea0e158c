/**
 * The parts of the README that are made from tables in the code: each a name, as the README's markers have it, and its text.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { flagOf, type Option, optionEntries } from '../../src/cli/options.ts';
import { events } from '../../src/core/log-events.ts';
import { exitCodes, problemCodes } from '../../src/core/problem.ts';
import { metrics } from '../../src/sidecar/metrics.ts';
import { benchPrice, benchTable } from '../bench/table.ts';

export const root = join(import.meta.dirname, '../..');

/** Name of a section to the function that writes it. */
export const sections: Readonly<Record<string, () => string>> = {
  price: benchPrice,
  'pod-spec': podSpec,
  options: optionsTable,
  'exit-codes': exitCodesTable,
  metrics: metricsTable,
  events: eventsTable,
  bench: benchTable,
};

/** The text with every section written anew between its markers. */
export function rewritten(text: string): string {
  return Object.entries(sections).reduce((page, [name, write]) => {
    const [from, to] = bounds(page, name);
    return `${page.slice(0, from)}${write()}${page.slice(to)}`;
  }, text);
}

/** What stands between the markers of a section. */
export function written(text: string, name: string): string {
  return text.slice(...bounds(text, name));
}

/** Throws when a marker is missing or stands alone. */
function bounds(text: string, name: string): [number, number] {
  const [open, close] = [`<!-- ${name}: written by npm run docs -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from === -1 || to < from) throw new Error(`README.md: expected the markers of the section ${name}`);
  return [from + open.length, to];
}

export function readme(): string {
  return readFileSync(join(root, 'README.md'), 'utf8');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The pod of an example after `podsecrets inject`, which a test makes anew. */
function podSpec(): string {
  const text = readFileSync(join(root, 'examples/pod-identity/injected.yaml'), 'utf8');
  const workload = parseAllDocuments(text)
    .map(
      (document) =>
        document.toJS() as { readonly kind: string; readonly spec?: { template: { spec: unknown } } },
    )
    .find(({ kind }) => kind === 'Deployment');
  return `\`\`\`yaml\n${stringify(workload?.spec?.template.spec, { lineWidth: 0 })}\`\`\``;
}

function optionsTable(): string {
  const rows = optionEntries().map(([name, option]) => [
    `${code(flagOf(name) + (option.placeholder === undefined ? '' : ` ${option.placeholder}`))}${option.alias === undefined ? '' : `, ${code(`-${option.alias}`)}`}`,
    meanings(option),
  ]);
  return table(['flag', 'meaning'], rows);
}

/** The meaning, after the commands that it is for, unless `init` is one of them. */
function meanings(option: Option): string {
  const special = Object.entries(option.overrides ?? {});
  const others = option.commands.filter((command) => option.overrides?.[command] === undefined);
  const of = option.commands.includes('init') ? '' : `${others.map(code).join(', ')}: `;
  const rest = special.map(
    ([command, row]) => `${code(command)}: ${meaning({ ...option, default: undefined, ...row })}`,
  );
  return [of + meaning(option), ...rest].join('; ');
}

/** What is not set by default has no default to tell. */
function meaning({
  kind,
  help,
  choices = [],
  default: byDefault,
}: Omit<Option, 'default'> & { readonly default?: string | undefined }): string {
  const notes = [
    ...(choices.length === 0 ? [] : [choices.map(code).join(', ')]),
    ...(byDefault === undefined || kind === 'flag' ? [] : [`default ${code(byDefault)}`]),
  ];
  return notes.length === 0 ? help : `${help} (${notes.join('; ')})`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function exitCodesTable(): string {
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
  bug: 'a bug of podsecrets: please report the last line',
  usage: 'the command line or a variable is wrong; `status`: no sidecar answers',
  config: 'the SecretProviderClass is wrong; `podsecrets check` lists every problem',
  credentials: 'no credentials, or they were refused',
  fetch: 'a value could not be read, or is not what the config says; `status`: the sidecar is not ready',
  publish: 'the directory could not be written',
  notify: 'the files are there, but the application could not be told',
  kubernetes: 'a Kubernetes Secret could not be applied, or a manifest cannot work',
};

function metricsTable(): string {
  const rows = Object.entries(metrics).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return table(['metric', 'type', 'labels', 'meaning'], rows);
}

function eventsTable(): string {
  return table(
    ['event', 'level', 'when'],
    Object.entries(events).map(([name, event]) => [`\`${name}\``, event.level, event.meaning]),
  );
}
