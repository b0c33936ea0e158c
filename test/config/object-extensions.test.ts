/** The keys that the AWS provider ignores: optional, expand, decode. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkReport } from '../../src/config/report.ts';
import { config, files, parse, problems, warnings } from '../support/config.ts';

async function planned(objects: string, parameters = {}) {
  const { plan } = await parse(config(objects, parameters));
  assert.ok(plan);
  return plan.objects;
}

test('accepts optional, expand and decode in any case and in quotes', async () => {
  const [object] = await planned(
    '- {objectName: a, objectType: ssmparameter, Optional: "true", EXPAND: yes, Decode: base64}',
  );
  assert.is(object?.optional, true);
  assert.is(object?.decode, 'base64');
  assert.is(object?.outputs[0]?.kind, 'expand');
});

test('treats missing, empty and false as false', async () => {
  for (const extra of ['', ', optional: false, expand: off', ', optional: "", expand: , decode: ""']) {
    const [object] = await planned(`- {objectName: a, objectType: ssmparameter${extra}}`);
    assert.is(object?.optional, false);
    assert.is(object?.decode, undefined);
    assert.is(object?.outputs[0]?.kind, 'whole');
  }
});

test('rejects other values', async () => {
  const text = config('- {objectName: a, objectType: ssmparameter, optional: maybe, expand: 2, decode: hex}');
  assert.equal(problems(await parse(text)), [
    '9 config.object objects[0].optional',
    '9 config.object objects[0].expand',
    '9 config.object objects[0].decode',
  ]);
});

test('expands an object at the top, or into the directory that objectAlias names', async () => {
  const text = config(`
    - {objectName: a, objectType: ssmparameter, expand: true}
    - {objectName: b, objectType: ssmparameter, expand: true, objectAlias: dir, filePermission: "0400"}
    - {objectName: c, objectType: ssmparameter, expand: true, objectAlias: other, jmesPath: [{path: x, objectAlias: x}]}`);
  assert.equal(files(await parse(text)), ['* 0644', 'dir/* 0400', 'other/* 0644', 'x 0644']);
  const { plan } = await parse(text);
  const report = checkReport({ configs: plan ? [{ plan, directory: '/' }] : [], problems: [], warnings: [] });
  assert.equal(report.ok && report.files.map(({ source }) => source), ['expand', 'expand', 'expand', 'x']);
});

test('accepts several objects expanded at the top, because only their values show collisions', async () => {
  const text = config(`
    - {objectName: a, objectType: ssmparameter, expand: true}
    - {objectName: b, objectType: ssmparameter, expand: true}`);
  assert.equal(files(await parse(text)), ['* 0644', '* 0644']);
});

test('rejects another file in the directory of an expanded object', async () => {
  const text = config(
    `
    - {objectName: a, objectType: ssmparameter, expand: true, objectAlias: dir}
    - {objectName: dir, objectType: ssmparameter}
    - {objectName: dir/file, objectType: ssmparameter}
    - {objectName: b, objectType: ssmparameter, expand: true, objectAlias: dir/below}
    - {objectName: c, objectType: ssmparameter, expand: true, objectAlias: dir}`,
    { pathTranslation: '"False"' },
  );
  assert.equal(problems(await parse(text)), [
    '11 config.duplicate objects[1].objectName',
    '12 config.path objects[2].objectName',
    '13 config.path objects[3].objectAlias',
    '14 config.duplicate objects[4].objectAlias',
  ]);
});

test('a misspelt extension key is a warning with the nearest name', async () => {
  const parsed = await parse(config('- {objectName: a, objectType: ssmparameter, optionl: true}'));
  assert.equal(warnings(parsed), ['9 config.unknownKey objects[0]']);
  assert.match(parsed.warnings[0]?.remedy ?? '', '"optional"');
});

test.run();
