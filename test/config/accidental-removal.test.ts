import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { accidentalRemoval } from '../../src/config/accidental-removal.ts';
import type { Plan } from '../../src/config/plan.ts';
import { config, parse } from '../support/config.ts';

const test = suite('accidental removals');

const planOf = async (objects: string): Promise<Plan> => {
  const { plan, problems } = await parse(config(objects));
  assert.equal(problems, []);
  return plan as Plan;
};

const before = `
  - objectName: a
    objectType: secretsmanager
    jmesPath: [{path: user, objectAlias: user}]
  - objectName: b
    objectType: secretsmanager
`;

for (const [what, objects, removed, ignored] of [
  [
    'a dash that is gone, so that one object writes over the other',
    before.replace('- objectName: b', '  objectName: b'),
    'a',
    /objects\.objectName: the key is repeated/,
  ],
  [
    'a "---" in the middle',
    before.replace('  - objectName: b', '  ---\n  - objectName: b'),
    'b',
    /more than one YAML document/,
  ],
  ['a misspelt jmesPath', before.replace('jmesPath', 'jmesPaht'), 'user', /got "jmesPaht"/],
] as const) {
  test(`rejects ${what}`, async () => {
    const problem = accidentalRemoval(await planOf(before), await planOf(objects));
    assert.is(problem?.code, 'config.objects');
    assert.match(problem?.message ?? '', `would remove ${removed},`);
    assert.match(problem?.message ?? '', ignored);
  });
}

test('rejects a "---" at column 1, which ends the class', async () => {
  const { plan } = await parse(config(before).replace(/( *- objectName: b)/, '---\n$1'));
  const problem = accidentalRemoval(await planOf(before), plan as Plan);
  assert.match(
    problem?.message ?? '',
    /would remove b, .*expected Kubernetes objects next to the SecretProviderClass/,
  );
});

test('rejects a misspelt env, which drops a variable', async () => {
  const withEnv = '- {objectName: a, objectType: secretsmanager, env: A}';
  const pattern = '- {objectName: a, objectType: secretsmanager, expand: true, env: "A_*"}';
  for (const [text, name] of [
    [withEnv, 'A'],
    [pattern, 'A_\\*'],
  ] as const) {
    const problem = accidentalRemoval(await planOf(text), await planOf(text.replace('env', 'evn')));
    assert.match(problem?.message ?? '', new RegExp(`would remove variable ${name}, .*got "evn"`));
  }
  assert.is(
    accidentalRemoval(await planOf(withEnv), await planOf(withEnv.replace(', env: A', ''))),
    undefined,
  );
});

test('a part that was ignored before does not block an edit', async () => {
  const noted = `${before}    note: x\n`;
  const shorter = '- {objectName: b, objectType: secretsmanager, note: x}';
  assert.is(accidentalRemoval(await planOf(noted), await planOf(shorter)), undefined);
});

test('an edit without ignored parts may remove files, and one that removes none may have ignored parts', async () => {
  assert.is(
    accidentalRemoval(await planOf(before), await planOf('- {objectName: c, objectType: secretsmanager}')),
    undefined,
  );
  assert.is(accidentalRemoval(await planOf(before), await planOf(`${before}    note: x\n`)), undefined);
});

test('names the first files of many', async () => {
  const many = Array.from({ length: 9 }, (_, at) => `- {objectName: n${at}, objectType: secretsmanager}`);
  const problem = accidentalRemoval(
    await planOf(many.join('\n')),
    await planOf(`${many[8]}\n---\n${many[0]}`),
  );
  assert.match(problem?.message ?? '', 'would remove n0, n1, n2, n3, n4, …,');
});

test.run();
