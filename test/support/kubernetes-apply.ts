/**
 * Server-side apply of Secrets as the API server does it: the manager of each field, conflicts, removed fields, and the
 * server's validation of Secrets. Only for what podsecrets sends; an unknown field is rejected, as fieldValidation=Strict does.
 */

export interface StoredSecret {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string; readonly [field: string]: unknown }[];
    readonly managedFields: readonly ManagedFields[];
  };
  readonly type: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

interface ManagedFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: 'v1';
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: unknown;
}

export type Applied =
  | { readonly kind: 'stored'; readonly secret: StoredSecret }
  | { readonly kind: 'rejected'; readonly status: number; readonly body: unknown };

interface SecretBody {
  readonly metadata: StoredSecret['metadata'];
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

/** Applies `body` for `manager` to the stored Secret. The leaves are those of Secrets: data, labels, annotations, owners, type. */
export function applySecretBody(
  live: StoredSecret | undefined,
  sent: unknown,
  manager: string,
  operation: 'Apply' | 'Update',
  fresh: { readonly uid: string; readonly resourceVersion: string },
  force = false,
): Applied {
  const unknown = unknownField(sent);
  if (unknown !== undefined)
    return rejected(400, 'BadRequest', `strict decoding error: unknown field "${unknown}"`);
  const body = sent as SecretBody;
  const name = body.metadata.name;
  if (live === undefined && body.metadata.uid !== undefined)
    return modified(
      name,
      `uid mismatch: the provided object specified uid ${body.metadata.uid}, and no existing object was found`,
    );
  if (live !== undefined && body.metadata.uid !== undefined && body.metadata.uid !== live.metadata.uid)
    return invalid(name, [
      { reason: 'FieldValueInvalid', field: 'metadata.uid', message: 'field is immutable' },
    ]);
  if (
    live !== undefined &&
    ![undefined, live.metadata.resourceVersion].includes(body.metadata.resourceVersion)
  )
    return modified(
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
    );

  const before = live === undefined ? new Map<string, unknown>() : leavesOf(live);
  const wanted = leavesOf(body);
  const entries = live?.metadata.managedFields ?? [];
  const mine = entries.find((entry) => entry.manager === manager && entry.operation === operation);
  const others = (
    operation === 'Apply' && entries.length === 0 && live !== undefined ? [beforeFirstApply(live)] : entries
  )
    .filter((entry) => entry !== mine)
    .map((entry) => ({ entry, held: heldBy(entry) }));

  if (operation === 'Apply' && !force) {
    const conflicts = [...wanted].flatMap(([leaf, value]) =>
      before.has(leaf) && JSON.stringify(before.get(leaf)) !== JSON.stringify(value)
        ? others
            .filter(({ held }) => held.has(leaf))
            .map(({ entry }) => ({
              reason: 'FieldManagerConflict',
              message: `conflict with "${entry.manager}"${entry.operation === 'Update' ? ' using v1 at 2026-01-01T00:00:00Z' : ''}`,
              field: fieldOf(leaf),
            }))
        : [],
    );
    if (conflicts.length > 0) {
      const message = `Apply failed with ${conflicts.length} conflict: ${conflicts[0]?.message}: ${conflicts[0]?.field}`;
      return rejected(409, 'Conflict', message, { name, kind: 'secrets', causes: conflicts });
    }
  }

  const after = new Map([...before, ...wanted]);
  for (const leaf of mine === undefined ? [] : heldBy(mine)) {
    if (!wanted.has(leaf) && !others.some(({ held }) => held.has(leaf))) after.delete(leaf);
  }
  const problems = validate(after, live);
  if (problems.length > 0) return invalid(name, problems);

  const kept = others.map(({ entry, held }) =>
    operation === 'Update' || force
      ? { ...entry, fieldsV1: fieldsV1([...held].filter((leaf) => !changed(leaf, before, wanted))) }
      : entry,
  );
  const held =
    operation === 'Apply'
      ? [...wanted.keys()]
      : [...wanted.keys()].filter((leaf) => changed(leaf, before, wanted));
  const managedFields = [
    ...kept,
    { manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: fieldsV1(held) } as const,
  ];
  return { kind: 'stored', secret: built(body, live, after, managedFields, fresh) };
}

/**
 * A JSON merge patch of a Secret: null removes, lists are replaced, uid and resourceVersion are preconditions. managedFields is
 * taken as sent. The manager gets an entry with what the patch changed, except when `[{}]` resets the list.
 */
export function mergePatchSecret(
  live: StoredSecret,
  sent: {
    readonly metadata: Record<string, unknown> & { readonly managedFields?: readonly ManagedFields[] };
    readonly data?: Readonly<Record<string, string | null>>;
  },
  manager: string,
  resourceVersion: string,
): Applied {
  const { uid, resourceVersion: version, labels, managedFields, ...metadata } = sent.metadata;
  if (uid !== live.metadata.uid || version !== live.metadata.resourceVersion)
    return modified(live.metadata.name, 'the object has been modified');
  const merged = (before: object, patch: unknown) =>
    Object.fromEntries(
      Object.entries({ ...before, ...(patch as object) }).filter(([, value]) => value !== null),
    ) as never;
  const next: StoredSecret = {
    ...live,
    metadata: merged(
      { ...live.metadata, labels: merged(live.metadata.labels ?? {}, labels), resourceVersion },
      metadata,
    ),
    data: merged(live.data ?? {}, sent.data),
  };
  const [before, after] = [leavesOf(live), leavesOf(next)];
  const made = [...after.keys()].filter((leaf) => changed(leaf, before, after));
  const isReset = managedFields?.length === 1 && managedFields[0]?.manager === undefined;
  const kept = isReset ? [] : managedFields?.length ? managedFields : live.metadata.managedFields;
  const others = kept
    .map((entry) => ({ ...entry, fieldsV1: fieldsV1([...heldBy(entry)].filter((leaf) => after.has(leaf))) }))
    .filter((entry) => entry.manager !== manager || entry.operation !== 'Update');
  const own: ManagedFields = {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: fieldsV1(made),
  };
  const metadataNext = {
    ...next.metadata,
    managedFields: made.length === 0 || isReset ? others : [...others, own],
  };
  return { kind: 'stored', secret: { ...next, metadata: metadataNext } };
}

function changed(
  leaf: string,
  before: ReadonlyMap<string, unknown>,
  wanted: ReadonlyMap<string, unknown>,
): boolean {
  return wanted.has(leaf) && JSON.stringify(before.get(leaf)) !== JSON.stringify(wanted.get(leaf));
}

function leavesOf(body: SecretBody): Map<string, unknown> {
  const { labels = {}, annotations = {}, ownerReferences = [] } = body.metadata;
  return new Map<string, unknown>([
    ...Object.entries(body.data ?? {}).map(([key, value]) => [`data\n${key}`, value] as const),
    ...Object.entries(labels).map(([key, value]) => [`labels\n${key}`, value] as const),
    ...Object.entries(annotations).map(([key, value]) => [`annotations\n${key}`, value] as const),
    ...ownerReferences.map((owner) => [`owner\n${owner.uid}`, owner] as const),
    ...(body.type === undefined ? [] : [['type\n', body.type] as const]),
    ...(body.immutable === undefined ? [] : [['immutable\n', body.immutable] as const]),
  ]);
}

function section(leaves: ReadonlyMap<string, unknown>, part: string): Record<string, string> {
  const within = [...leaves].filter(([leaf]) => leaf.startsWith(`${part}\n`));
  return Object.fromEntries(within.map(([leaf, value]) => [leaf.slice(part.length + 1), value as string]));
}

function built(
  body: SecretBody,
  live: StoredSecret | undefined,
  leaves: ReadonlyMap<string, unknown>,
  managedFields: readonly ManagedFields[],
  fresh: { readonly uid: string; readonly resourceVersion: string },
): StoredSecret {
  const owners = Object.values(
    section(leaves, 'owner'),
  ) as unknown as StoredSecret['metadata']['ownerReferences'];
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: body.metadata.name,
      namespace: body.metadata.namespace,
      uid: live?.metadata.uid ?? fresh.uid,
      resourceVersion: fresh.resourceVersion,
      labels: section(leaves, 'labels'),
      annotations: section(leaves, 'annotations'),
      ...(owners?.length ? { ownerReferences: owners } : {}),
      managedFields,
    },
    type: String(leaves.get('type\n') ?? 'Opaque'),
    ...(leaves.get('immutable\n') === true ? { immutable: true } : {}),
    data: section(leaves, 'data'),
  };
}

