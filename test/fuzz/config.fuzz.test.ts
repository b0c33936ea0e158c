/**
 * Any text is a plan or a list of problems: never a crash, never a path outside of the directory, never an endless wait.
 *
 * The seed is fixed, so that a result depends on the code and not on chance; FUZZ_SEED and FUZZ_RUNS go further.
 */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config, parse } from '../support/config.ts';
import { assertSound } from './sound-config.ts';

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

const words = [
  ...[
    'objectName',
    'objectAlias',
    'objectType',
    'objectVersion',
    'objectVersionLabel',
    'filePermission',
    'jmesPath',
  ],
  ...[
    'path',
    'failoverObject',
    'optional',
    'expand',
    'decode',
    'secretsmanager',
    'ssmparameter',
    'base64',
    '0600',
  ],
  ...[
    'arn:aws:ssm:eu-west-1:1:parameter/a',
    'a/b',
    '..',
    '../x',
    '/',
    'null',
    '~',
    'yes',
    '0x1F',
    '1.10',
    '.inf',
    '.nan',
  ],
];
const marks = [
  ...[
    ':',
    ': ',
    '- ',
    '-',
    '? ',
    ', ',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '!!str ',
    '!!binary ',
    '<<: ',
    '|',
    '>',
    '"',
    "'",
  ],
  ...[
    '\n',
    '\n  ',
    '\n    ',
    '\n- ',
    '\t',
    ' #',
    '---\n',
    '...\n',
    '%',
    '@',
    '`',
    '\\',
    '\0',
    '\u0085',
    '\ufeff',
    '\r\n',
    '\ud800',
  ],
];
/** Text that looks enough like YAML to get far. */
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom(...marks),
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

test('accepts or rejects any text without an exception', () =>
  check(400, fc.string({ maxLength: 200, unit: 'binary' }), async (text) =>
    assertSound(text, await parse(text)),
  ));

test('text that looks like YAML', () =>
  check(1000, soup, async (text) => assertSound(text, await parse(text))));

test('text that looks like YAML in objects', () =>
  check(1000, soup, async (text) => {
    const whole = config('- {}').replace(/objects: \|[\s\S]*/, `objects: ${JSON.stringify(text)}\n`);
    assertSound(whole, await parse(whole));
  }));

test('a valid config with one part changed', () => {
  const good = config(`
    - objectName: db
      objectType: secretsmanager
      jmesPath: [{path: user, objectAlias: user}]
    - objectName: /a/b
      objectType: ssmparameter`);
  const change = fc.record({
    at: fc.nat(good.length),
    drop: fc.nat(5),
    put: fc.constantFrom(...marks, ...words),
  });
  return check(1000, change, async ({ at, drop, put }) => {
    const text = good.slice(0, at) + put + good.slice(at + drop);
    assertSound(text, await parse(text));
  });
});

/** Nothing but names, so that most of them can be planned. */
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
  test(`${what}: planned paths are inside of the directory and distinct`, async () => {
    let planned = 0;
    const drawn = fc.record({ entries: fc.array(one, { minLength: 1, maxLength: 3 }), translation });
    await check(1000, drawn, async ({ entries, translation: pathTranslation }) => {
      const text = config(entries.map((each) => `- ${JSON.stringify(each)}`).join('\n'), {
        pathTranslation: JSON.stringify(pathTranslation),
        failoverRegion: 'eu-central-1',
      });
      const parsed = await parse(text);
      assertSound(text, parsed);
      if (parsed.plan !== undefined) planned++;
    });
    assert.ok(planned >= wanted * runs, `only ${planned} plans: the names are too random for this test`);
  });
}

test('the same text gives the same result', () =>
  check(200, soup, async (text) => {
    const whole = config(text || '[]');
    assert.equal(JSON.stringify(await parse(whole)), JSON.stringify(await parse(whole)));
  }));

test('a character repeated 10,000 times costs time proportional to its length', async () => {
  for (const mark of [
    ...marks,
    ...words.slice(0, 3),
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
      assertSound(text, await parse(text));
  }
});

test.run();
