/**
 * The SecretProviderClasses that an injection may use: given as files, found in the input, or in a ConfigMap of an earlier injection.
 *
 * The pod reads its config from a ConfigMap, so every source has the name of one. A document of the input becomes that
 * ConfigMap with its own text, comments included.
 */

import type { Document } from 'yaml';
import { classChoice } from '../cli/values.ts';
import { type ParsedPlan, parsePlan } from '../config/parse.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { asObject, textOf, valueAt } from '../core/unknown.ts';
import { ownName } from '../kubernetes/names.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { LAST_APPLIED, objectsOf } from './workload.ts';
import { blockText, contentsText, KUBECTL_STYLE, parseManifests } from './yaml.ts';

/** A SecretProviderClass, and its ConfigMap. */
export interface Source {
  /** Its origin, for errors: a file, or `SecretProviderClass/aws-secrets`. */
  readonly subject: string;
  readonly origin: 'file' | 'document' | 'configMap';
  /** Its document in the input; undefined for a file. */
  readonly object: KubeObject | undefined;
  /** `metadata.name`, if the document has one. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** Whether it is a class of another provider, whose volumes are not changed. */
  readonly otherProvider: boolean;
  readonly configMapName: string;
  /** Labels and annotations of the class, for its ConfigMap: hooks and sync waves of Argo CD and Helm are among them. */
  readonly metadata: SourceMetadata;
  /** The SecretProviderClass, as text. */
  readonly text: string;
  /** The file that `--config` named, whole: lines are counted in it. Undefined for another origin. */
  readonly file: ConfigFile | undefined;
  /** One of several classes of a file, none of which was chosen: it is used only for volumes that name it. */
  readonly isOneOfSeveral: boolean;
  /** DIR of `--config FILE=DIR`. */
  readonly dir: string | undefined;
}

/** Each is missing if the class has none. */
interface SourceMetadata {
  readonly labels?: KubeObject;
  readonly annotations?: KubeObject;
}

/**
 * Whether a reference from this namespace can resolve to this source. A class of the input belongs to its own
 * namespace, or, when it names none, to the one that it is applied to; a file is visible from every namespace.
 */
export function isVisibleFrom(source: Source, namespace: string | undefined): boolean {
  return (
    source.origin === 'file' ||
    source.namespace === undefined ||
    namespace === undefined ||
    source.namespace === namespace
  );
}

/** Parses the text of a source like the pod. With `--as none` the pod runs only `exec`, which writes no env file. */
export function planOf(source: Source, { as, mode, syncSecrets, exec }: InjectOptions): Promise<ParsedPlan> {
  return parsePlan(source.file?.text ?? source.text, {
    file: source.subject,
    className: source.file === undefined ? undefined : source.name,
    defaultMode: mode,
    syncSecrets,
    variablesOnly: as === 'none',
    forExec: exec,
    environmentRegion: undefined,
    // A config without a region gets it in the pod: EKS sets AWS_REGION there.
    missingRegion: 'accepted',
  });
}

const CONFIG_KEY = 'config.yaml';

/** A source from a SecretProviderClass and its text. */
function sourceOf(
  spec: KubeObject,
  given: Pick<Source, 'subject' | 'origin' | 'text'> & {
    readonly file?: ConfigFile;
    readonly configMapName?: string;
    readonly object?: KubeObject;
  },
): Source {
  const name = textOf(valueAt(spec, 'metadata', 'name'));
  const provider = valueAt(spec, 'spec', 'provider') ?? 'aws';
  return {
    subject: given.subject,
    origin: given.origin,
    object: given.object,
    name,
    namespace: textOf(valueAt(given.object ?? spec, 'metadata', 'namespace')),
    // With AWS in upper case it is a mistake, which reading the class reports.
    otherProvider: String(provider).trim().toLowerCase() !== 'aws',
    metadata: metadataOf(spec),
    configMapName: given.configMapName ?? ownName(name ?? '') ?? 'podsecrets-config',
    // With a byte order mark or Windows line ends, the ConfigMap would have the text in quotes, on one line.
    text: given.text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'),
    file: given.file,
    isOneOfSeveral: false,
    dir: given.file?.dir,
  };
}

/** Without kubectl's annotation, which contains the class itself and is meaningless on a ConfigMap. */
function metadataOf(spec: KubeObject): SourceMetadata {
  const { [LAST_APPLIED]: _, ...annotations } = asObject(valueAt(spec, 'metadata', 'annotations'));
  const labels = asObject(valueAt(spec, 'metadata', 'labels'));
  return {
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** Checks apiVersion and kind only; mistakes are reported when the class is parsed. */
export function isSecretProviderClass(value: unknown): value is KubeObject {
  const { apiVersion, kind } = asObject(value);
  return kind === 'SecretProviderClass' && String(apiVersion).startsWith('secrets-store.csi.x-k8s.io/');
}

/** The text of the SecretProviderClass in a ConfigMap that an earlier injection made. */
function configMapText(value: unknown): string | undefined {
  const { kind } = asObject(value);
  return kind === 'ConfigMap' ? textOf(valueAt(value, 'data', CONFIG_KEY)) : undefined;
}

/** The ConfigMap of a source. */
export function configMapOf(source: Source, namespace: string | undefined): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: source.configMapName,
      ...(namespace === undefined ? {} : { namespace }),
      ...source.metadata,
    },
    data: { [CONFIG_KEY]: source.text },
  };
}