/** The entry that the server records for an object without managers at its first apply: all of its fields. */
function beforeFirstApply(live: StoredSecret): ManagedFields {
  const fields = fieldsV1([...leavesOf(live).keys()]);
  return {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
  };
}

/** `.` members appear for Update only, as with the server. */
function fieldsV1(leaves: readonly string[]): unknown {
  const part = (name: string) =>
    Object.fromEntries(
      leaves
        .filter((leaf) => leaf.startsWith(`${name}\n`))
        .map((leaf) => [`f:${leaf.slice(name.length + 1)}`, {}]),
    );
  const owners = leaves.filter((leaf) => leaf.startsWith('owner\n')).map((leaf) => leaf.slice(6));
  return {
    'f:data': part('data'),
    'f:metadata': {
      'f:labels': part('labels'),
      'f:annotations': part('annotations'),
      ...(owners.length
        ? { 'f:ownerReferences': Object.fromEntries(owners.map((uid) => [`k:{"uid":"${uid}"}`, {}])) }
        : {}),
    },
    ...(leaves.includes('type\n') ? { 'f:type': {} } : {}),
    ...(leaves.includes('immutable\n') ? { 'f:immutable': {} } : {}),
  };
}

function heldBy(entry: ManagedFields): ReadonlySet<string> {
  const fields = entry.fieldsV1 as Record<string, Record<string, Record<string, unknown>>>;
  const names = (part: string, of: object | undefined) =>
    Object.keys(of ?? {}).map((name) => `${part}\n${name.slice(2)}`);
  const metadata = fields['f:metadata'] ?? {};
  const owners = Object.keys(metadata['f:ownerReferences'] ?? {}).map(
    (name) => `owner\n${JSON.parse(name.slice(2)).uid}`,
  );
  return new Set([
    ...names('data', fields['f:data']),
    ...names('labels', metadata['f:labels']),
    ...names('annotations', metadata['f:annotations']),
    ...owners,
    ...('f:type' in fields ? ['type\n'] : []),
    ...('f:immutable' in fields ? ['immutable\n'] : []),
  ]);
}

