/** The release workflow does what SECURITY.md says. It has not run yet: this compares the two texts. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const workflows = globSync('.github/workflows/*.yml', { cwd: root });
const RELEASE = '.github/workflows/release.yml';

test('every action is pinned by its commit', () => {
  assert.ok(workflows.includes(RELEASE));
  for (const file of workflows)
    for (const [line, action = ''] of read(file).matchAll(/uses: *(\S+).*/g))
      assert.match(action, /^[\w./-]+@[0-9a-f]{40}$/, `${file}: ${line}`);
});

test('a job has no permission that it does not name', () => {
  const { permissions, jobs } = parse(read(RELEASE)) as {
    readonly permissions: object;
    readonly jobs: Readonly<Record<string, { readonly permissions: object }>>;
  };
  assert.equal(permissions, {});
  assert.equal(
    Object.entries(jobs).flatMap(([name, job]) =>
      Object.entries(job.permissions).map((one) => [name, ...one].join(' ')),
    ),
    [
      'test contents read',
      'build contents read',
      'build packages write',
      'publish packages write',
      'publish id-token write',
    ],
  );
});

test('the image has an SBOM and provenance, and is signed by its digest without a key', () => {
  const text = read(RELEASE);
  assert.match(text, '--sbom=true --provenance=mode=max');
  assert.match(text, 'cosign sign --yes --recursive "$IMAGE@$DIGEST"');
  assert.not.match(text, '--key');
});

test('the commands of SECURITY.md verify what the workflow signs', () => {
  const text = read('SECURITY.md');
  const { repository } = JSON.parse(read('package.json')) as { readonly repository: string };
  const [, name = ''] = /certificate-identity "https:\/\/github\.com\/(\S+?)\/\.github/.exec(text) ?? [];
  assert.match(text, `https://github.com/${name}/${RELEASE}@refs/tags/$TAG"`);
  assert.is(repository, `github:${name}`);
  // A tag starts the workflow, so the identity of its signature ends with the tag.
  const { on } = parse(read(RELEASE)) as { readonly on: { readonly push: object } };
  assert.equal(Object.keys(on.push), ['tags']);
  assert.match(text, '--certificate-oidc-issuer https://token.actions.githubusercontent.com');
});

test.run();
