/**
 * Manifests in, manifests with podsecrets out.
 *
 * The steps: 1. read every document; 2. gather the SecretProviderClasses and say which pod gets which; 3. read those
 * configs; 4. say what cannot work, all of it at once; 5. change the pods, and make what they need beside them; 6. write
 * what changed into the text, and leave every other byte as it was. Doing it again changes nothing.
 */

import type { Document } from 'yaml';
import { type Problem, throwProblems } from '../core/problem.ts';
import { valueAt } from '../core/unknown.ts';
import { type Assignment, assign } from './assign.ts';
import { generatedObjects, identityOf } from './generated-objects.ts';
import { isSame, type KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { injectPod } from './pod.ts';
import {
  type ConfigFile,
  configMapOf,
  findSources,
  isSecretProviderClass,
  planOf,
  type Source,
} from './sources.ts';
import { ineffectiveOptions, validateOptions } from './validate-options.ts';
import { validatePod } from './validate-pod.ts';
import type { PlannedBinding } from './volumes.ts';
import { mapObjects, objectsOf, withPod } from './workload.ts';
import { blockText, contentsText, KUBECTL_STYLE, parseManifests } from './yaml.ts';
import { applyEdits, type Edit, editsFor } from './yaml-edit.ts';

/** Manifests, and the configs that were named for them. */
export interface Input {
  /** The manifests' file, as errors name it. */
  readonly file: string;
  readonly text: string;
  readonly configs: readonly ConfigFile[];
}

/** What became of the manifests. */
export interface Injected {
  /** The manifests as YAML. */
  readonly text: string;
  /** The same as values, lists taken apart. */
  readonly objects: readonly unknown[];
  readonly warnings: readonly Problem[];
}

/** Adds podsecrets to every pod that asks for it, or that the choices name. Throws Problems: all that cannot work. */
export async function inject(input: Input, choices: InjectOptions): Promise<Injected> {
  // 1.
  const documents = parseManifests(input.text, input.file).map((document) => ({
    document,
    value: document.toJS() as unknown,
  }));
  const objects = documents.flatMap(({ value }) => objectsOf(value));
  // 2.
  const sources = findSources(input.configs, input.text, documents);
  const assigned = assign(objects, sources, choices, input.file);
  // 3.
  const { assignments, warnings } = await withPlans(assigned, choices);
  // 4.
  const obstacles = assignments.map((one) => validatePod(one.workload, one.bindings, choices));
  throwProblems([...validateOptions(choices), ...obstacles.flatMap((found) => found.problems)]);
  // 5.
  const companions = generatedObjects(assignments, choices);
  const known = new Set(objects.map(identityOf));
  const appended = [...companions].filter(([id]) => !known.has(id)).map(([, object]) => object);
  const replace = (object: KubeObject): KubeObject =>
    injectedObject(object, assignments, choices) ??
    convertedClass(object, assignments, choices) ??
    companions.get(identityOf(object)) ??
    object;
  // 6.
  const edits = documents.flatMap(({ document, value }) =>
    documentEdits(input.text, document, value, mapObjects(value, replace)),
  );
  const end = input.text.length;
  return {
    text: applyEdits(input.text, [
      ...edits,
      { from: end, to: end, text: appendedText(input.text, appended) },
    ]),
    objects: [...objects.map(replace), ...appended],
    warnings: [
      ...warnings,
      ...obstacles.flatMap((found) => found.warnings),
      ...ineffectiveOptions(assignments, choices),
    ],
  };
}

/** Reads each config once. Mistakes in one are told here, where somebody looks, and not only in the cluster. */
async function withPlans(
  assigned: readonly Assignment[],
  choices: InjectOptions,
): Promise<{
  readonly assignments: readonly Assignment<PlannedBinding>[];
  readonly warnings: readonly Problem[];
}> {
  const used = new Set<Source>(assigned.flatMap(({ bindings }) => bindings.map(({ source }) => source)));
  const read = await Promise.all(
    [...used].map(async (source) => [source, await planOf(source, choices)] as const),
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
  assignments: readonly Assignment[],
  choices: InjectOptions,
): KubeObject | undefined {
  const assignment = assignments.find((one) => one.object === object);
  if (assignment === undefined) return undefined;
  return withPod(object, injectPod(assignment.workload.pod, assignment.bindings, choices));
}

/** The ConfigMap that a SecretProviderClass of the input becomes when a pod uses it. */
function convertedClass(
  object: KubeObject,
  assignments: readonly Assignment[],
  choices: InjectOptions,
): KubeObject | undefined {
  if (!isSecretProviderClass(object)) return undefined;
  for (const { workload, bindings } of assignments) {
    const binding = bindings.find(({ source }) => source.object === object);
    if (binding === undefined) continue;
    const { source } = binding;
    return configMapOf(source, source.namespace ?? workload.namespace ?? choices.namespace);
  }
  return undefined;
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
  const to = from + contentsText(text, document).length;
  return [{ from, to, text: blockText(after, KUBECTL_STYLE, 0) }];
}

function appendedText(text: string, objects: readonly KubeObject[]): string {
  const before = text === '' || text.endsWith('\n') ? '' : '\n';
  return objects
    .map((object, index) => `${index === 0 ? before : ''}---\n${blockText(object, KUBECTL_STYLE, 0)}`)
    .join('');
}