function fieldOf(leaf: string): string {
  const [part = '', key = ''] = leaf.split('\n');
  if (part === 'data') return `.data.${key}`;
  if (part === 'owner') return `.metadata.ownerReferences[uid="${key}"]`;
  return part === 'type' || part === 'immutable' ? `.${part}` : `.metadata.${part}.${key}`;
}

interface Cause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

/** The server's ValidateSecret and ValidateSecretUpdate. */
function validate(leaves: ReadonlyMap<string, unknown>, live: StoredSecret | undefined): readonly Cause[] {
  const data = section(leaves, 'data');
  const type = String(leaves.get('type\n') ?? 'Opaque');
  const causes: Cause[] = [];
  const needs = (key: string) => {
    if (data[key] === undefined)
      causes.push({ reason: 'FieldValueRequired', field: `data[${key}]`, message: 'Required value' });
  };
  if (type === 'kubernetes.io/tls') for (const key of ['tls.crt', 'tls.key']) needs(key);
  if (type === 'kubernetes.io/dockerconfigjson') needs('.dockerconfigjson');
  if (type === 'kubernetes.io/ssh-auth' && !data['ssh-privatekey']) needs('ssh-privatekey');
  for (const [key, value] of Object.entries(data)) {
    if (!/^[-._a-zA-Z0-9]+$/.test(key))
      causes.push({ reason: 'FieldValueInvalid', field: `data[${key}]`, message: `Invalid value: "${key}"` });
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0)
      causes.push({
        reason: 'FieldValueInvalid',
        field: `data[${key}]`,
        message: `Invalid value: "${value}"`,
      });
  }
  if (live !== undefined && live.type !== type)
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'type',
      message: `Invalid value: "${type}": field is immutable`,
    });
  if (live?.immutable && JSON.stringify(live.data) !== JSON.stringify(data))
    causes.push({
      reason: 'FieldValueForbidden',
      field: 'data',
      message: 'Forbidden: field is immutable when `immutable` is set',
    });
  return causes;
}

function unknownField(sent: unknown): string | undefined {
  const known = {
    '': ['apiVersion', 'kind', 'metadata', 'type', 'immutable', 'data'],
    metadata: ['name', 'namespace', 'labels', 'annotations', 'ownerReferences', 'uid', 'resourceVersion'],
  } as const;
  const body = sent as Record<string, Record<string, unknown>>;
  const strange = (part: keyof typeof known, of: object) =>
    Object.keys(of).find((field) => !(known[part] as readonly string[]).includes(field));
  const nested = strange('metadata', body.metadata ?? {});
  return strange('', body) ?? (nested === undefined ? undefined : `metadata.${nested}`);
}

function modified(name: string, why: string): Applied {
  const message = `Operation cannot be fulfilled on secrets "${name}": ${why}`;
  return rejected(409, 'Conflict', message, { name, kind: 'secrets' });
}

function invalid(name: string, causes: readonly Cause[]): Applied {
  const message = `Secret "${name}" is invalid: ${causes.map((cause) => `${cause.field}: ${cause.message}`).join(', ')}`;
  return rejected(422, 'Invalid', message, { name, kind: 'Secret', causes });
}

function rejected(status: number, reason: string, message: string, details?: unknown): Applied {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: status,
    reason,
    message,
    details,
  };
  return { kind: 'rejected', status, body };
}
