/**
 * Finds the SecretProviderClass in a file, and its parts.
 *
 * As for `kubectl apply`, a file may contain several documents and Lists of objects of any kind; the class for AWS is selected
 * from them. Keys match exactly here, as in the API server. The contents of the parts are checked elsewhere.
 */

import { quote } from '../core/text.ts';
import { parseYaml, type YamlDocument } from '../formats/yaml.ts';
import type { YamlMap, YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Fields, kindText } from './fields.ts';
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
const KUBERNETES = { match: 'exact', code: 'config.document' } as const;
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
 * cannot be parsed, or that contains a class without a provider or with `AWS`: reading it then reports the mistake. Empty for other kinds.
 */
export function classNames(text: string): readonly (string | undefined)[] {
  const documents = parseYaml(text);
  const maps = documents.flatMap(({ root }) => objectsIn(root));
  const names = maps.filter((map) => isClass(map) && providerOf(map) === 'aws').map(nameOf);
  if (names.length > 0) return [...new Set(names)];
  const isUnreadable =
    documents.some(({ errors }) => errors.length > 0) || templateInText(text) !== undefined;
  const isNearlyClass = maps.some(
    (map) => scalarIn(map, 'kind') === KIND && (providerOf(map) ?? 'aws').trim().toLowerCase() === 'aws',
  );
  return isUnreadable || isNearlyClass ? [undefined] : [];
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
    documentError('metadata.name', maps.find(isClass)?.line, quote(className), names.join(', '), diagnostics);
    return;
  }
  const nearest =
    named ?? maps.find(isClass) ?? maps.find((map) => scalarIn(map, 'kind') === KIND) ?? maps[0];
  if (nearest !== undefined) readClass(nearest, diagnostics);
  else {
    const root = documents[0]?.root;
    documentError('config', root?.line, `a ${KIND}`, root && kindText(root), diagnostics);
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
    documentError('kind', fields.lineOf('kind'), `"${KIND}"`, kind && quote(kind.text), diagnostics);
    return undefined;
  }
  if (version?.text.split('/')[0] !== GROUP) {
    const line = fields.lineOf('apiVersion');
    documentError('apiVersion', line, `"${GROUP}/v1"`, version && quote(version.text), diagnostics);
    return undefined;
  }
  const errorsBefore = diagnostics.errorCount;
  const specs = fields.maps('spec');
  if (specs.length === 0) {
    // A spec that is not a map is reported already.
    if (diagnostics.errorCount === errorsBefore)
      documentError('spec', fields.lineOf('spec'), 'a map', undefined, diagnostics);
    return undefined;
  }
  const spec = new Fields(
    specs,
    ['provider', 'parameters', 'secretObjects'],
    KUBERNETES,
    'spec',
    diagnostics,
  );
  const provider = spec.text('provider');
  if (provider?.text !== 'aws') {
    diagnostics.error('config.provider', 'spec.provider', {
      line: spec.lineOf('provider'),
      message: `expected "aws", got ${provider === undefined ? 'nothing' : quote(provider.text)}`,
      remedy: 'Write provider: aws; secrets of other providers cannot be read.',
    });
  }
  return {
    root,
    name: nameOf(root),
    parameters: spec.maps('parameters')[0],
    secretObjects: spec.list('secretObjects'),
  };
}

function documentError(
  subject: string,
  line: number | undefined,
  expected: string,
  found: string | undefined,
  diagnostics: Diagnostics,
): void {
  const message = `expected ${expected}, got ${found ?? 'nothing'}`;
  const remedy = `Name a file that contains a ${KIND}.`;
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
  return scalarIn(map, 'kind') === KIND && scalarIn(map, 'apiVersion')?.split('/')[0] === GROUP;
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
