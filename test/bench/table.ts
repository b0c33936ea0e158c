/** The results of the last bench as the README shows them: a table and a chart. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../docs/sections.ts';
import { drawStarts } from './chart.ts';
import { type Results, shown } from './figures.ts';

export function benchTable(): string {
  const { machine, node, date, figures } = results();
  const budget = recorded('budget.json') as Readonly<Record<string, number>>;
  const rows = figures.map(({ name, unit, value }) => [
    name,
    shown(value, unit),
    budget[name] === undefined ? '' : shown(budget[name], unit),
  ]);
  return `${table(['figure', 'measured', 'budget'], rows)}\n\n${machine}; Node ${node}; ${date}.`;
}

export function benchChart(): string {
  return drawStarts(results());
}

function results(): Results {
  return recorded('results.json') as Results;
}

function recorded(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));
}
