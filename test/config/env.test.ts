/** `env`, `envCase` and `envFile`: names, patterns, the file, and invalid values. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config, files, parse, problems, reads, warnings } from '../support/config.ts';

const FILE = { envFile: 'app.env' };
const object = (keys: string) => `- {objectName: db, objectType: secretsmanager, ${keys}}`;

test('objects, jmesPath entries and patterns set variables, and envFile is published with the other files', async () => {
  const { plan, ...parsed } = await parse(
    config(
      `
      - {objectName: a, objectType: secretsmanager, env: A}
      - {objectName: b, objectType: secretsmanager, jmesPath: [{path: x, objectAlias: x, env: B_X}]}
      - {objectName: c, objectType: secretsmanager, expand: true, env: "C_*", envCase: upper}`,
      FILE,
    ),
  );
  assert.equal([...parsed.problems, ...parsed.warnings], []);
  assert.equal(
    plan?.objects.flatMap(({ outputs }) => outputs.map(({ env }) => env)),
    ['A', undefined, 'B_X', { prefix: 'C_', upper: true }],
  );
  assert.equal(plan?.envFile, { path: 'app.env', mode: 0o644 });
});

test('env and envFile change neither the other files nor the refs', async () => {
  const plain = '- {objectName: b, objectType: secretsmanager, jmesPath: [{path: x, objectAlias: x}]}';
  const extended =
    '- {objectName: b, objectType: secretsmanager, env: B, envCase: keep, jmesPath: [{path: x, objectAlias: x, env: X}]}';
  const [without, withKeys] = [await parse(config(plain)), await parse(config(extended, FILE))];
  assert.equal(
    withKeys.plan?.objects.flatMap(({ outputs }) => outputs.map(({ kind }) => kind)),
    without.plan?.objects.flatMap(({ outputs }) => outputs.map(({ kind }) => kind)),
  );
  assert.equal(reads(withKeys), reads(without));
  assert.equal(
    files(withKeys).filter((file) => !file.startsWith('app.env')),
    files(without),
  );
});

for (const [what, keys, subject] of [
  ['a name with a hyphen', 'env: DB-PASSWORD', 'env'],
  ['a name that begins with a digit', 'env: 1A', 'env'],
  ['a name of 129 characters', `env: ${'A'.repeat(129)}`, 'env'],
  ['a pattern without expand', 'env: "A_*"', 'env'],
  ['a name with expand', 'expand: true, env: A', 'env'],
  ['a pattern with two stars', 'expand: true, env: "A_**"', 'env'],
  ['a pattern that does not end with the star', 'expand: true, env: "*_A"', 'env'],
  ['another case', 'expand: true, env: "A_*", envCase: lower', 'envCase'],
] as const) {
  test(`rejects ${what}`, async () => {
    assert.equal(problems(await parse(config(object(keys), FILE))), [
      `10 config.object objects[0].${subject}`,
    ]);
  });
}

test('two sources for one name are an error with both places', async () => {
  const parsed = await parse(
    config(
      `
      - {objectName: a, objectType: secretsmanager, env: A}
      - {objectName: b, objectType: secretsmanager, env: A}`,
      FILE,
    ),
  );
  assert.equal(problems(parsed), ['11 config.object objects[1].env']);
  assert.match(parsed.problems[0]?.message ?? '', 'objects[0].env in line 10');
});

test('a name that changes how programs run is a warning when it is written out', async () => {
  for (const name of ['PATH', 'LD_PRELOAD', 'NODE_OPTIONS', 'AWS_PROFILE'])
    assert.equal(warnings(await parse(config(object(`env: ${name}`), FILE))), [
      '10 config.object objects[0].env',
    ]);
});

test('without envFile one warning names exec, which alone sets the variables; envFile without env is one too', async () => {
  const two = `${object('env: A')}\n${object('env: B, objectAlias: b')}`;
  assert.equal(warnings(await parse(config(two))), ['9 config.parameter parameters.envFile']);
  assert.equal(warnings(await parse(config(two), { forExec: true })), []);
  assert.equal(warnings(await parse(config(object('optional: false'), FILE))), [
    '- config.parameter parameters.envFile',
  ]);
});

test('envFile is a path like an alias: translated, below the directory, of no other file', async () => {
  const of = async (envFile: string, keys = 'env: A') => parse(config(object(keys), { envFile }));
  assert.is((await of('a/app.env')).plan?.envFile?.path, 'a_app.env');
  assert.equal(problems(await of('..')), ['8 config.path parameters.envFile']);
  assert.equal(problems(await of('db')), ['8 config.duplicate parameters.envFile']);
});

test.run();
