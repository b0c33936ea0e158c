/**
 * The Kubernetes Secrets that a config's `secretObjects` describe, built from the files that were published.
 *
 * Values are the files' bytes, unchanged, except in `kubernetes.io/tls`. A Secret that cannot be built has its own Problem, and the
 * others are still applied. Values stay wrapped until this file writes the request body or compares them with the cluster's; no
 * message contains one.
 */

import { mayCreate, type Plan, type SecretObject } from '../config/plan.ts';
import { isTlsKey } from '../config/secret-object-rules.ts';
import { Problem, problemsOrThrow } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';
import { didYouMean, quote } from '../core/text.ts';
import { isObject, parseJson } from '../core/unknown.ts';
import { redact } from '../notify/redact.ts';
import type { Snapshot } from '../publish/snapshot.ts';
import {
  CONFIG,
  type LiveSecret,
  MANAGED_BY_LABEL,
  MANAGER,
  type OwnerReference,
  SIBLINGS,
} from './live-secret.ts';
import { configIdentity } from './names.ts';
import { tlsPart } from './tls.ts';

/** A Secret to apply. */
export interface DesiredSecret {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owners: readonly OwnerReference[];
  readonly data: ReadonlyMap<string, Secret>;
}

/** All Secrets of a config that can be built. */
export interface DesiredSecrets {
  readonly secrets: readonly DesiredSecret[];
  readonly problems: readonly Problem[];
  /** About Secrets that are left unchanged because an optional object that they need does not exist. */
  readonly warnings: readonly Problem[];
}

/** The Secrets without owner and siblings, which depend on the cluster. */
export async function desiredSecrets(plan: Plan, snapshot: Snapshot): Promise<DesiredSecrets> {
  const files = new Map<string, Secret>(snapshot.files.map((file) => [file.path, file.content]));
  const built = await Promise.all(
    plan.secretObjects.map(async (object) => {
      try {
        return await desiredSecret(object, plan, files);
      } catch (error) {
        return { kind: 'invalid' as const, problems: problemsOrThrow(error) };
      }
    }),
  );
  return {
    secrets: built.flatMap((one) => (one.kind === 'secret' ? [one.secret] : [])),
    problems: built.flatMap((one) => (one.kind === 'invalid' ? one.problems : [])),
    warnings: built.flatMap((one) => (one.kind === 'waiting' ? [one.warning] : [])),
  };
}

type BuiltSecret =
  | { readonly kind: 'secret'; readonly secret: DesiredSecret }
  | { readonly kind: 'waiting'; readonly warning: Problem };

async function desiredSecret(
  object: SecretObject,
  plan: Plan,
  files: ReadonlyMap<string, Secret>,
): Promise<BuiltSecret> {
  const data = new Map<string, Secret>();
  for (const entry of object.data) {
    const { objectName: path, key } = entry;
    const content = files.get(path);
    if (content === undefined) {
      const missing = missingFile(object, plan, path, [...files.keys()]);
      if (plan.objects.some((planned) => planned.optional && mayCreate(planned, path)))
        return { kind: 'waiting', warning: missing };
      throw missing;
    }
    data.set(key, object.type === 'kubernetes.io/tls' ? await tlsValue(object, plan, key, content) : content);
  }
  checkContent(object, plan, data);
  return {
    kind: 'secret',
    secret: {
      name: object.secretName,
      type: object.type,
      labels: { ...object.labels, [MANAGED_BY_LABEL]: MANAGER },
      annotations: { ...object.annotations, [CONFIG]: configIdentity(plan) },
      owners: [],
      data,
    },
  };
}

function missingFile(object: SecretObject, plan: Plan, path: string, paths: readonly string[]): Problem {
  const hint = didYouMean(path, paths);
  return rejection(
    object,
    plan,
    `no published file ${quote(path)}`,
    hint === undefined
      ? "Write the file's path as objectName: the object's alias, or its name after pathTranslation."
      : `Did you mean ${quote(hint)}?`,
  );
}

async function tlsValue(object: SecretObject, plan: Plan, key: string, content: Secret): Promise<Secret> {
  if (!isTlsKey(key)) {
    const message = `expected tls.crt, tls.key or ca.crt, got ${quote(key)}`;
    throw rejection(object, plan, message, 'Put other keys into a Secret of type Opaque.');
  }
  const part = await tlsPart(key, content.reveal());
  if (part.kind === 'invalid') throw rejection(object, plan, `${key}: ${part.message}`, part.remedy);
  return new Secret(part.bytes);
}

/** Bytes of all values together: the API server's limit. */
const MAX_SIZE = 1_048_576;

