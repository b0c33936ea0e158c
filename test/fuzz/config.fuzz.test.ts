/**
 * Any text is a plan or a list of problems: never a crash, never a path outside the directory, never an endless wait.
 *
 * The seed is fixed, so that a result depends on the code and not on chance; FUZZ_SEED and FUZZ_RUNS set another seed and more runs.
 */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config, parse } from '../support/config.ts';
import { assertConfig } from './config-invariants.ts';
import { configWords, yamlMarks, yamlValues } from './words.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20261125);
const runs = Number(process.env.FUZZ_RUNS ?? 1);
process.stdout.write(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs}\n`);

/** Runs an asynchronous property; the report of a failure names the seed and the smallest text that fails. */
function check<T>(
  times: number,
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, holds), { seed, numRuns: times * runs });
}

const words = [...configWords, ...yamlValues];
/** Text that resembles YAML, so that much of it gets past the lexer. */
const almostYaml = fc
  .array(
    fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom(...yamlMarks),
      fc.string({ maxLength: 4, unit: 'binary' }),
    ),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(''));

const name = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      'a',
      'b',
      'c',
      'a/b',
      'a/b/c',
      '/a',
      'a_b',
      'x/..',
      'a/../../b',
      '../..',
      '..data',
    ),
    weight: 6,
  },
  fc.constantFrom(...words),
  fc.string({ maxLength: 8, unit: 'binary' }),
  fc
    .array(fc.constantFrom('a', 'b', '..', '.', '/', '//', ':', '_', 'é'), { maxLength: 8 })
    .map((parts) => parts.join('')),
);
const entry = fc.record(
  {
    objectName: name,
    objectType: fc.constantFrom('secretsmanager', 'ssmparameter', 'ssmparameter', 'ssm'),
    objectAlias: name,
    objectVersion: name,
    objectVersionLabel: name,
    filePermission: fc.oneof(fc.constantFrom('0600', '0444'), name),
    jmesPath: fc.array(fc.record({ path: name, objectAlias: name }), { maxLength: 3 }),
    failoverObject: fc.record({ objectName: name, objectVersion: name }, { requiredKeys: [] }),
    optional: fc.boolean(),
    expand: fc.boolean(),
  },
  { requiredKeys: ['objectName', 'objectType'] },
);
const translation = fc.constantFrom('False', '_', '-', '/', '.', '');

test('any text is a plan or problems', () =>
  check(400, fc.string({ maxLength: 200, unit: 'binary' }), async (text) =>
    assertConfig(text, await parse(text)),
  ));

test('text that resembles YAML is a plan or problems', () =>
  check(1000, almostYaml, async (text) => assertConfig(text, await parse(text))));

test('text that resembles YAML in objects is a plan or problems', () =>
  check(1000, almostYaml, async (text) => {
    const whole = config('- {}').replace(/objects: \|[\s\S]*/, `objects: ${JSON.stringify(text)}\n`);
    assertConfig(whole, await parse(whole));
  }));

test('a valid config with one part changed is a plan or problems', () => {
  const good = config(`
    - objectName: db
      objectType: secretsmanager
      jmesPath: [{path: user, objectAlias: user}]
    - objectName: /a/b
      objectType: ssmparameter`);
  const change = fc.record({
    at: fc.nat(good.length),
    drop: fc.nat(5),
    put: fc.constantFrom(...yamlMarks, ...words),
  });
  return check(1000, change, async ({ at, drop, put }) => {
    const text = good.slice(0, at) + put + good.slice(at + drop);
    assertConfig(text, await parse(text));
  });
});

/** Only names vary, so that most of these objects are valid. */
const named = fc.record(
  {
    objectName: name,
    objectType: fc.constant('ssmparameter'),
    objectAlias: name,
    jmesPath: fc.array(fc.record({ path: fc.constant('a'), objectAlias: name }), { maxLength: 2 }),
    expand: fc.boolean(),
  },
  { requiredKeys: ['objectName', 'objectType'] },
);

for (const [what, one, wanted] of [
  ['any objects', entry, 5],
  ['objects with any names', named, 200],
] as const) {
  test(`${what}: planned paths are inside the directory and distinct`, async () => {
    let planned = 0;
    const drawn = fc.record({ entries: fc.array(one, { minLength: 1, maxLength: 3 }), translation });
    await check(1000, drawn, async ({ entries, translation: pathTranslation }) => {
      const text = config(entries.map((each) => `- ${JSON.stringify(each)}`).join('\n'), {
        pathTranslation: JSON.stringify(pathTranslation),
        failoverRegion: 'eu-central-1',
      });
      const parsed = await parse(text);
      assertConfig(text, parsed);
      if (parsed.plan !== undefined) planned++;
    });
    assert.ok(planned >= wanted * runs, `only ${planned} plans: the names are too random for this test`);
  });
}

test('the same text gives the same result', () =>
  check(200, almostYaml, async (text) => {
    const whole = config(text || '[]');
    assert.equal(JSON.stringify(await parse(whole)), JSON.stringify(await parse(whole)));
  }));

test('a sign repeated 10,000 times is a plan or problems, and exhausts neither the stack nor the memory', async () => {
  for (const mark of [
    ...yamlMarks,
    ...configWords.slice(0, 3),
    '[]',
    '{}',
    '{a: ',
    '[{',
    '- - ',
    '&a [',
    '*a, ',
    '!!str ',
    '"a\\n',
  ]) {
    const head = config('- {}').replace(/objects: \|[\s\S]*/, 'objects: ');
    for (const text of [mark.repeat(10_000), head + mark.repeat(10_000)])
      assertConfig(text, await parse(text));
  }
});

test.run();
