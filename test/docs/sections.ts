/**
 * The parts of the README that are made from tables in the code: each a name, as the README's markers have it, and its text.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { events } from '../../src/core/events.ts';
import { exitCodes } from '../../src/core/problem.ts';
import { metrics } from '../../src/core/status/metrics.ts';
import { flagOf, type Option, optionEntries } from '../../src/options.ts';
import { benchTable } from '../bench/table.ts';

export const root = join(import.meta.dirname, '..', '..');

/** Name of a section to the function that writes it. */
export const sections: Readonly<Record<string, () => string>> = {
  'pod-spec': podSpec,
  options: optionsTable,
  'exit-codes': exitCodesTable,
  metrics: metricsTable,
  events: eventsTable,
  bench: benchTable,
};

/** The text with every section written anew between its markers. Throws when a marker is missing or stands alone. */
export function rewritten(text: string): string {
  return Object.entries(sections).reduce((page, [name, write]) => {
    const [open, close] = [`<!-- ${name}: written by npm run docs -->`, `<!-- /${name} -->`];
    const [from, to] = [page.indexOf(open), page.indexOf(close)];
    if (from === -1 || to < from) throw new Error(`README.md: expected the markers of the section ${name}`);
    return `${page.slice(0, from + open.length)}\n${write()}\n${page.slice(to)}`;
  }, text);
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
    `\`${flagOf(name)}${option.value === undefined ? '' : ` ${option.value}`}\`${option.alias === undefined ? '' : `, \`-${option.alias}\``}`,
    `\`${option.env}\``,
    option.default === undefined ? '' : `\`${option.default}\``,
    [
      meaning(option),
      ...Object.entries(option.per ?? {}).map(([command, row]) => `${command}: ${meaning(row)}`),
    ].join('; '),
    option.commands.join(', '),
  ]);
  return table(['flag', 'variable', 'default', 'meaning', 'commands'], rows);
}

function meaning({ help, choices = [] }: Pick<Option, 'help' | 'choices'>): string {
  return choices.length === 0 ? help : `${help} (${choices.map((choice) => `\`${choice}\``).join(', ')})`;
}

function exitCodesTable(): string {
  return table(
    ['code', 'meaning'],
    Object.entries(exitCodes).map(([name, code]) => [
      `${code}`,
      exitCodeMeanings[name as keyof typeof exitCodes],
    ]),
  );
}

const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done',
  bug: 'a bug of podsecrets: please report the last line',
  usage: 'the command line or a variable is wrong',
  config: 'the SecretProviderClass is wrong; every problem is listed',
  credentials: 'no credentials: the last line says which step failed',
  fetch: 'a value could not be read; the last line names the object, the AWS code and the missing IAM action',
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
