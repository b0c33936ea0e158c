/**
 * Checks a `secretObjects` entry by the rules of the Kubernetes API server, before anything is fetched.
 *
 * The server would respond with 422 after the files are published, and the pod would not start. The rules are those of the server's
 * own validation of Secrets, which ignores unknown types. The content that a type requires is checked when the Secret is created.
 */

import { escapeControl, quote } from '../core/text.ts';
import type { SecretObject } from './plan.ts';

/** Reports a mistake; `part` is appended to the entry's subject: `data[0].key`. */
export type ReportRule = (part: string, message: string, remedy: string) => void;

/** Checks the entry by the rules of Kubernetes. */
export function checkSecretObject(object: SecretObject, report: ReportRule): void {
  checkNames(object, report);
  checkKeys(object, report);
  checkType(object, report);
}

/** The keys of a `kubernetes.io/tls` Secret. */
export type TlsKey = 'tls.crt' | 'tls.key' | 'ca.crt';

/** Whether a `kubernetes.io/tls` Secret may have the key. */
export function isTlsKey(key: string): key is TlsKey {
  return key === 'tls.crt' || key === 'tls.key' || key === 'ca.crt';
}

function checkNames(object: SecretObject, report: ReportRule): void {
  const name = object.secretName;
  if (name.length > 253 || !SUBDOMAIN.test(name)) {
    const expected =
      'lower-case letters, digits, - and ., at most 253, beginning and ending with a letter or digit';
    report('secretName', `expected ${expected}, got ${quote(name)}`, 'Rename the Secret.');
  }
  for (const [label, value] of Object.entries(object.labels)) {
    if (!isQualifiedName(label)) report('labels', `expected a label name, got ${quote(label)}`, NAME_REMEDY);
    if (value.length > 63 || !/^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/.test(value)) {
      const message = `expected a label value of at most 63 letters, digits, -, _ and ., got ${quote(value)}`;
      report(`labels.${escapeControl(label)}`, message, 'Move it to annotations, which allow any text.');
    }
  }
  for (const annotation of Object.keys(object.annotations)) {
    if (isQualifiedName(annotation.toLowerCase())) continue;
    report('annotations', `expected an annotation name, got ${quote(annotation)}`, NAME_REMEDY);
  }
}

const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const NAME_REMEDY =
  'Write it as NAME or DOMAIN/NAME. NAME has at most 63 characters: letters, digits, -, _ and .';

function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const [prefix, name] = slash === -1 ? [undefined, text] : [text.slice(0, slash), text.slice(slash + 1)];
  const prefixFits = prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix));
  return prefixFits && name.length <= 63 && /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/.test(name);
}

function checkKeys(object: SecretObject, report: ReportRule): void {
  for (const [index, { key }] of object.data.entries()) {
    if (/^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== '.' && !key.startsWith('..')) continue;
    const message = `expected letters, digits, -, _ and ., got ${quote(key)}`;
    const remedy = 'Rename the key: it becomes a file name when the Secret is mounted.';
    report(`data[${index}].key`, message, remedy);
  }
}

function checkType(object: SecretObject, report: ReportRule): void {
  const type = object.type;
  const keys = object.data.map((entry) => entry.key);
  for (const alternatives of requiredKeys[type] ?? []) {
    if (alternatives.some((key) => keys.includes(key))) continue;
    const expected = alternatives.map(quote).join(' or ');
    const got = keys.length === 0 ? 'no keys' : keys.map(quote).join(', ');
    report('data', `expected the key ${expected}, which ${type} needs, got ${got}`, 'Add the key.');
  }
  if (type === 'kubernetes.io/tls') {
    // As in the CSI driver: another key would be a copy of the private key under an unexpected name.
    for (const [index, key] of keys.entries()) {
      if (isTlsKey(key)) continue;
      const message = `expected tls.crt, tls.key or ca.crt, got ${quote(key)}`;
      report(`data[${index}].key`, message, 'Put other keys into a Secret of type Opaque.');
    }
  }
  if (type === TOKEN && !object.annotations[ACCOUNT]) {
    report('annotations', `expected ${ACCOUNT}, which ${type} needs, got none`, 'Add the annotation.');
  }
}

const TOKEN = 'kubernetes.io/service-account-token';
const ACCOUNT = 'kubernetes.io/service-account.name';

/** One key of each list is required. The server accepts a bootstrap token without its two keys, but nothing uses it. */
const requiredKeys: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'kubernetes.io/basic-auth': [['username', 'password']],
  'kubernetes.io/ssh-auth': [['ssh-privatekey']],
  'kubernetes.io/dockerconfigjson': [['.dockerconfigjson']],
  'kubernetes.io/dockercfg': [['.dockercfg']],
  'kubernetes.io/tls': [['tls.crt'], ['tls.key']],
  'bootstrap.kubernetes.io/token': [['token-id'], ['token-secret']],
};
