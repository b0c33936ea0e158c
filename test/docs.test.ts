import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { options } from '../src/options.ts';
import { version } from '../src/version.ts';
import { readme, rewritten, root } from './docs/sections.ts';

test('the tables of the README are those of the code (npm run docs writes them)', () => {
  assert.is(rewritten(readme()), readme());
});

test('the version of the program is that of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.is(version, manifest.version);
});

test('every option has a variable of its own', () => {
  const variables = Object.values(options).map((option) => option.env);
  assert.is(new Set(variables).size, variables.length);
  for (const variable of variables) assert.match(variable, /^PODSECRETS_[A-Z_]+$/);
});

test('the README names the two commands of a fresh machine', () => {
  assert.match(readme(), 'npm ci && npm run demo');
  assert.match(readme(), 'npm ci && npm test');
});

test.run();
