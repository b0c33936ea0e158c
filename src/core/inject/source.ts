/**
 * The SecretProviderClasses that an injection may use: given as files, found in the input, or made into a ConfigMap before.
 *
 * The pod reads its config from a ConfigMap, so every source has the name of one. A document of the input becomes that
 * ConfigMap with its own text, comments included.
 */

import { type Mapping, mappingOf, mappingsOf, textOf, valueAt } from './data.ts';

export interface Source {
  /** Where it comes from, as errors name it: a file, or `SecretProviderClass/aws-secrets`. */
  readonly subject: string;
  readonly from: 'file' | 'document' | 'configMap';
  /** `metadata.name`, if the document has one. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly configMapName: string;
  /** The SecretProviderClass, as text. */
  readonly text: string;
  readonly usePodIdentity: boolean;
  /** Names of the Secrets that `secretObjects` makes. */
  readonly secretNames: readonly string[];
  /** The directory that `--config FILE=DIR` gives. */
  readonly dir: string | undefined;
}

export const CONFIG_KEY = 'config.yaml';

/** A source from a SecretProviderClass and its text. */
export function sourceOf(
  spec: Mapping,
  given: Pick<Source, 'subject' | 'from' | 'text'> & {
    readonly dir?: string | undefined;
    readonly configMapName?: string;
  },
): Source {
  const name = textOf(valueAt(spec, 'metadata', 'name'));
  const podIdentity = valueAt(spec, 'spec', 'parameters', 'usePodIdentity');
  return {
    subject: given.subject,
    from: given.from,
    name,
    namespace: textOf(valueAt(spec, 'metadata', 'namespace')),
    configMapName: given.configMapName ?? `podsecrets-${name ?? 'config'}`,
    text: given.text,
    // The spellings that the provider takes for true.
    usePodIdentity: ['1', 't', 'T', 'true', 'True', 'TRUE'].includes(String(podIdentity)),
    secretNames: mappingsOf(valueAt(spec, 'spec', 'secretObjects')).flatMap(
      (object) => textOf(object.secretName)?.trim() ?? [],
    ),
    dir: given.dir,
  };
}

export function isSecretProviderClass(value: unknown): value is Mapping {
  const { apiVersion, kind } = mappingOf(value);
  return kind === 'SecretProviderClass' && String(apiVersion).startsWith('secrets-store.csi.x-k8s.io/');
}

/** The text of the SecretProviderClass in a ConfigMap that an earlier injection made. */
export function configMapText(value: unknown): string | undefined {
  const { kind } = mappingOf(value);
  return kind === 'ConfigMap' ? textOf(valueAt(value, 'data', CONFIG_KEY)) : undefined;
}

/** The ConfigMap that brings a source into the pod. */
export function configMapOf(source: Source, namespace: string | undefined): Mapping {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: source.configMapName, ...(namespace === undefined ? {} : { namespace }) },
    data: { [CONFIG_KEY]: source.text },
  };
}
