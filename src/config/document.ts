/**
 * Finds the SecretProviderClass in a file, and its parts.
 *
 * As for `kubectl apply`, a file may contain several documents and Lists of objects of any kind; the class for AWS is selected
 * from them. Keys match exactly here, as in the API server. The contents of the parts are checked elsewhere.
 */

import { escapeControl, quote } from '../core/text.ts';
import { parseYaml, type YamlDocument } from '../formats/yaml.ts';
import type { YamlMap, YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Fields, kindText } from './fields.ts';
import { placeOfKey, specKeys } from './keys.ts';
import { templateInText, templateInValue } from './template.ts';

/** The parts of a SecretProviderClass; undefined if missing or of the wrong kind. */
export interface ClassDocument {
  /** The whole document. */
  readonly root: YamlMap;
  readonly name: string | undefined;
  readonly parameters: YamlMap | undefined;
  readonly secretObjects: YamlValue | undefined;
}

/** Bytes. Etcd stores no object above 1.5 MiB, and a ConfigMap is 1 MiB at most. */
const MAX_SIZE = 1024 * 1024;
const KUBERNETES = { match: 'exact', code: 'config.document', placeOf: placeOfKey } as const;
const GROUP = 'secrets-store.csi.x-k8s.io';
const KIND = 'SecretProviderClass';

/** The parts of the class for AWS, with this name if one is given; undefined, and reported, if there is no such class. */
export function readDocument(
  text: string,
  className: string | undefined,
  diagnostics: Diagnostics,
): ClassDocument | undefined {
  if (new TextEncoder().encode(text).length > MAX_SIZE) {
    const message = 'expected a file of at most 1 MiB, got a larger one';
    const remedy = 'Name a SecretProviderClass file.';
    diagnostics.error('config.file', 'config', { line: undefined, message, remedy });
    return undefined;
  }
  const documents = parseYaml(text);
  const classes = documents.flatMap(({ root }) => objectsIn(root)).filter(isClass);
  const named = className === undefined ? classes : classes.filter((map) => nameOf(map) === className);
  const candidates = named.filter((map) => providerOf(map) === 'aws');
  const [only, another] = candidates;
  if (only !== undefined && another === undefined) {
    reportIgnoredDocuments(documents, only, diagnostics);
    const template = templateInValue(only);
    if (template === undefined) return readClass(only, diagnostics);
    diagnostics.error('config.document', 'config', template);
    return undefined;
  }
  if (another !== undefined) reportSeveral(candidates, diagnostics);
  else reportNone(text, documents, className, diagnostics);
  return undefined;
}

/**
 * `metadata.name` of every class for AWS in the text, undefined for one without a name. `[undefined]` also for a text that
 * cannot be parsed, or that contains a class with a mistake in its kind, its apiVersion or its provider: reading it then reports the
 * mistake. Empty for other kinds.
 */
export function classNames(text: string): readonly (string | undefined)[] {
  const documents = parseYaml(text);
  const maps = documents.flatMap(({ root }) => objectsIn(root));
  const names = maps.filter((map) => isClass(map) && providerOf(map) === 'aws').map(nameOf);
  if (names.length > 0) return [...new Set(names)];
  const isUnreadable =
    documents.some(({ errors }) => errors.length > 0) || templateInText(text) !== undefined;
  const hasNearlyClass = maps.some(
    (map) => isNearlyClass(map) && (providerOf(map) ?? 'aws').trim().toLowerCase() === 'aws',
  );
  return isUnreadable || hasNearlyClass ? [undefined] : [];
}

/** What a text without a class for AWS contains: the kind of each object; of a class also its provider. */
export function kindsIn(text: string): readonly string[] {
  return parseYaml(text).flatMap(({ root }) => {
    if (root === undefined || root.kind === 'null') return [];
    if (root.kind !== 'map') return ['no Kubernetes object'];
    return objectsIn(root).map((map) => {
      const kind = scalarIn(map, 'kind');
      if (kind === undefined) return 'no Kubernetes object';
      const provider = isClass(map) ? providerOf(map) : undefined;
      return escapeControl(provider === undefined ? kind : `${kind} for ${provider}`);
    });
  });
}

