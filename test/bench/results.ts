/** The results of a run: written to a file, from which the pages are generated, and compared with the budget. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { type Figure, type Results, shown } from './figures.ts';
import { twoCores } from './place.ts';

const file = (name: string): string => join(import.meta.dirname, name);

/** Writes results.json, and the pages. */
export function writeResults({ figures, points }: Pick<Results, 'figures' | 'points'>): void {
  const results: Results = {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores${twoCores ? ', pinned' : ''}, Linux ${release()}`,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    figures,
    points,
  };
  writeFileSync(file('results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  execFileSync(process.execPath, ['--no-warnings', file('../docs/write.ts')], { stdio: 'inherit' });
}

/** A line for each figure that exceeds its budget by more than its noise. */
export function overBudget(figures: readonly Figure[]): readonly string[] {
  const budget = JSON.parse(readFileSync(file('budget.json'), 'utf8')) as Readonly<Record<string, number>>;
  return figures.flatMap(({ name, value, noise, unit }) => {
    const most = budget[name];
    return most === undefined || value <= most * (1 + noise)
      ? []
      : [`${name}: ${shown(value, unit)}, budget ${shown(most, unit)}`];
  });
}
