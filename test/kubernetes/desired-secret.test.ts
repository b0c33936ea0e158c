import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemLine } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { applyBody, desiredSecrets, quotesValue } from '../../src/kubernetes/desired-secret.ts';
import { configIdentity } from '../../src/kubernetes/names.ts';
import { optionalObject, published, secretObject, secretPlan } from '../support/secret-plan.ts';

test('puts the unchanged bytes of a file into the Secret', async () => {
  const object = secretObject('app', { password: 'db/password' }, { type: 'Opaque', labels: { tier: 'db' } });
  const { secrets } = await desiredSecrets(secretPlan([object]), published({ 'db/password': ' hunter2\n' }));
  const [secret] = secrets;
  assert.ok(secret);
  assert.equal(JSON.parse(applyBody(secret, 'shop', undefined)), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'app',
      namespace: 'shop',
      labels: { tier: 'db', 'app.kubernetes.io/managed-by': 'podsecrets' },
      annotations: { 'podsecrets.io/config': 'app' },
      // Creates, or is a conflict.
      resourceVersion: '1',
    },
    type: 'Opaque',
    data: { password: Buffer.from(' hunter2\n').toString('base64') },
  });
});

test('the managed-by label is that of podsecrets, even if the config has another', async () => {
  const object = secretObject('app', { a: 'a' }, { labels: { 'app.kubernetes.io/managed-by': 'Helm' } });
  const { secrets } = await desiredSecrets(secretPlan([object]), published({ a: 'x' }));
  assert.is(secrets[0]?.labels['app.kubernetes.io/managed-by'], 'podsecrets');
});

test('a missing file fails only that Secret, with the nearest name', async () => {
  const plan = secretPlan([
    secretObject('app', { a: 'db-pasword' }),
    secretObject('other', { a: 'db-password' }),
  ]);
  const { secrets, problems } = await desiredSecrets(plan, published({ 'db-password': 'x' }));
  assert.equal(
    secrets.map((secret) => secret.name),
    ['other'],
  );
  assert.equal(problems.map(problemLine), [
    'Secret app (secretObjects[0]) (/etc/podsecrets/config.yaml:7): no published file "db-pasword". Did you mean "db-password"? [kubernetes.content]',
  ]);
});

test('leaves out a Secret whose optional file is missing, with a warning', async () => {
  const plan = secretPlan([secretObject('app', { a: 'feature' })], { objects: [optionalObject('feature')] });
  const { secrets, problems, warnings } = await desiredSecrets(plan, published({}));
  assert.equal([secrets.length, problems.length, warnings.length], [0, 0, 1]);
});

test('rejects content that Kubernetes would reject, without quoting it', async () => {
  const docker = secretObject(
    'pull',
    { '.dockerconfigjson': 'a' },
    { type: 'kubernetes.io/dockerconfigjson' },
  );
  const tls = secretObject('tls', { 'tls.crt': 'a', 'tls.key': 'a' }, { type: 'kubernetes.io/tls' });
  const ssh = secretObject('ssh', { 'ssh-privatekey': 'empty' }, { type: 'kubernetes.io/ssh-auth' });
  const large = secretObject('large', { a: 'large', b: 'large' });
  const files = published({ a: 'CANARY', empty: '', large: 'x'.repeat(600_000) });
  const { secrets, problems } = await desiredSecrets(secretPlan([docker, tls, ssh, large]), files);
  assert.is(secrets.length, 0);
  const text = problems.map(problemLine).join('\n');
  assert.match(text, 'Secret pull (secretObjects[0])');
  assert.match(text, '.dockerconfigjson: expected a JSON object, got something else');
  assert.match(text, 'tls.crt: expected PEM, or PKCS#12 with an empty password, got neither');
  assert.match(text, 'ssh-privatekey: expected a key, got an empty file');
  assert.match(text, 'expected at most 1048576 bytes in all values, got 1200000');
  assert.not.match(text, 'CANARY');
});

test('accepts a docker config that is JSON', async () => {
  const docker = secretObject(
    'pull',
    { '.dockerconfigjson': 'a' },
    { type: 'kubernetes.io/dockerconfigjson' },
  );
  const { problems } = await desiredSecrets(secretPlan([docker]), published({ a: '{"auths":{}}' }));
  assert.equal(problems, []);
});

test('identifies a config without a name by its file', () => {
  assert.is(configIdentity(secretPlan([])), 'app');
  assert.is(
    configIdentity(secretPlan([], { name: undefined, file: '/etc/podsecrets/db.secrets.yaml' })),
    'db.secrets',
  );
});

test('detects a text that quotes a value, plain or in base64', () => {
  const values = [new Secret('hunter2\n'), new Secret('ab')];
  assert.ok(quotesValue('denied: hunter2 is weak', values));
  assert.ok(quotesValue(`denied: ${Buffer.from('hunter2\n').toString('base64')}`, values));
  assert.not.ok(quotesValue('denied: about anything', values));
});

test.run();
