/** Each target with its corpus and some changed inputs; `npm run fuzz` runs many more. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { corpusOf, fuzz, type Target } from './fuzz.ts';
import { targets } from './targets.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20261130);
const test = suite(`fuzz targets (FUZZ_SEED=${seed})`);
test.after(async () => {
  for (const { close } of targets) await close?.();
});

for (const target of targets) {
  test(`${target.name}: every input has an outcome`, async () => {
    const { finding, outcomes } = await fuzz(target, { seed, executions: 15 * target.share });
    assert.is(finding, undefined, `${JSON.stringify(finding?.input)}: ${(finding?.error as Error)?.stack}`);
    assert.ok(outcomes.size > 2, [...outcomes.keys()].join('\n'));
  });
}

test('finds a fault that only changed inputs have', async () => {
  const target: Target = {
    name: 'hook-output',
    dictionary: ['{raw}'],
    async execute(input) {
      if (/^.{3}\{raw/.test(input)) throw new Error('the fault');
      return String(input.length % 10);
    },
  };
  const first = await fuzz(target, { seed, executions: 20_000 });
  assert.match((first.finding?.error as Error | undefined)?.message ?? '', 'the fault');
  const second = await fuzz(target, { seed, executions: 20_000 });
  assert.is(second.finding?.input, first.finding?.input);
});

test('finds a fault next to a saved input, however many other inputs have a new outcome', async () => {
  const saved = corpusOf({ name: 'hook-output', dictionary: [], execute: async () => '' });
  const target: Target = {
    name: 'hook-output',
    dictionary: ['<fault>'],
    async execute(input) {
      if (saved.some((one) => input.replace('<fault>', '') === one && input !== one))
        throw new Error('the fault');
      return input;
    },
  };
  const { finding } = await fuzz(target, { seed, executions: 2000 });
  assert.match((finding?.error as Error | undefined)?.message ?? '', 'the fault');
});

test.run();
