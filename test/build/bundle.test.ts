import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle } from '../../src/build/bundle.ts';
import { optimizationNames } from '../../src/build/optimizations.ts';

test('bundles the program without any optimization', async () => {
  const entry = join(import.meta.dirname, '../../src/main.ts');
  const { modules } = await bundle(entry, { without: new Set(optimizationNames) });
  assert.ok(modules.has('main.js'));
});

test.run();
