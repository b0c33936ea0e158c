/**
 * What the Kubernetes API server would refuse of a `secretObjects` entry, said before anything is fetched.
 *
 * The server answers 422 after the files are published, to a pod that then does not start; the config alone already shows
 * it. The rules are those of the server's own validation of Secrets; a type it does not know has no rules there and none
 * here. Whether the files hold what a type needs is checked where they are put together.
 */

import { escapeControl, quote } from '../core/text.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { SecretObject } from './plan.ts';

/** Everything that is wrong with the entry, as Kubernetes sees it. */
export function checkSecretObject(object: SecretObject): readonly Diagnostic[] {
  const wrong: Wrong = (part, message, remedy) => ({
    code: 'config.secretObjects',
    subject: `${object.subject}.${part}`,
    line: object.line,
    message,
    remedy,
  });
  return [...checkNames(object, wrong), ...checkKeys(object, wrong), ...checkType(object, wrong)];
}

/** The keys that a `kubernetes.io/tls` Secret is made of. */
export type TlsKey = 'tls.crt' | 'tls.key' | 'ca.crt';

/** Whether a `kubernetes.io/tls` Secret may have the key. */
export function isTlsKey(key: string): key is TlsKey {
  return key === 'tls.crt' || key === 'tls.key' || key === 'ca.crt';
}

type Wrong = (part: string, message: string, remedy: string) => Diagnostic;

function checkNames(object: SecretObject, wrong: Wrong): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const name = object.secretName;
  if (name.length > 253 || !SUBDOMAIN.test(name)) {
    const expected =
      'lower-case letters, digits, - and ., at most 253, beginning and ending with a letter or digit';
    found.push(wrong('secretName', `expected ${expected}, got ${quote(name)}`, 'Rename the Secret.'));
  }
  for (const [label, value] of Object.entries(object.labels)) {
    if (!isQualifiedName(label))
      found.push(wrong('labels', `expected a label name, got ${quote(label)}`, NAME_REMEDY));
    if (value.length > 63 || !/^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/.test(value)) {
      const message = `expected a label value of at most 63 letters, digits, -, _ and ., got ${quote(value)}`;
      found.push(
        wrong(`labels.${escapeControl(label)}`, message, 'Move it to annotations, which take any text.'),
      );
    }
  }
  for (const annotation of Object.keys(object.annotations)) {
    if (isQualifiedName(annotation.toLowerCase())) continue;
    found.push(wrong('annotations', `expected an annotation name, got ${quote(annotation)}`, NAME_REMEDY));
  }
  return found;
}

const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const NAME_REMEDY = 'Write it as NAME or DOMAIN/NAME, the name at most 63 letters, digits, -, _ and . long.';

function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const [prefix, name] = slash === -1 ? [undefined, text] : [text.slice(0, slash), text.slice(slash + 1)];
  const prefixFits = prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix));
  return prefixFits && name.length <= 63 && /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/.test(name);
}

function checkKeys(object: SecretObject, wrong: Wrong): readonly Diagnostic[] {
  return object.data.flatMap(({ key }, index) => {
    if (/^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== '.' && !key.startsWith('..')) return [];
    const message = `expected letters, digits, -, _ and ., got ${quote(key)}`;
    const remedy = 'Rename the key: it becomes a file name when the Secret is mounted.';
    return [wrong(`data[${index}].key`, message, remedy)];
  });
}

function checkType(object: SecretObject, wrong: Wrong): readonly Diagnostic[] {
  const type = object.type;
  const keys = object.data.map((entry) => entry.key);
  const found: Diagnostic[] = [];
  for (const alternatives of requiredKeys[type] ?? []) {
    if (alternatives.some((key) => keys.includes(key))) continue;
    const expected = alternatives.map(quote).join(' or ');
    const got = keys.length === 0 ? 'no keys' : keys.map(quote).join(', ');
    found.push(
      wrong('data', `expected the key ${expected}, which ${type} needs, got ${got}`, 'Add the key.'),
    );
  }
  if (type === 'kubernetes.io/tls') {
    // As the driver: another key would be a copy of the private key under a name that nobody guards.
    for (const [index, key] of keys.entries()) {
      if (isTlsKey(key)) continue;
      const message = `expected tls.crt, tls.key or ca.crt, got ${quote(key)}`;
      found.push(wrong(`data[${index}].key`, message, 'Put other keys into a Secret of type Opaque.'));
    }
  }
  if (type === TOKEN && !object.annotations[ACCOUNT]) {
    found.push(
      wrong('annotations', `expected ${ACCOUNT}, which ${type} needs, got none`, 'Add the annotation.'),
    );
  }
  return found;
}

const TOKEN = 'kubernetes.io/service-account-token';
const ACCOUNT = 'kubernetes.io/service-account.name';

/** One key of each list must be there. A bootstrap token without its two is accepted by the server, and ignored by all. */
const requiredKeys: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'kubernetes.io/basic-auth': [['username', 'password']],
  'kubernetes.io/ssh-auth': [['ssh-privatekey']],
  'kubernetes.io/dockerconfigjson': [['.dockerconfigjson']],
  'kubernetes.io/dockercfg': [['.dockercfg']],
  'kubernetes.io/tls': [['tls.crt'], ['tls.key']],
  'bootstrap.kubernetes.io/token': [['token-id'], ['token-secret']],
};