/** A file that `--config` named. */
export interface ConfigFile {
  /** With `#NAME`, if a class was chosen. */
  readonly file: string;
  readonly text: string;
  readonly dir: string | undefined;
}

/** A file of manifests, or standard input. */
export interface ManifestFile {
  /** As errors name it. */
  readonly file: string;
  readonly text: string;
}

/** A document of the input, and its value. */
export interface ReadDocument {
  readonly manifest: ManifestFile;
  readonly document: Document.Parsed;
  readonly value: unknown;
}

/** All of them, files first: what --config names takes precedence over the input. */
export function findSources(
  configs: readonly ConfigFile[],
  documents: readonly ReadDocument[],
): readonly Source[] {
  return [
    ...distinct(configs.flatMap(sourcesOfFile)),
    ...documents.flatMap(({ manifest: { text }, document, value }) =>
      objectsOf(value).flatMap((object) =>
        // An item of a list has no separate text.
        sourceOfObject(object, object === value ? contentsText(text, document) : undefined),
      ),
    ),
  ];
}

/** The name of a config is also the name of its ConfigMap, to which volumes and earlier injections refer. */
function distinct(sources: readonly Source[]): readonly Source[] {
  const own = sources.filter(({ otherProvider }) => !otherProvider);
  for (const [index, source] of own.entries()) {
    const other = own.slice(0, index).find(({ configMapName }) => configMapName === source.configMapName);
    if (other === undefined) continue;
    throw new Problem({
      code: 'usage.value',
      subject: '--config',
      message: `${other.subject} and ${source.subject} have the same name ${quote(source.name ?? '')}`,
      remedy: 'Give each its own metadata.name; inject those of different namespaces one after the other.',
    });
  }
  return sources;
}

/**
 * The classes for AWS of a file, or the one that was chosen; and those of other providers, so that their volumes are
 * recognized. Throws a Problem if there is no class.
 */
function sourcesOfFile(config: ConfigFile): readonly Source[] {
  const { path, className } = classChoice(config.file);
  const documents = parseManifests(config.text, path);
  const found = documents.flatMap((document) => {
    const value: unknown = document.toJS();
    return objectsOf(value).map((object) => ({ object, document: object === value ? document : undefined }));
  });
  const classes = found.filter(({ object }) => isSecretProviderClass(object));
  const sources = classes.map(({ object, document }) =>
    sourceOf(object, {
      subject: escapeControl(path),
      origin: 'file',
      text:
        found.length === 1 && document !== undefined
          ? config.text
          : document === undefined
            ? blockText(object, KUBECTL_STYLE, 0)
            : contentsText(config.text, document),
      file: config,
    }),
  );
  const named = sources.filter(({ name }) => className === undefined || name === className);
  if (named.length === 0) throw noClass(path, className, classes.length > 0 ? classes : found);
  const forAws = named.filter(({ otherProvider }) => !otherProvider);
  return [
    ...forAws.map((source) => ({ ...source, isOneOfSeveral: forAws.length > 1 })),
    ...sources.filter(({ otherProvider }) => otherProvider),
  ];
}

function noClass(
  path: string,
  className: string | undefined,
  found: readonly { readonly object: KubeObject }[],
): Problem {
  const of = className === undefined ? 'kind' : 'name';
  const got = found.map(({ object }) =>
    quote(String((of === 'kind' ? object.kind : valueAt(object, 'metadata', 'name')) ?? '')),
  );
  return new Problem({
    code: 'config.document',
    subject: escapeControl(path),
    message: `expected a SecretProviderClass${className === undefined ? '' : ` ${quote(className)}`}, got ${got.join(', ') || 'nothing'}`,
    remedy: className === undefined ? 'Name a file with a SecretProviderClass.' : 'Correct the name after #.',
  });
}

function sourceOfObject(object: KubeObject, text: string | undefined): readonly Source[] {
  const subject = `${String(object.kind)}/${escapeControl(String(valueAt(object, 'metadata', 'name')))}`;
  if (isSecretProviderClass(object)) {
    return [
      sourceOf(object, {
        subject,
        origin: 'document',
        object,
        text: text ?? blockText(object, KUBECTL_STYLE, 0),
      }),
    ];
  }
  // Of an earlier injection.
  const inside = configMapText(object);
  if (inside === undefined) return [];
  const spec: unknown = parseManifests(inside, subject)[0]?.toJS();
  if (!isSecretProviderClass(spec)) return [];
  const configMapName = String(valueAt(object, 'metadata', 'name'));
  return [sourceOf(spec, { subject, origin: 'configMap', object, text: inside, configMapName })];
}
