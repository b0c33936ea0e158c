/**
 * The SecretProviderClasses that an injection may use: given as files, found in the input, or made into a ConfigMap before.
 *
 * The pod reads its config from a ConfigMap, so every source has the name of one. A document of the input becomes that
 * ConfigMap with its own text, comments included.
 */

import { type ParsedPlan, parsePlan } from '../config/parse.ts';
import { ownName } from '../kubernetes/names.ts';
import { asObject, type KubeObject, textOf, valueAt } from './manifest.ts';
import type { InjectOptions } from './options.ts';

/** A SecretProviderClass, and the ConfigMap that brings it into a pod. */
export interface Source {
  /** Where it comes from, as errors name it: a file, or `SecretProviderClass/aws-secrets`. */
  readonly subject: string;
  readonly origin: 'file' | 'document' | 'configMap';
  /** What it is in the input; undefined for a file. */
  readonly object: KubeObject | undefined;
  /** `metadata.name`, if the document has one. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** Lies in the input and is another provider's: its volumes are left alone. */
  readonly foreign: boolean;
  readonly configMapName: string;
  /** The SecretProviderClass, as text. */
  readonly text: string;
  /** The directory that `--config FILE=DIR` gives. */
  readonly dir: string | undefined;
}

/**
 * Whether objects of a namespace may mean this source when they say its name. A class of the input belongs to its own
 * namespace, or, when it names none, to the one that it is applied to; a file is whose somebody says it is.
 */
export function serves(source: Source, namespace: string | undefined): boolean {
  return (
    source.origin === 'file' ||
    source.namespace === undefined ||
    namespace === undefined ||
    source.namespace === namespace
  );
}

/** Reads the text of a source as the pod will. */
export function planOf(source: Source, { mode, syncSecrets }: InjectOptions): Promise<ParsedPlan> {
  return parsePlan(source.text, {
    file: source.subject,
    defaultMode: mode,
    syncSecrets,
    // The region of a config that names none is for the pod to know, where EKS sets AWS_REGION.
    environmentRegion: /\barn:aws[\w-]*:[a-z]+:([a-z0-9-]+):/.exec(source.text)?.[1] ?? 'region-of-the-pod',
  });
}

const CONFIG_KEY = 'config.yaml';

/** A source from a SecretProviderClass and its text. */
export function sourceOf(
  spec: KubeObject,
  given: Pick<Source, 'subject' | 'origin' | 'text'> & {
    readonly dir?: string | undefined;
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
    foreign: given.origin !== 'file' && provider !== 'aws',
    configMapName: given.configMapName ?? ownName(name ?? '') ?? 'podsecrets-config',
    // As an editor on Windows writes it, a ConfigMap would show it on one line, in quotes.
    text: given.text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'),
    dir: given.dir,
  };
}

/** By apiVersion and kind; whether it is well-formed shows when it is read. */
export function isSecretProviderClass(value: unknown): value is KubeObject {
  const { apiVersion, kind } = asObject(value);
  return kind === 'SecretProviderClass' && String(apiVersion).startsWith('secrets-store.csi.x-k8s.io/');
}

/** The text of the SecretProviderClass in a ConfigMap that an earlier injection made. */
export function configMapText(value: unknown): string | undefined {
  const { kind } = asObject(value);
  return kind === 'ConfigMap' ? textOf(valueAt(value, 'data', CONFIG_KEY)) : undefined;
}

/** The ConfigMap that brings a source into the pod. */
export function configMapOf(source: Source, namespace: string | undefined): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: source.configMapName, ...(namespace === undefined ? {} : { namespace }) },
    data: { [CONFIG_KEY]: source.text },
  };
}
