/** The FILE arguments of `podsecrets check`. */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAllowed } from '../support/allowed.ts';
import { config } from '../support/config.ts';
import { binary, run } from '../support/program.ts';
import { nobody } from '../support/readable-copy.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('the arguments of check');
const valid = config('\n  - {objectName: a, objectType: secretsmanager}');

/** The report as JSON. */
async function check(path: string, command?: readonly [string, ...string[]]) {
  const { code, stdout, stderr } = await run(['check', '--output', 'json', path], {}, command);
  assert.is(stderr, '');
  return { code, ...JSON.parse(stdout) };
}

test('reads the YAML files of a directory, also below it', async () => {
  const dir = scratch();
  mkdirSync(join(dir, 'b.yaml'));
  writeFileSync(join(dir, 'b.yaml', 'c.yml'), valid);
  writeFileSync(join(dir, 'notes.txt'), 'no YAML: [');
  symlinkSync('b.yaml/c.yml', join(dir, 'a.yaml'));
  const { code, files } = await check(dir);
  assert.is(code, 0);
  assert.is(files.length, 2);
});

test('an argument that cannot be followed is a problem', async () => {
  const dir = scratch();
  symlinkSync('loop', join(dir, 'loop'));
  const { code, problems } = await check(join(dir, 'loop'));
  assert.is(code, 3);
  assert.match(problems[0].message, 'expected a SecretProviderClass file, got ELOOP');
});

test('a directory that cannot be listed is a problem, and the others are read', async () => {
  const asNobody = ['setpriv', `--reuid=${nobody.uid}`, '--clear-groups', binary] as const;
  if (!isAllowed('a directory of another user', [...asNobody, '--version'])) return;
  const dir = scratch();
  mkdirSync(join(dir, 'closed'));
  chmodSync(join(dir, 'closed'), 0o700);
  writeFileSync(join(dir, 'a.yaml'), 'kind: SecretProviderClass');
  const { code, problems } = await check(dir, asNobody);
  assert.is(code, 3);
  assert.equal(
    problems.map(({ subject }: { readonly subject: string }) => subject),
    ['apiVersion', join(dir, 'closed')],
  );
});

test.run();
