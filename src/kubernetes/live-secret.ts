/**
 * A Secret as the API server returns it, parsed, with who holds what of it.
 *
 * Server-side apply records for every field who manages it (`managedFields`); from that record, the mark and the annotation
 * follows whether a Secret is ours, another's, or that of another config of ours. Values are wrapped on arrival.
 */

import { Problem } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';
import { quote } from '../core/text.ts';
import { asList, asObject } from '../core/unknown.ts';
import type { KubernetesApi } from './api.ts';
import { type KubernetesRequest, toProblem } from './api-problems.ts';

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
function parseLiveSecret(answer: unknown): LiveSecret | undefined {
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

/** The Secret; undefined when there is none. Throws the Problem of any other answer. */
export async function readSecret(api: KubernetesApi, name: string): Promise<LiveSecret | undefined> {
  const request = secretRequest(api, 'get', name);
  const answer = await api.send(request);
  if (answer.status === 404) return undefined;
  const live = answer.status === 200 ? parseLiveSecret(answer.body) : undefined;
  if (live === undefined) throw toProblem(request, answer);
  return live;
}

/** The request for a Secret of our namespace. */
export function secretRequest(
  api: KubernetesApi,
  verb: KubernetesRequest['verb'],
  name: string,
): KubernetesRequest {
  return { verb, group: '', resource: 'secrets', name, namespace: api.namespace };
}

/** What is wanted of the Secret, as far as it decides whether it is ours. */
export interface WantedSecret {
  readonly name: string;
  readonly type: string;
}

/** Throws the Problem of a Secret that is somebody else's, of another config, or of another type. */
export function refuseForeign(
  live: LiveSecret,
  secret: WantedSecret,
  config: string,
  namespace: string,
): void {
  const belonging = ownershipOf(live, config);
  switch (belonging.kind) {
    case 'ours':
      // A type is for life.
      if (live.type !== secret.type)
        throw unchangeable(
          secret,
          namespace,
          `type ${quote(secret.type)}, got ${quote(live.type)}, which never changes`,
        );
      return;
    case 'foreign':
      throw foreign(secret, namespace, belonging.managers);
    case 'config':
      throw new Problem({
        code: 'kubernetes.foreign',
        subject: subjectOf(secret, namespace),
        message: `expected a Secret of the config ${quote(config)}, got one of ${quote(belonging.config)}`,
        remedy: `Choose another secretName; or, if the config was renamed: kubectl -n ${namespace} annotate --overwrite secret ${secret.name} podsecrets.io/config=${config}`,
      });
    default:
      belonging satisfies never;
  }
}

function foreign(secret: WantedSecret, namespace: string, managers: readonly string[]): Problem {
  const whose = managers.length === 0 ? 'somebody else' : managers.map(quote).join(', ');
  return new Problem({
    code: 'kubernetes.foreign',
    subject: subjectOf(secret, namespace),
    message: `expected a Secret of podsecrets, got one managed by ${whose}`,
    remedy: `Choose another secretName; or delete it, and it is made anew: kubectl -n ${namespace} delete secret ${secret.name}`,
  });
}

/** The Problem of a Secret that can only be made anew. */
export function unchangeable(secret: WantedSecret, namespace: string, expected: string): Problem {
  return new Problem({
    code: 'kubernetes.content',
    subject: subjectOf(secret, namespace),
    message: `expected ${expected}`,
    remedy: `Delete it, and it is made anew: kubectl -n ${namespace} delete secret ${secret.name}`,
  });
}

function subjectOf(secret: WantedSecret, namespace: string): string {
  return `Secret ${namespace}/${secret.name}`;
}