/** Reports why there is no class. Only the first cause is reported, because other errors follow from it. */
function reportNone(
  text: string,
  documents: readonly YamlDocument[],
  className: string | undefined,
  diagnostics: Diagnostics,
): void {
  const template = templateInText(text);
  if (template !== undefined) {
    diagnostics.error('config.document', 'config', template);
    return;
  }
  const syntaxErrors = documents.find(({ errors }) => errors.length > 0)?.errors;
  if (syntaxErrors !== undefined) {
    for (const error of syntaxErrors) diagnostics.error('config.yaml', 'config', error);
    return;
  }
  const maps = documents.flatMap(({ root }) => objectsIn(root));
  const named = maps.find((map) => isClass(map) && className !== undefined && nameOf(map) === className);
  if (className !== undefined && named === undefined && maps.some(isClass)) {
    const names = maps.filter(isClass).map((map) => quote(nameOf(map) ?? ''));
    documentError('metadata.name', diagnostics, {
      line: maps.find(isClass)?.line,
      expected: quote(className),
      found: names.join(', '),
      remedy: 'Name one that the file has: --config FILE#NAME.',
    });
    return;
  }
  const nearest =
    named ?? maps.find(isClass) ?? maps.find((map) => scalarIn(map, 'kind') === KIND) ?? maps[0];
  if (nearest !== undefined) readClass(nearest, diagnostics);
  else {
    const root = documents[0]?.root;
    const found = root && kindText(root);
    documentError('config', diagnostics, { line: root?.line, expected: `a ${KIND}`, found });
  }
}

function reportSeveral(classes: readonly YamlMap[], diagnostics: Diagnostics): void {
  const names = classes.map((map) => `${quote(nameOf(map) ?? '')} in line ${map.line}`);
  diagnostics.error('config.document', 'config', {
    line: classes[1]?.line,
    message: `expected one ${KIND} for AWS, got ${names.join(' and ')}`,
    remedy: `Choose one: --config FILE#${nameOf(classes[0] as YamlMap) ?? 'NAME'}.`,
  });
}

/** Warns of documents that are ignored, because an accidental `---` splits a class in two. Objects of other kinds are valid. */
function reportIgnoredDocuments(
  documents: readonly YamlDocument[],
  read: YamlMap,
  diagnostics: Diagnostics,
): void {
  const own = documents.find(({ root }) => objectsIn(root).includes(read));
  for (const document of documents) {
    const { root, errors, line } = document;
    if (document === own || (root === undefined && errors.length === 0) || root?.kind === 'null') continue;
    if (root?.kind === 'map' && objectsIn(root).every((map) => scalarIn(map, 'kind') !== undefined)) continue;
    diagnostics.warning('config.document', 'config', {
      line,
      message: `expected Kubernetes objects next to the ${KIND}, got ${root === undefined ? 'a document that is not YAML' : kindText(root)}; it is ignored`,
      remedy: 'Remove this document, or the line "---" above it if it belongs to the class.',
    });
  }
}

