/** The results of the last bench as the README shows them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../docs/sections.ts';
import { type Results, shown } from './figures.ts';

export function benchTable(): string {
  const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as unknown;
  const { machine, node, date, figures } = read('results.json') as Results;
  const budget = read('budget.json') as Readonly<Record<string, number>>;
  const rows = figures.map(({ name, unit, value }) => [
    name,
    shown(value, unit),
    budget[name] === undefined ? '' : shown(budget[name], unit),
  ]);
  return `${table(['figure', 'measured', 'budget'], rows)}\n\n${machine}; Node ${node}; ${date}.`;
}
