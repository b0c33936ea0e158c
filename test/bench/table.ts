/** The results of the last bench as the pages show them: a sentence, a table and a chart. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../docs/markdown.ts';
import { drawStarts } from './chart.ts';
import { type Results, shown } from './figures.ts';

/** Starts without a budget are only in the chart. */
export function benchTable(): string {
  const { machine, node, date, figures } = results();
  const budget = recorded('budget.json') as Readonly<Record<string, number>>;
  const rows = figures
    .filter(({ name, unit }) => budget[name] !== undefined || unit !== '×' || name.startsWith('Go '))
    .map(({ name, unit, value }) => [
      name,
      shown(value, unit),
      budget[name] === undefined ? '' : shown(budget[name], unit),
    ]);
  return `${table(['figure', 'measured', 'budget'], rows)}\n\n${machine}; Node ${node}; ${date}.`;
}

/** The cost for a pod, as a sentence for the README; a figure that was not measured is left out. */
export function benchPrice(): string {
  const { figures, points } = results();
  const start = points.find(
    ({ program, secrets, latency }) => program === 'podsecrets' && secrets === 1 && latency === 0,
  );
  const clause = (name: string, words: (value: string) => string): string[] => {
    const found = figures.find((figure) => figure.name === name);
    return found === undefined ? [] : [words(found.value.toFixed(0))];
  };
  return [
    `Cold start: ${start?.ms.toFixed(0)} ms (${start?.ratio.toFixed(1)} times the start of an empty Node program) plus the time that AWS takes`,
    ...clause(
      'private memory of one more sidecar',
      (value) => `${value} MiB of memory for each further sidecar on a node`,
    ),
    ...clause('PSS of a sidecar alone', (value) => `${value} MiB for a single one, as on Fargate`),
    ...clause('image, compressed', (value) => `image: ${value} MB`),
    'measured by [`npm run bench`](examples/reference/cost-and-speed.md#size-and-speed).',
  ].join('; ');
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
