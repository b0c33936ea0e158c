/**
 * Manifests in, manifests with podsecrets out.
 *
 * The steps: 1. read every document; 2. gather the SecretProviderClasses; 3. bind volumes to them, pod by pod; 4. say what
 * cannot work, all of it at once; 5. change the pods; 6. make the ConfigMaps and, for Secrets, the RBAC; 7. write what
 * changed into the text, and leave every other byte as it was. Doing it again changes nothing.
 */

import type { Document } from 'yaml';
import { Problem, throwProblems } from '../problem.ts';
import { printable } from '../text.ts';
import { type Binding, bindingsOf, type Wanted } from './binding.ts';
import type { Choices } from './choices.ts';
import { isOwn } from './container.ts';
import { isSame, type Mapping, mappingsOf, textOf, valueAt } from './data.ts';
import { obstaclesOf } from './obstacles.ts';
import { injectPod } from './pod.ts';
import { type Grant, rbacOf } from './rbac.ts';
import { applyEdits, type Edit, editsFor } from './rewrite.ts';
import { configMapOf, configMapText, isSecretProviderClass, type Source, sourceOf } from './source.ts';
import { mapObjects, objectsOf, type Workload, withPod, workloadOf } from './workload.ts';
import { blockText, type Manifests, parseManifests } from './yaml-text.ts';

export interface Input {
  /** The manifests' file, as errors name it. */
  readonly file: string;
  readonly text: string;
  /** What `--config` named. */
  readonly configs: readonly {
    readonly file: string;
    readonly text: string;
    readonly dir: string | undefined;
  }[];
}

export interface Injected {
  /** The manifests as YAML. */
  readonly text: string;
  /** The same as values, lists taken apart. */
  readonly objects: readonly unknown[];
  readonly warnings: readonly Problem[];
}

/** Adds podsecrets to every pod that asks for it, or that the choices name. Throws Problems: all that cannot work. */
export function inject(input: Input, choices: Choices): Injected {
  const manifests = parseManifests(input.text, input.file);
  const values = manifests.documents.map((document) => document.toJS() as unknown);
  const sources = gatherSources(input, manifests, values);
  const bound = bindWorkloads(values.flatMap(objectsOf), sources, choices, input.file);

  const obstacles = bound.map(({ workload, bindings }) => obstaclesOf(workload, bindings, choices));
  throwProblems(obstacles.flatMap((found) => found.problems));

  const changed = new Map(
    bound.map(({ object, workload, bindings }) => [
      object,
      withPod(object, injectPod(workload.pod, bindings, choices)),
    ]),
  );
  const made = madeObjects(bound, choices);
  const known = values.flatMap(objectsOf).map((object) => ({ object, id: identityOf(object) }));
  const appended = [...made]
    .filter(([id]) => !known.some((one) => one.id === id))
    .map(([, object]) => object);
  const replace = (object: Mapping): Mapping =>
    changed.get(object) ?? converted(object, bound) ?? made.get(identityOf(object)) ?? object;

  const edits = manifests.documents.flatMap((document, index) =>
    documentEdits(input.text, document, values[index], mapObjects(values[index], replace)),
  );
  return {
    text: applyEdits(input.text, edits) + appendedText(input.text, appended),
    objects: [...values.flatMap(objectsOf).map(replace), ...appended],
    warnings: obstacles.flatMap((found) => found.warnings),
  };
}

/** Files first: what a person names wins over what lies in the input. */
function gatherSources(input: Input, manifests: Manifests, values: readonly unknown[]): readonly Source[] {
  const files = input.configs.map(({ file, text, dir }) => {
    const spec = parseManifests(text, file).documents[0]?.toJS() as unknown;
    if (isSecretProviderClass(spec))
      return sourceOf(spec, { subject: printable(file), from: 'file', text, dir });
    throw new Problem({
      code: 'config.document',
      subject: printable(file),
      message: 'expected a SecretProviderClass, got something else',
      remedy: 'Give the file that the Secrets Store CSI driver would be given.',
    });
  });
  const documents = values.flatMap((value, index) =>
    objectsOf(value).flatMap((object) =>
      sourceOfObject(object, value, input.text, manifests.documents[index]),
    ),
  );
  return [...files, ...documents];
}

function sourceOfObject(
  object: Mapping,
  document: unknown,
  text: string,
  parsed: Document.Parsed | undefined,
): readonly Source[] {
  if (isSecretProviderClass(object)) {
    const name = String(valueAt(object, 'metadata', 'name'));
    // An item of a list has no text of its own.
    const own = object === document && parsed !== undefined ? contentsText(text, parsed) : undefined;
    const subject = `SecretProviderClass/${printable(name)}`;
    return [sourceOf(object, { subject, from: 'document', text: own ?? blockText(object, PLAIN, 0) })];
  }
  const inside = configMapText(object);
  if (inside === undefined) return [];
  const name = String(valueAt(object, 'metadata', 'name'));
  const subject = `ConfigMap/${printable(name)}`;
  const spec = parseManifests(inside, subject).documents[0]?.toJS() as unknown;
  if (!isSecretProviderClass(spec)) return [];
  return [sourceOf(spec, { subject, from: 'configMap', text: inside, configMapName: name })];
}

const PLAIN = { indent: 2, indentSeq: false } as const;

