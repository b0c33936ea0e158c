/**
 * The values of a `kubernetes.io/tls` Secret: `tls.crt`, `tls.key`, and `ca.crt`.
 *
 * The three keys usually refer to one file with the private key and the chain, as PEM or as PKCS#12 with an empty password. Each gets
 * its part of the file. The result is that of the CSI driver, with three differences: ed25519 keys are kept (the
 * driver reports an error), only a block with the label of a private key is read as one (the driver also takes an
 * `EC PARAMETERS` block that follows the key), and a key that cannot be read is an error (the driver writes an empty key).
 * node:crypto parses and re-encodes keys in memory. Its errors are dropped here, because they could quote a key.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { TlsKey } from '../config/secret-object-rules.ts';
import { openPkcs12 } from './pkcs12.ts';

/** The part of a file, or why there is none. */
export type TlsPart =
  | { readonly kind: 'pem'; readonly bytes: Uint8Array }
  /** Sentences about the file, without any of its content. */
  | { readonly kind: 'invalid'; readonly message: string; readonly remedy: string };

/** The part of the file that belongs under the key, as PEM. */
export async function tlsPart(key: TlsKey, content: Uint8Array): Promise<TlsPart> {
  const blocks = pemBlocks(content);
  const bundle = blocks.length > 0 ? pemBundle(blocks) : await pkcs12Bundle(content);
  if (bundle === undefined) return unreadable(content);
  switch (key) {
    case 'tls.crt':
      return certificatePart(bundle.certificates, 'a certificate');
    case 'tls.key':
      return keyPart(bundle.key);
    case 'ca.crt':
      return certificatePart(bundle.certificates.filter(isAuthority), 'a CA certificate');
    default:
      return key satisfies never;
  }
}

interface Bundle {
  /** DER, in the order of the file. */
  readonly certificates: readonly Uint8Array[];
  readonly key: { readonly form: string; readonly der: Uint8Array } | undefined;
}

interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

function pemBlocks(content: Uint8Array): readonly PemBlock[] {
  const text = Buffer.from(content).toString('latin1');
  const blocks = text.matchAll(/^-----BEGIN ([^\r\n]+?)-----[^\S\n]*\n([\s\S]*?)^-----END \1-----/gm);
  return [...blocks].map(([, label = '', body = '']) => ({
    label,
    der: Buffer.from(withoutHeaders(body), 'base64'),
  }));
}

/** Headers such as `Proc-Type: 4,ENCRYPTED` are inside the block, and an empty line ends them. */
function withoutHeaders(body: string): string {
  const match = /^[\w-]+:[\s\S]*?\r?\n\r?\n/.exec(body);
  if (match === null) return body;
  return match[0].includes('ENCRYPTED') ? '' : body.slice(match[0].length);
}

function pemBundle(blocks: readonly PemBlock[]): Bundle {
  // The last one, as in the driver.
  const key = blocks.filter((block) => block.label.endsWith('PRIVATE KEY')).at(-1);
  return {
    certificates: blocks.filter((block) => block.label === 'CERTIFICATE').map((block) => block.der),
    key: key === undefined ? undefined : { form: key.label, der: key.der },
  };
}

async function pkcs12Bundle(content: Uint8Array): Promise<Bundle | undefined> {
  // DER of PKCS#12 begins with a SEQUENCE. Without one, the library need not be loaded.
  const opened = content[0] === 0x30 ? await openPkcs12(content) : undefined;
  if (opened === undefined) return undefined;
  const form = opened.keyForm === 'pkcs1' ? 'RSA PRIVATE KEY' : 'PRIVATE KEY';
  return {
    certificates: opened.certificates,
    key: opened.key === undefined ? undefined : { form, der: opened.key },
  };
}

function certificatePart(certificates: readonly Uint8Array[], expected: string): TlsPart {
  if (certificates.length === 0)
    return invalid(`expected ${expected} in the file, got none`, CERTIFICATE_REMEDY);
  return pem(certificates.map((der) => pemText('CERTIFICATE', der)).join(''));
}

/** A certificate that may sign others, or a self-signed one, even without the CA flag. */
function isAuthority(der: Uint8Array): boolean {
  try {
    const certificate = new X509Certificate(der);
    return certificate.ca || certificate.issuer === certificate.subject;
  } catch {
    return false;
  }
}

function keyPart(key: Bundle['key']): TlsPart {
  if (key === undefined) return invalid('expected a private key in the file, got none', KEY_REMEDY);
  const read = readKey(key);
  if (read === undefined) {
    return key.form === 'ENCRYPTED PRIVATE KEY' || key.der.length === 0
      ? invalid('expected a private key without a password, got an encrypted one', DECRYPT_REMEDY)
      : invalid('expected a private key, got one that cannot be read', KEY_REMEDY);
  }
  switch (read.asymmetricKeyType) {
    case 'rsa':
      return pem(read.export({ type: 'pkcs1', format: 'pem' }));
    case 'ec':
      return pem(read.export({ type: 'sec1', format: 'pem' }));
    default:
      // ed25519, ed448 and RSA-PSS have no other format.
      return pem(read.export({ type: 'pkcs8', format: 'pem' }));
  }
}

function readKey(key: { readonly form: string; readonly der: Uint8Array }): KeyObject | undefined {
  const type = key.form === 'RSA PRIVATE KEY' ? 'pkcs1' : key.form === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
  try {
    return createPrivateKey({ key: Buffer.from(key.der), format: 'der', type });
  } catch {
    return undefined;
  }
}

function unreadable(content: Uint8Array): TlsPart {
  // DER in base64 begins with "MI" when it is longer than 127 bytes, as every PKCS#12 is.
  const encoded = content[0] === 0x4d && content[1] === 0x49;
  return invalid(
    `expected PEM, or PKCS#12 with an empty password, got ${encoded ? 'what looks like base64' : 'neither'}`,
    encoded ? 'Add decode: base64 to the object.' : PKCS12_REMEDY,
  );
}

const CERTIFICATE_REMEDY = 'Store the chain as PEM blocks: -----BEGIN CERTIFICATE-----.';
const KEY_REMEDY = 'Store the key as a PEM block: -----BEGIN PRIVATE KEY-----.';
const DECRYPT_REMEDY = 'Store it without its password: openssl pkey -in key.pem.';
const PKCS12_REMEDY = 'Store it as PEM: openssl pkcs12 -in file.p12 -nodes.';

function invalid(message: string, remedy: string): TlsPart {
  return { kind: 'invalid', message, remedy };
}

function pem(text: string | Buffer): TlsPart {
  return { kind: 'pem', bytes: Buffer.from(text) };
}

function pemText(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
