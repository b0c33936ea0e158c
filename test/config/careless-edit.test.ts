import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { carelessEdit } from '../../src/config/careless-edit.ts';
import type { Plan } from '../../src/config/plan.ts';
import { config, parse } from '../support/config.ts';

const test = suite('an edit that removes files by accident');

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

for (const [what, objects, removed, unread] of [
  [
    'a dash that is gone, so that one object writes over the other',
    before.replace('- objectName: b', '  objectName: b'),
    'a',
    /objects\.objectName: expected the key once/,
  ],
  [
    'a "---" in the middle',
    before.replace('  - objectName: b', '  ---\n  - objectName: b'),
    'b',
    /more than one YAML document/,
  ],
  ['a misspelt jmesPath', before.replace('jmesPath', 'jmesPaht'), 'user', /got "jmesPaht"/],
] as const) {
  test(`${what} is not taken`, async () => {
    const problem = carelessEdit(await planOf(before), await planOf(objects));
    assert.is(problem?.code, 'config.objects');
    assert.match(problem?.message ?? '', `would remove ${removed} while`);
    assert.match(problem?.message ?? '', unread);
  });
}

test('a "---" at the margin, which ends the document itself, is not taken', async () => {
  const { plan } = await parse(config(before).replace(/( *- objectName: b)/, '---\n$1'));
  const problem = carelessEdit(await planOf(before), plan as Plan);
  assert.match(problem?.message ?? '', /would remove b while .*expected one document, got more/);
});

test('what was not read before does not stand in the way of an edit', async () => {
  const noted = `${before}    note: x\n`;
  const shorter = '- {objectName: b, objectType: secretsmanager, note: x}';
  assert.is(carelessEdit(await planOf(noted), await planOf(shorter)), undefined);
});

test('an edit that is read to its end may remove what it likes, and one that removes nothing may be careless', async () => {
  assert.is(
    carelessEdit(await planOf(before), await planOf('- {objectName: c, objectType: secretsmanager}')),
    undefined,
  );
  assert.is(carelessEdit(await planOf(before), await planOf(`${before}    note: x\n`)), undefined);
});

test('many files are told by the first few', async () => {
  const many = Array.from({ length: 9 }, (_, at) => `- {objectName: n${at}, objectType: secretsmanager}`);
  const problem = carelessEdit(await planOf(many.join('\n')), await planOf(`${many[8]}\n---\n${many[0]}`));
  assert.match(problem?.message ?? '', 'would remove n0, n1, n2, n3, n4, … while');
});

test.run();
