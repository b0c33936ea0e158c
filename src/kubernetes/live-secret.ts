/**
 * A Secret as the API server returns it, parsed, with who holds what of it.
 *
 * Server-side apply records for every field who manages it (`managedFields`); from that record, the mark and the annotation
 * follows whether a Secret is ours, another's, or that of another config of ours. Values are wrapped on arrival.
 */

import type { Plan } from '../config/plan.ts';
import { Secret } from '../core/secret.ts';
import { asList, asObject } from '../core/unknown.ts';

/** The field manager of server-side apply, and the value of the mark. */
export const MANAGER = 'podsecrets';
/** Ours wins over one that the config gives: charts set it to Helm on all their objects, and these are not Helm's. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/** Annotation: the config that the Secret comes from. */
export const CONFIG = 'podsecrets.io/config';
/** Annotation: the Secrets of that config, so that one that left the config is found again without listing them all. */
export const SIBLINGS = 'podsecrets.io/secrets';

/** Who a Secret dies with, as Kubernetes writes it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The name that Secrets carry of their config: `metadata.name`, else the file's name without its ending. */
export function configIdentity(plan: Plan): string {
  return plan.name ?? plan.file.slice(plan.file.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '');
}

/** What matters of a Secret in the cluster. */
export interface LiveSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owners: readonly OwnerReference[];
  readonly data: ReadonlyMap<string, Secret>;
  /** What our applies hold: `data.password`, `labels.app`, `annotations.x`, `owner.UID`. Undefined: nothing ever. */
  readonly held: ReadonlySet<string> | undefined;
  /** Everybody else who manages a field. */
  readonly others: readonly string[];
}

/** Reads the answer to a GET; undefined when it is not a Secret. */
export function parseLiveSecret(answer: unknown): LiveSecret | undefined {
  const secret = asObject(answer);
  const metadata = asObject(secret.metadata);
  if (secret.kind !== 'Secret' || typeof metadata.uid !== 'string') return undefined;
  const managers = asList(metadata.managedFields).map(asObject);
  const ours = managers.filter((entry) => entry.manager === MANAGER && entry.operation === 'Apply');
  return {
    uid: metadata.uid,
    resourceVersion: String(metadata.resourceVersion),
    type: String(secret.type),
    immutable: secret.immutable === true,
    labels: texts(metadata.labels),
    annotations: texts(metadata.annotations),
    owners: asList(metadata.ownerReferences).map(asObject).map(ownerReference),
    data: new Map(
      Object.entries(texts(secret.data)).map(([key, value]) => [
        key,
        new Secret(Buffer.from(value, 'base64')),
      ]),
    ),
    held:
      ours.length === 0
        ? undefined
        : new Set(ours.flatMap((entry) => managedFields(asObject(entry.fieldsV1)))),
    others: [
      ...new Set(managers.filter((entry) => !ours.includes(entry)).map((entry) => String(entry.manager))),
    ],
  };
}

function ownerReference(owner: Record<string, unknown>): OwnerReference {
  return {
    apiVersion: String(owner.apiVersion),
    kind: String(owner.kind),
    name: String(owner.name),
    uid: String(owner.uid),
  };
}

/** `{"f:data":{"f:password":{}},"f:metadata":{"f:ownerReferences":{"k:{\"uid\":\"…\"}":{}}}}`, as names. */
function managedFields(fields: Record<string, unknown>): readonly string[] {
  const metadata = asObject(fields['f:metadata']);
  const names = (prefix: string, of: unknown) =>
    Object.keys(asObject(of)).flatMap((name) =>
      name.startsWith('f:') ? [`${prefix}.${name.slice(2)}`] : [],
    );
  const owners = Object.keys(asObject(metadata['f:ownerReferences'])).flatMap((name) => {
    const uid = /^k:.*"uid":"([^"]+)"/.exec(name)?.[1];
    return uid === undefined ? [] : [`owner.${uid}`];
  });
  return [
    ...names('data', fields['f:data']),
    ...names('labels', metadata['f:labels']),
    ...names('annotations', metadata['f:annotations']),
    ...owners,
  ];
}

/** Whose a Secret is: this config's, another config's of ours, or somebody else's. */
export type Ownership =
  | { readonly kind: 'ours' }
  | { readonly kind: 'config'; readonly config: string }
  | { readonly kind: 'foreign'; readonly managers: readonly string[] };

/**
 * Whose the Secret is, seen from a config. The mark or our part in `managedFields` makes it ours: backups lose the one,
 * people the other, and since nothing is ever forced, a field that another manager changed still stops us.
 */
export function ownershipOf(live: LiveSecret, config: string): Ownership {
  if (live.held === undefined && live.labels[MANAGED_BY_LABEL] !== MANAGER)
    return { kind: 'foreign', managers: live.others };
  const from = live.annotations[CONFIG];
  return from === undefined || from === config ? { kind: 'ours' } : { kind: 'config', config: from };
}

/** Whether we made it and may remove it: every sign must say so, for nothing brings it back. */
export function canDelete(live: LiveSecret, config: string): boolean {
  return (
    live.held !== undefined &&
    live.labels[MANAGED_BY_LABEL] === MANAGER &&
    live.annotations[CONFIG] === config
  );
}

/** The Secrets of the same config at the last apply, as the annotation tells. */
export function managedNames(live: LiveSecret): readonly string[] {
  return (live.annotations[SIBLINGS] ?? '').split(',').filter((name) => name !== '');
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter(([, text]) => typeof text === 'string'),
  ) as Record<string, string>;
}
