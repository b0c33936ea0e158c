/** The pages that have generated sections, each between two markers that name it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchPrice, benchTable } from '../bench/table.ts';
import { podSpec, secretProviderClass } from './pod-spec.ts';
import { eventsTable, exitCodesTable, imageCommands, metricsTable, optionsTable } from './sections.ts';
import { troubleshooting } from './troubleshooting.ts';

export const root = join(import.meta.dirname, '../..');

interface Section {
  /** Path from the root. */
  readonly page: string;
  readonly write: () => string;
}

/** Every section by the name in its markers. */
export const sections = {
  class: { page: 'README.md', write: secretProviderClass },
  'pod-spec': { page: 'README.md', write: podSpec },
  price: { page: 'README.md', write: benchPrice },
  image: { page: 'examples/README.md', write: imageCommands },
  options: { page: 'examples/reference/options.md', write: optionsTable },
  'exit-codes': { page: 'examples/reference/errors.md', write: exitCodesTable },
  'problem-codes': { page: 'examples/reference/errors.md', write: troubleshooting },
  metrics: { page: 'examples/reference/http.md', write: metricsTable },
  events: { page: 'examples/reference/log.md', write: eventsTable },
  bench: { page: 'examples/reference/cost-and-speed.md', write: benchTable },
} as const satisfies Record<string, Section>;

export type SectionName = keyof typeof sections;

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** What is between the markers of a section now. */
export function sectionText(name: SectionName): string {
  const text = readPage(sections[name].page);
  return text.slice(...bounds(text, name));
}

/** Writes every section again, in its page. */
export function writePages(): void {
  for (const [name, { page, write }] of Object.entries(sections)) {
    const text = readPage(page);
    const [from, to] = bounds(text, name);
    writeFileSync(join(root, page), `${text.slice(0, from)}${write()}${text.slice(to)}`);
  }
}

/** Throws when a marker is missing or has no partner. */
function bounds(text: string, name: string): [number, number] {
  const [open, close] = [`<!-- ${name}: written by npm run docs -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from === -1 || to < from) throw new Error(`no markers of the section ${name}`);
  return [from + open.length, to];
}
