/**
 * Any manifest is injected or rejected with problems: never a crash, and a second injection changes nothing.
 *
 * The manifests are those of the examples, with other values, keys and lines in random places. The seed is fixed; FUZZ_SEED and
 * FUZZ_RUNS set another seed and more runs.
 */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertInjected, manifests } from './manifest-invariants.ts';
import { yamlValues } from './words.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20261130);
const runs = Number(process.env.FUZZ_RUNS ?? 1);
process.stdout.write(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs}\n`);

const hostile = fc.constantFrom(...yamlValues, '|', '\u0000', 'podsecrets', '/mnt/secrets-store');

/** Changes the value, the key or the indent of one line, or removes or doubles the line. */
const edit = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('value', 'key', 'indent', 'remove', 'double'),
  with: hostile,
});

function edited(text: string, edits: readonly { at: number; kind: string; with: string }[]): string {
  const lines = text.split('\n');
  for (const { at, kind, with: replacement } of edits) {
    const index = at % lines.length;
    const line = lines[index] ?? '';
    if (kind === 'value') lines[index] = line.replace(/(:|-) .*$/, `$1 ${replacement}`);
    else if (kind === 'key') lines[index] = line.replace(/[\w.-]+:/, `${replacement}:`);
    else if (kind === 'indent') lines[index] = ` ${line}`;
    else if (kind === 'remove') lines.splice(index, 1);
    else lines.splice(index, 0, line);
  }
  return lines.join('\n');
}

test('any manifest is injected, and unchanged by a second injection, or rejected with problems', async () => {
  assert.ok(manifests.length > 3);
  const texts = fc.tuple(fc.constantFrom(...manifests), fc.array(edit, { minLength: 1, maxLength: 4 }));
  const property = fc.asyncProperty(texts, async ([text, edits]) => {
    await assertInjected(edited(text, edits));
  });
  await fc.assert(property, { seed, numRuns: 300 * runs });
});

test.run();
