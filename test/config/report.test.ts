/** The output of `check`: the JSON next to each config in test/fixtures/configs, and text for people. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Checked, checkReport, checkText } from '../../src/config/report.ts';
import { Problem } from '../../src/core/problem.ts';
import { config, parse } from '../support/config.ts';

const fixtures = join(import.meta.dirname, '../fixtures/configs');

async function checked(...texts: readonly string[]): Promise<Checked> {
  const parsed = await Promise.all(texts.map((text, n) => parse(text, { file: `config-${n}.yaml` })));
  return {
    configs: parsed.flatMap(({ plan }, n) => (plan === undefined ? [] : [{ plan, directory: `/mnt/${n}` }])),
    problems: parsed.flatMap(({ problems }) => problems),
    warnings: parsed.flatMap(({ warnings }) => warnings),
  };
}

for (const file of globSync('*.yaml', { cwd: fixtures }).sort()) {
  test(`${file} gives the expected report`, async () => {
    const read = (name: string) => readFileSync(join(fixtures, name), 'utf8');
    const report = checkReport(await checked(read(file)));
    assert.equal(report, JSON.parse(read(file.replace('.yaml', '.json'))));
  });
}

test('the report has the keys of the interface and no others', async () => {
  const good = await checked(config('- {objectName: a, objectType: ssmparameter, objectVersion: 3, x: y}'));
  assert.equal(checkReport(good), {
    ok: true,
    files: [{ path: 'a', mode: '0644', object: 'a', service: 'ssmparameter', source: 'whole' }],
    reads: [{ service: 'ssmparameter', region: 'eu-west-1', id: 'a', version: '3' }],
    warnings: [
      {
        code: 'config.unknownKey',
        subject: 'objects[0]',
        line: 9,
        message: 'expected a known key, got "x"',
        remedy: 'Remove it: it is ignored.',
      },
    ],
  });
  assert.equal(checkReport(await checked(config('- {objectName: a}'))), {
    ok: false,
    problems: [
      {
        code: 'config.object',
        subject: 'objects[0].objectName',
        line: 9,
        message: 'expected objectType for a name that is not an ARN, got none',
        remedy: 'Write objectType: "secretsmanager" or "ssmparameter".',
      },
    ],
  });
});

test('with several configs each file has its directory, and equal refs are listed once', async () => {
  const text = config('- {objectName: a, objectType: ssmparameter}');
  const report = checkReport(await checked(text, text));
  assert.ok(report.ok);
  if (!report.ok) return;
  assert.equal(
    report.files.map(({ directory, path }) => `${directory}/${path}`),
    ['/mnt/0/a', '/mnt/1/a'],
  );
  assert.is(report.reads.length, 1);
});

test('with several configs each problem has its file', async () => {
  const good = config('- {objectName: a, objectType: ssmparameter}');
  const report = checkReport(await checked(good, config('- {objectName: a}')));
  assert.equal(!report.ok && report.problems.map(({ file, line }) => `${file}:${line}`), ['config-1.yaml:9']);
});

test('omits file and line of a problem without them', () => {
  const problem = new Problem({ code: 'usage.value', subject: '--mode', message: 'm', remedy: 'r' });
  assert.equal(checkReport({ configs: [], problems: [problem], warnings: [] }), {
    ok: false,
    problems: [{ code: 'usage.value', subject: '--mode', message: 'm', remedy: 'r' }],
  });
});

test('prints a plan as tables of files, API reads and variables', async () => {
  const text = config(
    '- {objectName: a/b, objectType: secretsmanager, filePermission: "0400", jmesPath: [{path: user, objectAlias: u}]}',
    { failoverRegion: 'eu-central-1' },
  );
  assert.is(
    checkText(await checked(text)),
    `config-0.yaml (demo) publishes to /mnt/0

FILE  MODE  OBJECT  SERVICE         SOURCE
a_b   0400  a/b     secretsmanager  full value
u     0400  a/b     secretsmanager  user

API READS       REGION        NAME  VERSION  STAGE OR LABEL
secretsmanager  eu-west-1     a/b
secretsmanager  eu-central-1  a/b
`,
  );
  const variables = config('- {objectName: a, objectType: ssmparameter, env: A}', { envFile: 'app.env' });
  assert.is(
    checkText(await checked(variables)),
    `config-0.yaml (demo) publishes to /mnt/0

FILE     MODE  OBJECT  SERVICE       SOURCE
a        0644  a       ssmparameter  full value
app.env  0644                        env

API READS     REGION     NAME  VERSION  STAGE OR LABEL
ssmparameter  eu-west-1  a

VARIABLE  OBJECT  FILE
A         a       app.env
`,
  );
  const report = checkReport(await checked(variables));
  assert.equal(report.ok && report.variables, [{ name: 'A', object: 'a', file: 'app.env' }]);
});

test('prints warnings after the plan', async () => {
  const text = checkText(await checked(config('- {objectName: a, objectType: ssmparameter, b: c}')));
  assert.match(
    text,
    /\n\nwarning: objects\[0\] \(config-0.yaml:9\)\n {2}expected a known key, got "b"\.\n {2}Remove/,
  );
});

test('prints warnings after the problems, because a misspelt key explains a missing one', async () => {
  const text = checkText(await checked(config('- {objectNam: a, objectType: ssmparameter}')));
  assert.match(
    text,
    /Write objectName\. \[config.object\]\n\nwarning: .*\n.*"objectNam"\.\n {2}Write "objectName"/,
  );
  assert.match(text, /\n\n1 problem, 1 warning\.\n$/);
});

test('one config for two directories lists the files of each', async () => {
  const { configs, problems, warnings } = await checked(
    config('- {objectName: a, objectType: ssmparameter}'),
  );
  const twice = configs.flatMap((one) => [one, { ...one, directory: '/mnt/1' }]);
  const report = checkReport({ configs: twice, problems, warnings });
  assert.equal(report.ok && report.files.map(({ directory }) => directory), ['/mnt/0', '/mnt/1']);
});

test('prints each problem with its place, message and remedy', async () => {
  assert.is(
    checkText(await checked(config('- {objectName: a}\n- {objectType: ssmparameter}'))),
    `objects[0].objectName (config-0.yaml:9)
  expected objectType for a name that is not an ARN, got none.
  Write objectType: "secretsmanager" or "ssmparameter". [config.object]

objects[1].objectName (config-0.yaml:10)
  expected the name or ARN of a secret or parameter, got none.
  Write objectName. [config.object]

2 problems.
`,
  );
});

test('escapes control characters of a config', async () => {
  const objects = '- {objectName: "a\\e[31m\\nb", objectType: secretsmanager, "k\\e[0m": v}';
  for (const text of [config(objects), config(objects.replace('secretsmanager', 'x'))]) {
    assert.not.match(checkText(await checked(text)), /[\u0000-\u0009\u000b-\u001f\u007f]/);
  }
});

test.run();
