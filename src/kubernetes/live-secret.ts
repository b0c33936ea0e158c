/**
 * A Secret as the API server returns it: parsed, with the managers of its fields and its owner.
 *
 * Server-side apply records the manager of every field (`managedFields`). This record, the label and the annotation determine
 * whether a Secret belongs to this config, another config, the CSI driver or another manager. Values are wrapped in Secrets at once.
 */

import { Problem } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';
import { quote } from '../core/text.ts';
import { asList, asObject } from '../core/unknown.ts';
import type { KubernetesApi } from './api.ts';
import { type KubernetesRequest, toProblem } from './api-problems.ts';

/** The field manager of podsecrets, and the value of the label. */
export const MANAGER = 'podsecrets';
/** Replaces a value in the config: charts set this label to Helm on all their objects, but Helm does not manage these Secrets. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/** Annotation: the config of the Secret. */
export const CONFIG = 'podsecrets.io/config';
/** Annotation: all Secrets of that config, so that one that was removed from the config is found without listing the namespace. */
export const SIBLINGS = 'podsecrets.io/secrets';
/** The CSI driver sets this label to "true" on the Secrets that it syncs. */
export const DRIVER_LABEL = 'secrets-store.csi.k8s.io/managed';
const DRIVER_MANAGER = 'secrets-store-csi-driver';

/** An entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The parts of a Secret that podsecrets reads. */
export interface LiveSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owners: readonly OwnerReference[];
  readonly data: ReadonlyMap<string, Secret>;
  /** Fields that podsecrets manages: `data.password`, `labels.app`, `annotations.x`, `owner.UID`. Undefined: it never applied. */
  readonly managed: ReadonlySet<string> | undefined;
  /** The other field managers. */
  readonly otherManagers: readonly string[];
  /** The CSI driver's part; undefined if the Secret has neither the driver's label nor its field manager. */
  readonly driver: DriverPart | undefined;
}

/** The CSI driver's part of a Secret. */
interface DriverPart {
  /** Fields that the driver manages, in the notation of `managed`; undefined if there is only the label. */
  readonly fields: ReadonlySet<string> | undefined;
  /** `managedFields` without the driver's entries. */
  readonly otherEntries: readonly unknown[];
}

/** The Secret; undefined if it does not exist. Throws a Problem for any other response. */
export async function readSecret(api: KubernetesApi, name: string): Promise<LiveSecret | undefined> {
  const request = secretRequest(api, 'get', name);
  const response = await api.send(request);
  if (response.status === 404) return undefined;
  const live = response.status === 200 ? parseLiveSecret(response.body) : undefined;
  if (live === undefined) throw toProblem(request, response);
  return live;
}

/** The request for a Secret of the pod's namespace. */
export function secretRequest(
  api: KubernetesApi,
  verb: KubernetesRequest['verb'],
  name: string,
): KubernetesRequest {
  return { verb, group: '', resource: 'secrets', name, namespace: api.namespace };
}

/** Parses the body of a response; undefined if it is not a Secret. */
export function parseLiveSecret(body: unknown): LiveSecret | undefined {
  const secret = asObject(body);
  const metadata = asObject(secret.metadata);
  if (secret.kind !== 'Secret' || typeof metadata.uid !== 'string') return undefined;
  const labels = texts(metadata.labels);
  const entries = asList(metadata.managedFields).map(asObject);
  const own = entries.filter((entry) => entry.manager === MANAGER);
  const applied = own.filter((entry) => entry.operation === 'Apply');
  const drivers = entries.filter((entry) => entry.manager === DRIVER_MANAGER);
  return {
    uid: metadata.uid,
    resourceVersion: String(metadata.resourceVersion),
    type: String(secret.type),
    immutable: secret.immutable === true,
    labels,
    annotations: texts(metadata.annotations),
    owners: asList(metadata.ownerReferences).map(asObject).map(ownerReference),
    data: new Map(
      Object.entries(texts(secret.data)).map(([key, value]) => [
        key,
        new Secret(Buffer.from(value, 'base64')),
      ]),
    ),
    managed: fieldsOf(applied),
    otherManagers: [
      ...new Set(entries.filter((entry) => !own.includes(entry)).map((entry) => String(entry.manager))),
    ],
    driver:
      labels[DRIVER_LABEL] === 'true' || drivers.length > 0
        ? {
            fields: fieldsOf(drivers),
            otherEntries: entries.filter((entry) => !drivers.includes(entry)),
          }
        : undefined,
  };
}

function ownerReference(owner: Readonly<Record<string, unknown>>): OwnerReference {
  return {
    apiVersion: String(owner.apiVersion),
    kind: String(owner.kind),
    name: String(owner.name),
    uid: String(owner.uid),
  };
}

function fieldsOf(entries: readonly Readonly<Record<string, unknown>>[]): ReadonlySet<string> | undefined {
  if (entries.length === 0) return undefined;
  return new Set(entries.flatMap((entry) => fieldNames(asObject(entry.fieldsV1))));
}