/** Throws for content that the server would reject, without quoting it: Go's JSON errors quote the invalid text. */
function checkContent(object: SecretObject, plan: Plan, data: ReadonlyMap<string, Secret>): void {
  let size = 0;
  for (const [key, value] of data) {
    const bytes = value.reveal();
    size += bytes.length;
    if ((key === '.dockerconfigjson' || key === '.dockercfg') && object.type.endsWith(key.slice(1))) {
      if (!isObject(parseJson(new TextDecoder().decode(bytes)))) {
        throw rejection(
          object,
          plan,
          `${key}: expected a JSON object, got something else`,
          'Correct the secret in AWS.',
        );
      }
    }
    if (key === 'ssh-privatekey' && object.type === 'kubernetes.io/ssh-auth' && bytes.length === 0)
      throw rejection(
        object,
        plan,
        `${key}: expected a key, got an empty file`,
        'Correct the secret in AWS.',
      );
  }
  if (size > MAX_SIZE) {
    const message = `expected at most ${MAX_SIZE} bytes in all values, got ${size}`;
    throw rejection(object, plan, message, 'Split them into several Secrets.');
  }
}

function rejection(object: SecretObject, plan: Plan, message: string, remedy: string): Problem {
  return new Problem({
    code: 'kubernetes.content',
    subject: `Secret ${object.secretName} (${object.subject})`,
    message,
    remedy,
    file: plan.file,
    line: object.line,
  });
}

/**
 * The Secret with its owner. Owners that podsecrets set earlier are kept: several pods may share a Secret, and they apply as one
 * field manager, so that each would remove the owners of the others. The garbage collector removes those of deleted pods.
 */
export function withOwner(
  desired: DesiredSecret,
  owner: OwnerReference | undefined,
  live: LiveSecret | undefined,
): DesiredSecret {
  if (owner === undefined) return { ...desired, owners: [] };
  const before = (live?.owners ?? []).filter(
    ({ uid }) => uid !== owner.uid && live?.managed?.has(`owner.${uid}`),
  );
  return { ...desired, owners: [...before, owner] };
}

/** The Secret with the names of all Secrets of its config. */
export function withSiblings(desired: DesiredSecret, names: Iterable<string>): DesiredSecret {
  const siblings = [...new Set(names)].sort().join(',');
  return { ...desired, annotations: { ...desired.annotations, [SIBLINGS]: siblings } };
}

/** Whether applying would change anything: a value, or the set of managed fields. */
export function needsApply(desired: DesiredSecret, live: LiveSecret): boolean {
  const managed = live.managed ?? new Set<string>();
  const wanted = fieldsOf(desired);
  if (managed.size !== wanted.length || wanted.some((field) => !managed.has(field))) return true;
  const differ = (want: Readonly<Record<string, string>>, have: Readonly<Record<string, string>>) =>
    Object.entries(want).some(([name, value]) => have[name] !== value);
  if (differ(desired.labels, live.labels) || differ(desired.annotations, live.annotations)) return true;
  return [...desired.data].some(([key, value]) => {
    const current = live.data.get(key);
    return current === undefined || Buffer.compare(value.reveal(), current.reveal()) !== 0;
  });
}

/** The fields that applying manages, in the notation of `LiveSecret.managed`. */
function fieldsOf(desired: DesiredSecret): readonly string[] {
  return [
    ...[...desired.data.keys()].map((key) => `data.${key}`),
    ...Object.keys(desired.labels).map((name) => `labels.${name}`),
    ...Object.keys(desired.annotations).map((name) => `annotations.${name}`),
    ...desired.owners.map((owner) => `owner.${owner.uid}`),
  ];
}

/**
 * A resourceVersion that no Secret has: etcd counts over all objects, and the first writes are the API server's own. An apply with a
 * resourceVersion creates a missing object, but updates only that version: so this one creates, or is a conflict.
 */
const CREATE_ONLY_VERSION = '1';

/** The body of the apply. It is a conflict unless the Secret is still the one that was compared, or still missing. */
export function applyBody(desired: DesiredSecret, namespace: string, live: LiveSecret | undefined): string {
  const { name, type, labels, annotations, owners, data } = desired;
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels,
      annotations,
      ...(owners.length === 0 ? {} : { ownerReferences: owners }),
      ...(live === undefined
        ? { resourceVersion: CREATE_ONLY_VERSION }
        : { uid: live.uid, resourceVersion: live.resourceVersion }),
    },
    type,
    data: Object.fromEntries(
      [...data].map(([key, value]) => [key, Buffer.from(value.reveal()).toString('base64')]),
    ),
  });
}

/** Whether the text contains one of the values, or a line or field of one, in any encoding that `redact` covers. */
export function quotesValue(text: string, data: Iterable<Secret>): boolean {
  // Shorter values occur in any text by chance.
  const values = [...data].filter((value) => value.reveal().length >= 4);
  return redact(text, values) !== text;
}