interface Bound {
  readonly object: Mapping;
  readonly workload: Workload;
  readonly bindings: readonly Binding[];
}

function bindWorkloads(
  objects: readonly Mapping[],
  sources: readonly Source[],
  choices: Choices,
  file: string,
): readonly Bound[] {
  const workloads = objects.flatMap((object) => {
    const workload = workloadOf(object);
    return workload === undefined ? [] : [{ object, workload }];
  });
  const wanted: Wanted = { sources, forAll: [], dir: choices.dir };
  const bind = (now: Wanted): readonly Bound[] =>
    workloads.map((one) => ({ ...one, bindings: bindingsOf(one.workload.pod, now, one.workload.subject) }));

  const asked = bind(wanted);
  const kept = new Set(
    asked.flatMap(({ bindings }) => bindings.filter((one) => one.kept).map((one) => one.source)),
  );
  const bound = bind({ ...wanted, forAll: sourcesForAll(sources, kept) }).filter(
    ({ bindings }) => bindings.length > 0,
  );
  const done = workloads.some(({ workload }) =>
    [...mappingsOf(workload.pod.containers), ...mappingsOf(workload.pod.initContainers)].some(isOwn),
  );
  if (bound.length > 0 || done) return bound;
  throw new Problem({
    code: 'kubernetes.content',
    subject: printable(file),
    message:
      workloads.length === 0
        ? 'expected a Pod or something that makes pods, got none'
        : 'expected a volume of secrets-store.csi.k8s.io, a SecretProviderClass or --config, got none of them',
    remedy: 'Give the pod specs with -f, and the SecretProviderClass with --config.',
  });
}

/**
 * A config that serves a volume serves only that; one that nobody refers to is meant for every pod. A class in the input
 * is meant for every pod when it is the only thing that says what is wanted.
 */
function sourcesForAll(sources: readonly Source[], kept: ReadonlySet<Source>): readonly Source[] {
  const files = sources.filter((source) => source.from === 'file' && !kept.has(source));
  const documents = sources.filter((source) => source.from === 'document');
  const alone =
    documents.length === 1 && kept.size === 0 && sources.every((source) => source.from !== 'file');
  return alone ? documents : files;
}

/** What a SecretProviderClass of the input becomes when a pod uses it. */
function converted(object: Mapping, bound: readonly Bound[]): Mapping | undefined {
  if (!isSecretProviderClass(object)) return undefined;
  const name = textOf(valueAt(object, 'metadata', 'name'));
  const binding = bound
    .flatMap(({ bindings }) => bindings)
    .find(({ source }) => source.from === 'document' && source.name === name);
  return binding && configMapOf(binding.source, binding.source.namespace);
}

/** ConfigMaps of files, and RBAC, by identity: one for each namespace that has a pod which needs it. */
function madeObjects(bound: readonly Bound[], choices: Choices): ReadonlyMap<string, Mapping> {
  const grants = new Map<string, Grant>();
  const made: Mapping[] = [];
  for (const { workload, bindings } of bound) {
    const namespace = workload.namespace ?? choices.namespace;
    for (const { source } of bindings) {
      if (source.from === 'file') made.push(configMapOf(source, namespace));
    }
    const secretNames = bindings.flatMap(({ source }) => source.secretNames);
    if (!choices.syncSecrets || secretNames.length === 0) continue;
    const serviceAccount = textOf(workload.pod.serviceAccountName) ?? 'default';
    const id = JSON.stringify([namespace, serviceAccount]);
    grants.set(id, {
      namespace: namespace ?? missingNamespace(workload),
      serviceAccount,
      secretNames: [...(grants.get(id)?.secretNames ?? []), ...secretNames],
      readsOwners: choices.secretOwner === 'workload',
    });
  }
  made.push(...[...grants.values()].flatMap(rbacOf));
  return new Map(made.map((object) => [identityOf(object), object]));
}

function missingNamespace(workload: Workload): never {
  throw new Problem({
    code: 'usage.value',
    subject: '--namespace',
    message: `expected the namespace of ${workload.subject}, which a RoleBinding has to name, got none`,
    remedy: 'Add --namespace NAME, or metadata.namespace to the workload.',
  });
}

function identityOf(object: Mapping): string {
  const { name, namespace } = (object.metadata ?? {}) as Mapping;
  return JSON.stringify([object.kind, namespace ?? null, name ?? null]);
}

function documentEdits(
  text: string,
  document: Document.Parsed,
  before: unknown,
  after: unknown,
): readonly Edit[] {
  // A class that became a ConfigMap is another document, not a changed one.
  const isOther = !isSame(valueAt(before, 'kind'), valueAt(after, 'kind'));
  if (!isOther || document.contents === null) return editsFor(text, document, after);
  const [from] = document.contents.range;
  return [{ from, to: from + contentsText(text, document).length, text: blockText(after, PLAIN, 0) }];
}

/** The text of a document without what leads up to it: comments and `---`. */
function contentsText(text: string, document: Document.Parsed): string {
  if (document.contents === null) return '';
  const [from, , to] = document.contents.range;
  return text.slice(from, to);
}

function appendedText(text: string, objects: readonly Mapping[]): string {
  const before = text === '' || text.endsWith('\n') ? '' : '\n';
  return objects
    .map((object, index) => `${index === 0 ? before : ''}---\n${blockText(object, PLAIN, 0)}`)
    .join('');
}
