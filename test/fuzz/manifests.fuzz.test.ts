/**
 * Any manifest is injected or refused with problems: never a crash, and what is injected can be injected again.
 *
 * Manifests of the examples with values, keys and lines of other kinds in random places. The seed is fixed; FUZZ_SEED and
 * FUZZ_RUNS go further.
 */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertInjected, manifests } from './sound-manifests.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20261130);
const runs = Number(process.env.FUZZ_RUNS ?? 1);
process.stdout.write(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs}\n`);

const hostile = fc.constantFrom(
  ...[
    'null',
    '[]',
    '{}',
    '""',
    '-1',
    '1e400',
    '~',
    '!!binary AAAA',
    '*none',
    '&a [*a]',
    '{<<: {a: b}}',
    '|',
    '\u0000',
  ],
  ...[
    '../../etc',
    '/',
    '/mnt/secrets-store',
    '"\\u202e"',
    '{__proto__: {a: 1}}',
    'podsecrets',
    '[[[[]]]]',
    '? a',
  ],
);

/** One line of the text gets another value, another key, another indent, or goes. */
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

test('any manifest is injected, and again, or refused with problems', async () => {
  assert.ok(manifests.length > 3);
  const texts = fc.tuple(fc.constantFrom(...manifests), fc.array(edit, { minLength: 1, maxLength: 4 }));
  const property = fc.asyncProperty(texts, async ([text, edits]) => {
    await assertInjected(edited(text, edits));
  });
  await fc.assert(property, { seed, numRuns: 300 * runs });
});

test.run();
