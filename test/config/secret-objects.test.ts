/** `secretObjects`: valid entries, and mistakes, which are errors only with --sync-secrets. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config, parse, problems, warnings } from '../support/config.ts';

const objects = `
  - {objectName: db, objectType: secretsmanager, jmesPath: [{path: user, objectAlias: user}]}
  - {objectName: a/b, objectType: secretsmanager}
  - {objectName: e, objectType: secretsmanager, expand: true, objectAlias: dir}`;

/** A config with these secretObjects, which begin in line 6. */
function withSecrets(secretObjects: string, made = objects): string {
  const block = secretObjects
    .trim()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  return config(made).replace('  provider: aws\n', `  provider: aws\n  secretObjects:\n${block}\n`);
}

test('accepts names of files with their directories, and of files that expand may create', async () => {
  const { plan, warnings: warned } = await parse(
    withSecrets(`
- secretName: " app "
  type: Opaque
  labels: {app: demo, version: 1.10}
  annotations: {note: "yes"}
  data:
    - {objectName: db, key: whole}
    - {objectName: user, key: user}
    - {objectName: a_b, key: translated}
    - {objectName: dir/any, key: expanded}`),
    { syncSecrets: true },
  );
  assert.equal(warned, []);
  assert.equal(plan?.secretObjects, [
    {
      subject: 'secretObjects[0]',
      line: 7,
      secretName: 'app',
      type: 'Opaque',
      labels: { app: 'demo', version: '1.10' },
      annotations: { note: 'yes' },
      data: [
        { objectName: 'db', key: 'whole' },
        { objectName: 'user', key: 'user' },
        { objectName: 'a_b', key: 'translated' },
        { objectName: 'dir/any', key: 'expanded' },
      ],
    },
  ]);
});

for (const [what, entry, expected] of [
  ['no secretName', '- {type: Opaque, data: [{objectName: db, key: k}]}', ['.secretName']],
  ['no type', '- {secretName: s, data: [{objectName: db, key: k}]}', ['.type']],
  ['no data', '- {secretName: s, type: Opaque}', ['.data']],
  [
    'blank text',
    '- {secretName: " ", type: " ", data: [{objectName: " ", key: " "}]}',
    ['.secretName', '.type', '.data[0]', '.data[0]'],
  ],
  [
    'a file that none makes',
    '- {secretName: s, type: Opaque, data: [{objectName: a/b, key: k}]}',
    ['.data[0].objectName'],
  ],
  [
    'a directory',
    '- {secretName: s, type: Opaque, data: [{objectName: dir/x/y, key: k}]}',
    ['.data[0].objectName'],
  ],
  [
    'one key twice',
    '- {secretName: s, type: Opaque, data: [{objectName: db, key: k}, {objectName: user, key: k}]}',
    ['.data[1].key'],
  ],
  [
    'a name that Kubernetes rejects',
    '- {secretName: My_Secret, type: Opaque, data: [{objectName: db, key: k}]}',
    ['.secretName'],
  ],
  ['text instead of a map', '- hello', ['']],
  ['an entry of data that is no map', '- {secretName: s, type: Opaque, data: [db]}', ['.data[0]']],
] as const) {
  test(`${what} is an error with --sync-secrets, and otherwise a warning`, async () => {
    const lines = expected.map((part) => `config.secretObjects secretObjects[0]${part}`);
    const unplaced = (found: readonly string[]) => found.map((line) => line.replace(/^\d+ /, ''));

    const applied = await parse(withSecrets(entry), { syncSecrets: true });
    assert.is(applied.plan, undefined);
    assert.equal(unplaced(problems(applied)), lines);

    const ignored = await parse(withSecrets(entry));
    assert.equal(unplaced(warnings(ignored)), lines);
    assert.equal(ignored.plan?.secretObjects, []);
  });
}

test('rejects two entries with the same secretName', async () => {
  const entry = '- {secretName: s, type: Opaque, data: [{objectName: db, key: k}]}';
  const parsed = await parse(withSecrets(`${entry}\n${entry}`), { syncSecrets: true });
  assert.equal(problems(parsed), ['8 config.secretObjects secretObjects[1].secretName']);
});

test('does not check file names if the objects have problems', async () => {
  const broken = '- {objectName: db, objectType: secretmanager}';
  const entry = '- {secretName: s, type: Opaque, data: [{objectName: db, key: k}]}';
  const parsed = await parse(withSecrets(entry, broken), { syncSecrets: true });
  assert.equal(
    parsed.problems.map(({ code }) => code),
    ['config.object'],
  );
});

test('accepts any file name if an object is expanded at the top', async () => {
  const expanded = '- {objectName: db, objectType: secretsmanager, expand: true}';
  const entry = '- {secretName: s, type: Opaque, data: [{objectName: any, key: k}]}';
  assert.equal(problems(await parse(withSecrets(entry, expanded), { syncSecrets: true })), []);
});

test.run();
