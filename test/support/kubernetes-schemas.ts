/**
 * Validates manifests with the published schemas of Kubernetes releases; unknown fields are rejected.
 *
 * The schemas are those that test/kubernetes/fetch-schemas.ts took; ajv validates. SecretProviderClass is no kind of
 * Kubernetes itself: its schema follows the documented fields of its custom resource.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseAllDocuments } from 'yaml';

export const releases = ['1.29', '1.34', '1.36'] as const;
export type Release = (typeof releases)[number];

/** The releases that have what a manifest uses: fileKeyRef and image volumes came with 1.34. */
export function releasesOf(text: string): readonly Release[] {
  return /fileKeyRef|podsecrets-program/.test(text) ? releases.slice(releases.indexOf('1.34')) : releases;
}

/** Why a release rejects the objects of a YAML (or JSON) text; empty if it accepts them. */
export function manifestFaults(text: string, release: Release): readonly string[] {
  // Kubernetes' tools leave base 60 numbers and dates as text.
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) =>
      tags.filter(
        (tag) =>
          typeof tag === 'string' ||
          !(('format' in tag && tag.format === 'TIME') || tag.tag.endsWith(':timestamp')),
      ),
  });
  if (!Array.isArray(documents)) return ['expected a document'];
  return documents.flatMap((document) => [
    ...document.errors.map(String),
    ...objectFaults(document.toJS(), release),
  ]);
}

/** Why a release rejects one object, or the items of a list. */
export function objectFaults(object: unknown, release: Release): readonly string[] {
  // Comments between two `---` are a document with the value null.
  if (object === null) return [];
  const { apiVersion, kind, items, metadata } = object as Record<string, unknown>;
  if (kind === 'List') return (items as readonly unknown[]).flatMap((item) => objectFaults(item, release));
  const validate = validatorsOf(release).get(`${apiVersion}/${kind}`);
  const subject = `${kind}/${(metadata as { readonly name?: string } | undefined)?.name}`;
  if (validate === undefined)
    return [`${subject}: expected a kind of Kubernetes ${release}, got ${apiVersion}`];
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    (error) => `${subject}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`,
  );
}

const cache = new Map<Release, ReadonlyMap<string, ValidateFunction>>();

function validatorsOf(release: Release): ReadonlyMap<string, ValidateFunction> {
  const known = cache.get(release);
  if (known !== undefined) return known;
  const file = join(import.meta.dirname, '../fixtures/kubernetes-schemas', `${release}.json.gz`);
  const { $defs } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    readonly $defs: Readonly<Record<string, Definition>>;
  };
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'kubernetes', $defs });
  const validators = new Map<string, ValidateFunction>([[CLASS, ajv.compile(secretProviderClass)]]);
  for (const [name, definition] of Object.entries($defs)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      // Kubernetes calls most fields optional; without these two nothing is an object at all.
      const schema = {
        allOf: [{ $ref: `kubernetes#/$defs/${name}` }, { required: ['apiVersion', 'kind', 'metadata'] }],
      };
      validators.set(`${group === '' ? '' : `${group}/`}${version}/${kind}`, ajv.compile(schema));
    }
  }
  cache.set(release, validators);
  return validators;
}

interface Definition {
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

const CLASS = 'secrets-store.csi.x-k8s.io/v1/SecretProviderClass';
const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const secretProviderClass = {
  type: 'object',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: 'object' },
    spec: {
      type: 'object',
      additionalProperties: false,
      properties: {
        provider: text,
        parameters: texts,
        secretObjects: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            properties: {
              secretName: text,
              type: text,
              labels: texts,
              annotations: texts,
              data: {
                type: 'array',
                items: {
                  type: 'object',
                  additionalProperties: false,
                  properties: { objectName: text, key: text },
                },
              },
            },
          },
        },
      },
    },
  },
};
