import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle } from '../../src/build/bundle.ts';
import { optimizationNames } from '../../src/build/optimizations.ts';

const entry = join(import.meta.dirname, '../../src/main.ts');

for (const name of optimizationNames)
  test(`bundles the program without the optimization ${name}`, async () => {
    const { modules } = await bundle(entry, { without: new Set([name]) });
    assert.ok(modules.has('main.js'));
  });

test.run();
