import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { drawHerd } from './chart.ts';
import { computeStarts, type HerdResults } from './results.ts';
import { replaceTables } from './tables.ts';

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');
const results = JSON.parse(read('results.json')) as HerdResults;

test('the plot and the page are those of the results (npm run herd writes them)', () => {
  assert.is(read('starts.svg'), drawHerd(results));
  const page = read('../../examples/reference/herd.md');
  assert.is(replaceTables(page, results), page);
});

test('the results are those of the code (npm run herd computes them)', () => {
  const computed = JSON.parse(JSON.stringify(computeStarts([{ secrets: 20 }])));
  const committed = results.starts.filter(
    ({ secrets, parameters, quotas }) => secrets === 20 && parameters === 0 && quotas === 'default',
  );
  assert.equal(computed, committed);
});

test('with auto, 10,000 pods that start in one minute are as fast as with single calls, and no call is throttled', () => {
  const of = (reader: string) =>
    results.starts.find((row) => row.secrets === 20 && row.reader === reader)?.result;
  assert.equal(of('auto'), of('single'));
  assert.is(of('auto')?.throttled, 0);
  assert.ok((of('batch')?.throttled ?? 0) > 0);
});

test.run();
