/**
 * A certificate for tests over TLS, created at each run: no private key is in the tree, and none expires.
 *
 * Self-signed, for localhost, 127.0.0.1 and ::1, and its own CA: a client trusts the fake AWS if it trusts this
 * certificate (AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, `ca`). Node has no call for this, hence the few lines of DER (X.690).
 */

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

const DAY = 24 * 60 * 60_000;

/** DER tags; those from 0xa0 on are the context's own. */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  address: 0x87,
} as const;

/** Object identifiers, encoded. */
const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
} as const;

interface Pair {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A new key with its certificate, valid from yesterday for a year. */
export function selfSigned(now: number = Date.now()): Certificate {
  const own = newPair('fake-aws');
  return { key: privateText(own), cert: issued(own, own, [isAuthority(), names()], now) };
}

/** The same, but signed by an authority, as in production: `authority` is the certificate to trust, in PEM. */
export function authorityWithServer(now: number = Date.now()): Certificate & { readonly authority: string } {
  const [authority, server] = [newPair('fake-authority'), newPair('fake-aws')];
  return {
    key: privateText(server),
    cert: issued(server, authority, [names()], now),
    authority: issued(authority, authority, [isAuthority()], now),
  };
}

function newPair(name: string): Pair {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

function privateText({ privateKey }: Pair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The certificate of `subject` in PEM, signed by `issuer`. */
function issued(subject: Pair, issuer: Pair, extensions: readonly Buffer[], now: number): string {
  const algorithm = sequence(identifier('ecdsaWithSha256'));
  const toBeSigned = sequence(
    der(tag.version, der(tag.integer, Buffer.from([2]))),
    // A serial number is positive: its first bit must not be set.
    der(tag.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer.name),
    sequence(time(now - DAY), time(now + 365 * DAY)),
    distinguishedName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der(tag.extensions, sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuer.privateKey);
  const whole = sequence(toBeSigned, algorithm, der(tag.bits, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE-----\n${lines(whole.toString('base64'))}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(name: string): Buffer {
  return sequence(der(tag.set, sequence(identifier('commonName'), der(tag.utf8, Buffer.from(name)))));
}

function isAuthority(): Buffer {
  const yes = der(tag.boolean, Buffer.from([0xff]));
  return sequence(identifier('basicConstraints'), der(tag.octets, sequence(yes)));
}

function names(): Buffer {
  const list = sequence(
    der(tag.dnsName, Buffer.from('localhost')),
    der(tag.address, Buffer.from([127, 0, 0, 1])),
    der(tag.address, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  return sequence(identifier('subjectAltName'), der(tag.octets, list));
}

function identifier(name: keyof typeof oid): Buffer {
  return der(tag.oid, Buffer.from(oid[name], 'hex'));
}

/** `20260131235959Z`. */
function time(ms: number): Buffer {
  return der(tag.time, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tag.sequence, ...parts);
}

/** Tag, length, content; a length above 127 is written as the number of its bytes and then those bytes. */
function der(tagged: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const header = content.length < 128 ? [tagged, content.length] : [tagged, 0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from(header), content]);
}

function lines(base64: string): string {
  return base64.match(/.{1,64}/g)?.join('\n') ?? '';
}
