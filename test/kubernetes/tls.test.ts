import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TlsKey } from '../../src/config/secret-object-rules.ts';
import { tlsPart } from '../../src/kubernetes/tls.ts';
import { certificate } from '../support/kubernetes-api.ts';

const authority = certificate({ name: 'authority' });
const leaf = certificate({ authority: false, name: 'leaf' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/tls', name));

async function part(key: TlsKey, text: string | Buffer): Promise<string> {
  const made = await tlsPart(key, Buffer.from(text));
  if (made.kind === 'invalid') throw new Error(`${made.message} ${made.remedy}`);
  return Buffer.from(made.bytes).toString();
}

async function rejection(key: TlsKey, text: string | Buffer): Promise<string> {
  const made = await tlsPart(key, Buffer.from(text));
  assert.is(made.kind, 'invalid');
  return made.kind === 'invalid' ? `${made.message} ${made.remedy}` : '';
}

test('splits a bundle into the certificates in order and the key', async () => {
  const bundle = `${pkcs8(rsa)}${leaf.certificate}${authority.certificate}`;
  const chain = await part('tls.crt', bundle);
  assert.equal(
    chain
      .match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n/g)
      ?.map((text) => new X509Certificate(text).subject),
    ['CN=leaf', 'CN=authority'],
  );
  assert.not.match(chain, 'PRIVATE');
  assert.not.match(await part('tls.key', bundle), 'CERTIFICATE');
});

test('writes each kind of key in the format that its readers expect', async () => {
  for (const [key, label] of [
    [rsa, 'RSA PRIVATE KEY'],
    [ec, 'EC PRIVATE KEY'],
    [ed25519, 'PRIVATE KEY'],
  ] as const) {
    const text = await part('tls.key', pkcs8(key));
    assert.ok(text.startsWith(`-----BEGIN ${label}-----\n`), label);
    assert.ok(createPrivateKey(text).equals(key), label);
  }
});

test('reads keys in older formats', async () => {
  const forms = [
    rsa.export({ type: 'pkcs1', format: 'pem' }),
    ec.export({ type: 'sec1', format: 'pem' }),
  ] as string[];
  for (const form of forms) assert.is(await part('tls.key', form), form);
});

test('uses the last private key, and ignores EC PARAMETERS after it', async () => {
  const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
  const text = await part('tls.key', `${pkcs8(rsa)}${pkcs8(ec)}${parameters}`);
  assert.ok(createPrivateKey(text).equals(ec));
});

test('ignores Windows line ends and text around the blocks', async () => {
  const text = `Bag Attributes\n  friendlyName: x\n${pkcs8(rsa)}subject=CN = leaf\n${leaf.certificate}`;
  const windows = text.replaceAll('\r', '').replaceAll('\n', '\r\n');
  assert.is(await part('tls.crt', windows), await part('tls.crt', leaf.certificate));
  assert.ok(createPrivateKey(await part('tls.key', windows)).equals(rsa));
});

test('ca.crt contains the CA certificates of a bundle without the leaf', async () => {
  const text = await part('ca.crt', `${leaf.certificate}${authority.certificate}`);
  assert.is(text, await part('tls.crt', authority.certificate));
  assert.match(
    await rejection('ca.crt', leaf.certificate),
    'expected a CA certificate in the file, got none',
  );
});

test('reads PKCS#12 with an empty password, old and new', async () => {
  for (const [file, type] of [
    ['ec-modern.p12', 'ec'],
    ['rsa-legacy.p12', 'rsa'],
  ] as const) {
    const key = createPrivateKey(await part('tls.key', fixture(file)));
    assert.is(key.asymmetricKeyType, type);
    assert.ok(new X509Certificate(await part('tls.crt', fixture(file))).checkPrivateKey(key), file);
  }
});

test('rejects PKCS#12 with a password, with the command to decrypt it', async () => {
  assert.match(
    await rejection('tls.key', fixture('with-password.p12')),
    'openssl pkcs12 -in file.p12 -nodes',
  );
});

test('rejects PKCS#12 in base64, with the option to decode it', async () => {
  assert.match(
    await rejection('tls.crt', fixture('ec-modern.p12').toString('base64')),
    'Add decode: base64 to the object.',
  );
});

test('rejects an encrypted key, in both formats', async () => {
  const modern = rsa.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  }) as string;
  const old = rsa.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string;
  for (const text of [modern, old])
    assert.match(await rejection('tls.key', text), 'without a password, got an encrypted one');
});

test('no error quotes the key', async () => {
  const canary = 'CANARYCANARYCANARYCANARY';
  const broken = `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----\n`;
  for (const text of [broken, canary, `0${canary}`, `MI${canary}`, `-----BEGIN ${canary}-----\n`]) {
    for (const key of ['tls.crt', 'tls.key', 'ca.crt'] as const)
      assert.not.match(await rejection(key, text), 'CANARY');
  }
});

test.run();
