import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeChunks } from '../../src/build/chunks.ts';
import { optimizationNames, readOptimizations } from '../../src/build/optimizations.ts';
import { scratch } from '../support/scratch.ts';

const modules = new Map(['main.js', 'a.js', 'b.js', 'c.js', 'd.js'].map((name) => [name, `'${name}'`]));

test('groups modules that the same runs need into one chunk, and puts a module that no run needs into its own', () => {
  const directory = join(scratch(), 'chunks');
  const needed = { secrets: ['main.js', 'a.js', 'b.js'], parameters: ['main.js', 'a.js', 'c.js'] };
  writeChunks(modules, needed, directory);
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  assert.equal(JSON.parse(read('chunks.json')), {
    './main.js': 'secrets+parameters',
    './a.js': 'secrets+parameters',
    './b.js': 'secrets',
    './c.js': 'parameters',
    './d.js': 'd.js',
  });
  assert.is(read('secrets+parameters'), `({"./main.js": 'main.js',\n"./a.js": 'a.js'})`);
});

test('loads one chunk for every command that publishes, one more for a sidecar, and two more for an init', () => {
  const bundle = join(import.meta.dirname, '../../dist/bundle.json');
  const chunks = Object.values(JSON.parse(readFileSync(bundle, 'utf8')).chunks as Record<string, string>);
  assert.equal([...new Set(chunks.filter((chunk) => !chunk.endsWith('.js')))].sort(), [
    'parameters',
    'secrets',
    'secrets+parameters',
    'sidecar',
    'sidecar+secrets+parameters',
  ]);
});

test('rejects an unknown optimization', () => {
  assert.equal([...readOptimizations('chunks,crc32')], ['chunks', 'crc32']);
  assert.equal([...readOptimizations('')], []);
  assert.throws(
    () => readOptimizations('chunk'),
    `expected some of ${optimizationNames.join(', ')}, got chunk`,
  );
});

test.run();