/** `{"f:data":{"f:password":{}},"f:metadata":{"f:ownerReferences":{"k:{\"uid\":\"…\"}":{}}}}`, as names. */
function fieldNames(fields: Readonly<Record<string, unknown>>): readonly string[] {
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

/** The owner of a Secret: this config, another config, the CSI driver, or other managers. */
export type Ownership =
  | { readonly kind: 'own' }
  | { readonly kind: 'config'; readonly config: string }
  | { readonly kind: 'driver' }
  | { readonly kind: 'foreign'; readonly managers: readonly string[] };

/**
 * The owner of the Secret from a config's point of view. Either the label or the entry in `managedFields` is sufficient, because a backup
 * loses the entry, and people remove the label. A field that another manager changed is still a conflict, because such an apply is
 * never forced.
 */
export function ownershipOf(live: LiveSecret, config: string): Ownership {
  if (live.managed === undefined && live.labels[MANAGED_BY_LABEL] !== MANAGER)
    return live.driver === undefined ? { kind: 'foreign', managers: live.otherManagers } : { kind: 'driver' };
  const from = live.annotations[CONFIG];
  return from === undefined || from === config ? { kind: 'own' } : { kind: 'config', config: from };
}

/** Whether this config created it and may delete it. Entry, label and annotation must agree, because a deletion is final. */
export function canDelete(live: LiveSecret, config: string): boolean {
  return (
    live.managed !== undefined &&
    live.labels[MANAGED_BY_LABEL] === MANAGER &&
    live.annotations[CONFIG] === config
  );
}

/** The Secrets of the same config at the last apply, from the annotation. */
export function managedNames(live: LiveSecret): readonly string[] {
  return (live.annotations[SIBLINGS] ?? '').split(',').filter((name) => name !== '');
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter(([, text]) => typeof text === 'string'),
  ) as Record<string, string>;
}

/** The part of a desired Secret that is compared with the live one. */
export interface WantedSecret {
  readonly name: string;
  readonly type: string;
}

/** The conditions under which Secrets may be changed. */
export interface OwnershipTerms {
  readonly config: string;
  readonly namespace: string;
  /** `--adopt-driver-secrets`. */
  readonly adoptDriverSecrets: boolean;
}

/** Throws the Problem of a Secret that another manager or another config owns, or that has another type. */
export function rejectForeign(live: LiveSecret, secret: WantedSecret, terms: OwnershipTerms): void {
  const { config, namespace } = terms;
  const ownership = ownershipOf(live, config);
  switch (ownership.kind) {
    case 'driver':
      if (!terms.adoptDriverSecrets) throw driverManaged(secret, namespace);
      rejectOtherType(live, secret, namespace);
      return;
    case 'own':
      rejectOtherType(live, secret, namespace);
      return;
    case 'foreign':
      throw foreign(secret, namespace, ownership.managers);
    case 'config':
      throw new Problem({
        code: 'kubernetes.foreign',
        subject: subjectOf(secret, namespace),
        message: `belongs to the config ${quote(ownership.config)}, not to ${quote(config)}`,
        remedy: `Choose another secretName; or, if the config was renamed: kubectl -n ${namespace} annotate --overwrite secret ${secret.name} podsecrets.io/config=${config}`,
      });
    default:
      ownership satisfies never;
  }
}

function rejectOtherType(live: LiveSecret, secret: WantedSecret, namespace: string): void {
  if (live.type === secret.type) return;
  throw unchangeable(
    secret,
    namespace,
    `expected type ${quote(secret.type)}, got ${quote(live.type)}: the type of a Secret cannot change`,
  );
}

function driverManaged(secret: WantedSecret, namespace: string): Problem {
  return new Problem({
    code: 'kubernetes.foreign',
    subject: subjectOf(secret, namespace),
    message: 'is managed by the Secrets Store CSI driver',
    remedy:
      'Add --adopt-driver-secrets to take it over while old pods still run (do not delete it: they use it), or choose another secretName.',
  });
}

function foreign(secret: WantedSecret, namespace: string, managers: readonly string[]): Problem {
  const by = managers.length === 0 ? 'another writer' : managers.map(quote).join(', ');
  return new Problem({
    code: 'kubernetes.foreign',
    subject: subjectOf(secret, namespace),
    message: `is managed by ${by}, not by podsecrets`,
    remedy: `Choose another secretName; or delete it and podsecrets creates it: kubectl -n ${namespace} delete secret ${secret.name}`,
  });
}

/** The Problem of a Secret that can only be recreated. */
export function unchangeable(secret: WantedSecret, namespace: string, message: string): Problem {
  return new Problem({
    code: 'kubernetes.content',
    subject: subjectOf(secret, namespace),
    message,
    remedy: `Delete it and podsecrets recreates it: kubectl -n ${namespace} delete secret ${secret.name}`,
  });
}

function subjectOf(secret: WantedSecret, namespace: string): string {
  return `Secret ${namespace}/${secret.name}`;
}
