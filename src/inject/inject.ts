/**
 * Adds podsecrets to manifests.
 *
 * The steps: 1. read every document; 2. find the SecretProviderClasses and assign them to pods; 3. read those
 * configs; 4. report everything that cannot work; 5. change the pods, and generate the objects they need; 6. write the
 * changes into the text, without changing any other byte. Injecting again changes nothing.
 */

import type { Document } from 'yaml';
import { type Problem, throwProblems } from '../core/problem.ts';
import { valueAt } from '../core/unknown.ts';
import { type Assignment, assign } from './assign.ts';
import { generatedObjects, identityOf } from './generated-objects.ts';
import { isSame, type KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { unconverted } from './other-kinds.ts';
import { injectPod } from './pod.ts';
import {
  type ConfigFile,
  configMapOf,
  findSources,
  isSecretProviderClass,
  type ManifestFile,
  planOf,
  type ReadDocument,
  type Source,
} from './sources.ts';
import { ineffectiveOptions, validateOptions } from './validate-options.ts';
import { validatePod } from './validate-pod.ts';
import type { PlannedBinding } from './volumes.ts';
import { mapObjects, objectsOf, withoutServerFields, withPod, workloadOf } from './workload.ts';
import { blockText, contentsText, KUBECTL_STYLE, parseManifests } from './yaml.ts';
import { applyEdits, type Edit, editsFor } from './yaml-edit.ts';

/** Manifests, and the configs that were named for them. */
export interface Input {
  readonly manifests: readonly ManifestFile[];
  readonly configs: readonly ConfigFile[];
}

/** The injected manifests. */
export interface Injected {
  /** The manifests as YAML: all files, one after the other. */
  readonly text: string;
  /** Each file with its new text. */
  readonly files: readonly ManifestFile[];
  /** The same as values, with the items of lists separately. */
  readonly objects: readonly unknown[];
  readonly warnings: readonly Problem[];
}

/** Adds podsecrets to every pod with a volume of the CSI driver or a named config. Throws Problems: everything that cannot work. */
export async function inject(input: Input, options: InjectOptions): Promise<Injected> {
  // 1.
  const documents = input.manifests.flatMap((manifest) =>
    parseManifests(manifest.text, manifest.file).map((document) => ({
      manifest,
      document,
      value: document.toJS() as unknown,
    })),
  );
  const objects = documents.flatMap(({ value }) => objectsOf(value));
  // 2.
  const sources = findSources(input.configs, documents);
  const names = input.manifests.map(({ file }) => file).join(', ');
  const others = unconverted(objects);
  const assigned = assign(objects, sources, options, { names, others });
  // 3.
  const { assignments, warnings } = await withPlans(assigned, options);
  // 4.
  const validations = assignments.map((one) => validatePod(one.workload, one.bindings, options));
  throwProblems([...validateOptions(options), ...validations.flatMap((found) => found.problems)]);
  // 5.
  const generated = generatedObjects(assignments, options);
  const known = new Set(objects.map(identityOf));
  const added = [...generated].filter(([id]) => !known.has(id)).map(([, object]) => object);
  const isAssigned = (object: KubeObject) => assignments.some((one) => one.object === object);
  const replace = (object: KubeObject): KubeObject =>
    injectedObject(object, assignments, options) ??
    convertedClass(object, assignments, options) ??
    generated.get(identityOf(object)) ??
    (isFromCluster(object) ? withoutServerFields(object) : object);
  // 6.
  const first = documents.find(({ value }) => objectsOf(value).some(isAssigned));
  // A class after the first workload is moved before it, also out of a List.
  const moved = objects
    .slice(objects.findIndex(isAssigned) + 1)
    .filter((object) => convertedClass(object, assignments, options) !== undefined);
  const isMoved = (object: KubeObject) => moved.includes(object);
  const needed = [...added, ...moved.map(replace)];
  const files = input.manifests.map((manifest) => {
    const edits = documents
      .filter((document) => document.manifest === manifest)
      .flatMap((document) => {
        const all = objectsOf(document.value);
        if (all.length > 0 && all.every(isMoved)) return [removal(document)];
        const keep = (object: KubeObject) => (isMoved(object) ? undefined : replace(object));
        return documentEdits(document, mapObjects(document.value, keep));
      });
    const isFirst = manifest === (first?.manifest ?? input.manifests[0]);
    const before = isFirst ? [insertion(manifest.text, first?.document, needed)] : [];
    return { file: manifest.file, text: applyEdits(manifest.text, [...before, ...edits]) };
  });
  const at = first === undefined ? 0 : documents.indexOf(first);
  const replaced = (some: readonly ReadDocument[]) =>
    some
      .flatMap(({ value }) => objectsOf(value))
      .filter((object) => !isMoved(object))
      .map(replace);
  return {
    text: joined(files.map(({ text }) => text)),
    files,
    objects: [...replaced(documents.slice(0, at)), ...needed, ...replaced(documents.slice(at))],
    warnings: [
      ...others,
      ...warnings,
      ...validations.flatMap((found) => found.warnings),
      ...ineffectiveOptions(assignments, options),
    ],
  };
}

/** A workload from `kubectl get`: its status changes often, so an apply with its resourceVersion would be a conflict. */
function isFromCluster(object: KubeObject): boolean {
  return valueAt(object, 'metadata', 'resourceVersion') !== undefined && workloadOf(object) !== undefined;
}

/** Reads each config once, so that a mistake is reported here and not only in the cluster. */
async function withPlans(
  assigned: readonly Assignment[],
  options: InjectOptions,
): Promise<{
  readonly assignments: readonly Assignment<PlannedBinding>[];
  readonly warnings: readonly Problem[];
}> {
  const used = new Set<Source>(assigned.flatMap(({ bindings }) => bindings.map(({ source }) => source)));
  const read = await Promise.all(
    [...used].map(async (source) => [source, await planOf(source, options)] as const),
  );
  throwProblems(read.flatMap(([, { problems }]) => problems));
  const plans = new Map(read);
  return {
    assignments: assigned.map((one) => ({
      ...one,
      bindings: one.bindings.flatMap((binding) => {
        const plan = plans.get(binding.source)?.plan;
        return plan === undefined ? [] : [{ ...binding, plan }];
      }),
    })),
    warnings: read.flatMap(([, { warnings }]) => warnings),
  };
}

function injectedObject(
  object: KubeObject,
  assignments: readonly Assignment<PlannedBinding>[],
  options: InjectOptions,
): KubeObject | undefined {
  const assignment = assignments.find((one) => one.object === object);
  if (assignment === undefined) return undefined;
  return withoutServerFields(
    withPod(object, injectPod(assignment.workload.pod, assignment.bindings, options)),
  );
}

/** The ConfigMap that a SecretProviderClass of the input becomes when a pod uses it. */
function convertedClass(
  object: KubeObject,
  assignments: readonly Assignment[],
  options: InjectOptions,
): KubeObject | undefined {
  if (!isSecretProviderClass(object)) return undefined;
  for (const { workload, bindings } of assignments) {
    const binding = bindings.find(({ source }) => source.object === object);
    if (binding === undefined) continue;
    const { source } = binding;
    return configMapOf(source, source.namespace ?? workload.namespace ?? options.namespace);
  }
  return undefined;
}

function documentEdits(
  { manifest: { text }, document, value: before }: ReadDocument,
  after: unknown,
): readonly Edit[] {
  // A class that became a ConfigMap is another document, not a changed one.
  const isOtherKind = !isSame(valueAt(before, 'kind'), valueAt(after, 'kind'));
  if (!isOtherKind || document.contents === null) return editsFor(text, document, after);
  const [from] = document.contents.range;
  const to = from + contentsText(text, document).length;
  return [{ from, to, text: blockText(after, KUBECTL_STYLE, 0) }];
}

/** A document with the separator and the comments above it. */
function removal({ manifest: { text }, document }: ReadDocument): Edit {
  const contents = document.contents?.range[0] ?? 0;
  const to = contents + contentsText(text, document).length;
  const separator = text.slice(0, contents).search(LAST_SEPARATOR);
  return { from: separator < 0 ? contents : separator, to, text: '' };
}

/** Texts of files as one text of documents. */
function joined(texts: readonly string[]): string {
  return texts
    .filter((text) => text !== '')
    .reduce((all, text) => {
      if (all === '') return text;
      const open = all.endsWith('\n') ? '' : '\n';
      return `${all}${open}${/^(#[^\n]*\n|\s*\n)*---/.test(text) ? '' : '---\n'}${text}`;
    }, '');
}

/** The last line `---` of a text, with a comment after it. */
const LAST_SEPARATOR = /^---[^\S\n]*(#.*)?\n(?![\s\S]*^---)/m;

/** Before the first workload that needs them: a tool that applies in order creates them first, and namespaces before them. */
function insertion(
  text: string,
  document: Document.Parsed | undefined,
  objects: readonly KubeObject[],
): Edit {
  const contents = document?.contents?.range[0] ?? 0;
  const separator = text.slice(0, contents).search(LAST_SEPARATOR);
  const blocks = objects.map((object) => blockText(object, KUBECTL_STYLE, 0));
  return separator < 0
    ? { from: 0, to: 0, text: blocks.map((block) => `${block}---\n`).join('') }
    : { from: separator, to: separator, text: blocks.map((block) => `---\n${block}`).join('') };
}