function readClass(root: YamlMap, diagnostics: Diagnostics): ClassDocument | undefined {
  const keys = ['apiVersion', 'kind', 'metadata', 'spec', 'status'] as const;
  const fields = new Fields([root], keys, KUBERNETES, 'config', diagnostics);
  const kind = fields.text('kind');
  const version = fields.text('apiVersion');
  if (kind?.text !== KIND) {
    documentError('kind', diagnostics, {
      line: fields.lineOf('kind'),
      expected: `"${KIND}"`,
      found: kind && quote(kind.text),
      ...(groupOf(version?.text) === GROUP ? { remedy: `Write kind: ${KIND}.` } : {}),
    });
    return undefined;
  }
  if (groupOf(version?.text) !== GROUP) {
    documentError('apiVersion', diagnostics, {
      line: fields.lineOf('apiVersion'),
      expected: `"${GROUP}/v1"`,
      found: version && quote(version.text),
      remedy: `Write apiVersion: ${GROUP}/v1.`,
    });
    return undefined;
  }
  const errorsBefore = diagnostics.errorCount;
  const specs = fields.maps('spec');
  if (specs.length === 0) {
    // A spec that is not a map is reported already.
    if (diagnostics.errorCount === errorsBefore)
      documentError('spec', diagnostics, {
        line: fields.lineOf('spec'),
        expected: 'a map',
        remedy: 'Write spec with provider and parameters.',
      });
    return undefined;
  }
  const spec = new Fields(specs, specKeys, KUBERNETES, 'spec', diagnostics);
  const provider = spec.text('provider');
  if (provider?.text !== 'aws') {
    diagnostics.error('config.provider', 'spec.provider', {
      line: spec.lineOf('provider'),
      message: `expected "aws", got ${provider === undefined ? 'nothing' : quote(provider.text)}`,
      remedy: 'Write provider: aws; secrets of other providers cannot be read.',
    });
  }
  const [parameters] = spec.maps('parameters');
  const secretObjects = spec.list('secretObjects');
  // Without a map of parameters everything in it would be reported as missing.
  if (diagnostics.hasError('spec.parameters')) return undefined;
  return { root, name: nameOf(root), parameters, secretObjects };
}

function documentError(
  subject: string,
  diagnostics: Diagnostics,
  {
    line,
    expected,
    found = 'nothing',
    remedy = `Name a file that contains a ${KIND}.`,
  }: {
    readonly line: number | undefined;
    readonly expected: string;
    readonly found?: string | undefined;
    readonly remedy?: string;
  },
): void {
  const message = `expected ${expected}, got ${found}`;
  diagnostics.error('config.document', subject, { line, message, remedy });
}

/** The objects of a document: itself, or the items of a List. */
function objectsIn(root: YamlValue | undefined): readonly YamlMap[] {
  if (root?.kind !== 'map') return [];
  const items = root.entries.find(({ key }) => key === 'items')?.value;
  if (!scalarIn(root, 'kind')?.endsWith('List') || items?.kind !== 'list') return [root];
  return items.items.filter((item) => item.kind === 'map');
}

function isClass(map: YamlMap): boolean {
  return scalarIn(map, 'kind') === KIND && groupOf(scalarIn(map, 'apiVersion')) === GROUP;
}

/** A class with a mistake in its kind or its apiVersion. The driver's API has three other kinds. */
function isNearlyClass(map: YamlMap): boolean {
  const kind = scalarIn(map, 'kind') ?? '';
  if (kind === KIND) return true;
  const others = [`${KIND}List`, `${KIND}PodStatus`, `${KIND}PodStatusList`];
  return groupOf(scalarIn(map, 'apiVersion')) === GROUP && !others.includes(kind);
}

function groupOf(apiVersion: string | undefined): string | undefined {
  return apiVersion?.split('/')[0];
}

function providerOf(map: YamlMap): string | undefined {
  return scalarIn(mapIn(map, 'spec'), 'provider');
}

/** Not read with Fields, because metadata has many valid keys that podsecrets does not use. */
function nameOf(map: YamlMap): string | undefined {
  return scalarIn(mapIn(map, 'metadata'), 'name');
}

function mapIn(map: YamlMap, key: string): YamlMap | undefined {
  const value = map.entries.find((entry) => entry.key === key)?.value;
  return value?.kind === 'map' ? value : undefined;
}

function scalarIn(map: YamlMap | undefined, key: string): string | undefined {
  const value = map?.entries.find((entry) => entry.key === key)?.value;
  return value?.kind === 'scalar' ? value.text : undefined;
}
