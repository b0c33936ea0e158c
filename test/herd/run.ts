/**
 * `npm run herd`: simulates 10,000 pods that start in one minute, refresh, or have no region for an hour. Writes
 * test/herd/results.json, and from it test/herd/starts.svg and the tables of examples/reference/herd.md. Takes a minute or two.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawHerd } from './chart.ts';
import { computeHerd } from './results.ts';
import { replaceTables } from './tables.ts';

const page = join(import.meta.dirname, '../../examples/reference/herd.md');
const results = computeHerd();
writeFileSync(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
writeFileSync(join(import.meta.dirname, 'starts.svg'), drawHerd(results));
writeFileSync(page, replaceTables(readFileSync(page, 'utf8'), results));
