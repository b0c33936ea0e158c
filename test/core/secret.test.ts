import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';

const canary = 'canary-7f3a';
const secret = new Secret(canary);
const nested = { list: [secret], map: new Map([['k', secret]]) };

/** Every usual way in which a value becomes text by accident. */
const routes: Readonly<Record<string, () => unknown>> = {
  'a template': () => `${secret}`,
  'joining a list': () => ['a', secret].join(),
  'String()': () => String(secret),
  JSON: () => JSON.stringify({ secret, nested }),
  inspect: () => inspect(nested, { depth: 9 }),
  'inspect with showHidden': () => inspect(nested, { showHidden: true, depth: 9 }),
  'inspect without custom functions': () =>
    inspect(nested, { customInspect: false, showHidden: true, depth: 9 }),
  format: () => format('%s %d %i %j %o %O', secret, secret, secret, secret, secret, secret),
  'an error message': () => new Error(`bad ${secret}`).message,
  'an error cause': () => inspect(new Error('bad', { cause: secret })),
  spread: () => JSON.stringify({ ...secret }),
  'own keys': () => Reflect.ownKeys(secret).map(String).join(),
  entries: () => JSON.stringify(Object.entries(secret)),
  'v8 serialisation': () => serialize(nested).toString('latin1'),
  'structured clone': () => inspect(structuredClone({ secret }), { showHidden: true }),
};

for (const [route, print] of Object.entries(routes)) {
  test(`a secret does not leak through ${route}`, () => {
    assert.not.ok(String(print()).includes(canary));
    assert.not.ok(String(print()).includes(Buffer.from(canary).toString('base64')));
  });
}

test('reveal returns the bytes', () => {
  assert.is(new TextDecoder().decode(new Secret('grüße').reveal()), 'grüße');
  assert.equal([...new Secret(new Uint8Array([0, 255])).reveal()], [0, 255]);
});

test('wipe overwrites the bytes with zeros', () => {
  const wiped = new Secret('hunter2');
  wiped.wipe();
  assert.equal([...wiped.reveal()], [0, 0, 0, 0, 0, 0, 0]);
});

test.run();
