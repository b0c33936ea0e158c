import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SecretObject } from '../../src/config/plan.ts';
import { checkSecretObject } from '../../src/config/secret-object-rules.ts';
import { Problem, problemLine } from '../../src/core/problem.ts';
import { secretObject } from '../support/secret-plan.ts';

const lines = (object: SecretObject) => {
  const found: string[] = [];
  checkSecretObject(object, (part, message, remedy) => {
    const subject = `${object.subject}.${part}`;
    const place = { file: 'config.yaml', line: object.line };
    found.push(
      problemLine(new Problem({ code: 'config.secretObjects', subject, message, remedy, ...place })),
    );
  });
  return found;
};

test('accepts a valid entry', () => {
  const labels = { app: 'shop', 'example.com/tier': '' };
  const annotations = { 'Example.com/Note': 'any text: ö' };
  assert.equal(
    lines(secretObject('app', { password: 'db', '.hidden-file': 'x' }, { labels, annotations })),
    [],
  );
});

test('rejects names that Kubernetes would reject, with the line', () => {
  assert.equal(lines(secretObject('App_Secret', { 'a b': 'x' })), [
    'secretObjects[0].secretName (config.yaml:7): expected lower-case letters, digits, - and ., at most 253, beginning and ending with a letter or digit, got "App_Secret". Rename the Secret. [config.secretObjects]',
    'secretObjects[0].data[0].key (config.yaml:7): expected letters, digits, -, _ and ., got "a b". Rename the key: it becomes a file name when the Secret is mounted. [config.secretObjects]',
  ]);
  for (const key of ['.', '..', '..data', ''])
    assert.is(lines(secretObject('app', { [key]: 'x' })).length, 1, key);
});

test('checks labels and annotations by the rules of Kubernetes', () => {
  const found = lines(
    secretObject(
      'app',
      { a: 'x' },
      { labels: { 'a/b/c': 'x', app: 'no spaces' }, annotations: { '-x': '' } },
    ),
  );
  assert.match(found.join('\n'), 'expected a label name, got "a/b/c"');
  assert.match(found.join('\n'), 'secretObjects[0].labels.app (config.yaml:7): expected a label value');
  assert.match(found.join('\n'), 'expected an annotation name, got "-x"');
});

test('requires the keys of each documented type', () => {
  const needed: Readonly<Record<string, readonly string[]>> = {
    'kubernetes.io/basic-auth': ['username'],
    'kubernetes.io/ssh-auth': ['ssh-privatekey'],
    'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
    'kubernetes.io/dockercfg': ['.dockercfg'],
    'kubernetes.io/tls': ['tls.crt', 'tls.key'],
    'bootstrap.kubernetes.io/token': ['token-id', 'token-secret'],
  };
  for (const [type, keys] of Object.entries(needed)) {
    const complete = Object.fromEntries(keys.map((key) => [key, 'x']));
    assert.equal(lines(secretObject('app', complete, { type })), [], type);
    for (const key of keys) {
      const { [key]: _, ...rest } = complete;
      assert.match(lines(secretObject('app', rest, { type })).join(), `which ${type} needs, got`);
    }
  }
  assert.equal(lines(secretObject('app', { password: 'x' }, { type: 'kubernetes.io/basic-auth' })), []);
});

test('requires the annotation of a service account token', () => {
  const type = 'kubernetes.io/service-account-token';
  assert.match(
    lines(secretObject('app', { x: 'x' }, { type })).join(),
    'expected kubernetes.io/service-account.name',
  );
  const annotations = { 'kubernetes.io/service-account.name': 'app' };
  assert.equal(lines(secretObject('app', { x: 'x' }, { type, annotations })), []);
});

test('accepts ca.crt and no other key in a TLS Secret', () => {
  const keys = { 'tls.crt': 'x', 'tls.key': 'x', 'ca.crt': 'x' };
  assert.equal(lines(secretObject('app', keys, { type: 'kubernetes.io/tls' })), []);
  assert.match(
    lines(secretObject('app', { ...keys, 'keystore.jks': 'x' }, { type: 'kubernetes.io/tls' })).join(),
    'secretObjects[0].data[3].key (config.yaml:7): expected tls.crt, tls.key or ca.crt, got "keystore.jks"',
  );
});

test('accepts any keys for an unknown type', () => {
  assert.equal(lines(secretObject('app', { anything: 'x' }, { type: 'example.com/own' })), []);
});

test.run();
