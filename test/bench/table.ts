/** The results of the last bench as the pages show them: a price, a table and a chart. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../docs/markdown.ts';
import { recordedStartTimes } from '../node/recorded-start-times.ts';
import { drawStarts } from './chart.ts';
import { type Results, shown, shownNoise } from './figures.ts';

/** Starts without a budget are left to the chart. */
export function benchTable(): string {
  const { machine, node, date, figures } = results();
  const budget = recorded('budget.json') as Readonly<Record<string, number>>;
  const rows = figures
    .filter(({ name, unit }) => budget[name] !== undefined || unit !== '×' || name.startsWith('Go '))
    .map((figure) => [
      figure.name,
      shown(figure.value, figure.unit),
      shownNoise(figure),
      budget[figure.name] === undefined ? '' : shown(budget[figure.name] ?? 0, figure.unit),
    ]);
  return `${table(['figure', 'measured', 'noise', 'budget'], rows)}\n\n${machine}; Node ${node}; ${date}.`;
}

/** What a pod pays, for the top of the README; a figure that was not measured is left out. */
export function benchPrice(): string {
  const { figures, points } = results();
  const start = points.find(
    ({ program, secrets, latency }) => program === 'podsecrets' && secrets === 1 && latency === 0,
  );
  const clause = (name: string, words: (value: string) => string): string[] => {
    const found = figures.find((figure) => figure.name === name);
    return found === undefined ? [] : [words(found.value.toFixed(0))];
  };
  const pod = recordedStartTimes();
  const seconds = (form: string) => `${pod[form]?.toFixed(1)} s`;
  return table(
    ['a pod pays', 'measured by [`npm run bench`](examples/reference/cost-and-speed.md#size-and-speed)'],
    [
      [
        'cold start of `init`',
        `${start?.ms.toFixed(0)} ms (${start?.ratio.toFixed(1)} times the start of an empty Node program) plus the time that AWS takes`,
      ],
      [
        "pod creation to the application's first line",
        `${seconds('podsecrets sidecar')} with a sidecar, ${seconds('without podsecrets')} without podsecrets (\`npm run test:node -- start-times\`)`,
      ],
      [
        'memory, image',
        [
          ...clause(
            'private memory of one more sidecar',
            (value) => `${value} MiB for each further sidecar on a node`,
          ),
          ...clause('PSS of a sidecar alone', (value) => `${value} MiB for a single one, as on Fargate`),
          ...clause('image, compressed', (value) => `${value} MB of compressed image`),
        ].join('; '),
      ],
    ],
  );
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
