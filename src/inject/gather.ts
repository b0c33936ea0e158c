/**
 * Finds the SecretProviderClasses that an injection may use: in the files that were named, and in the input itself.
 */

import type { Document } from 'yaml';
import { Problem } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { type KubeObject, valueAt } from './manifest.ts';
import { configMapText, isSecretProviderClass, type Source, sourceOf } from './sources.ts';
import { objectsOf } from './workload.ts';
import { blockText, contentsText, KUBECTL_STYLE, parseManifests } from './yaml.ts';

/** A file that `--config` named. */
export interface ConfigFile {
  readonly file: string;
  readonly text: string;
  readonly dir: string | undefined;
}

/** A document of the input, and what it says. */
export interface ReadDocument {
  readonly document: Document.Parsed;
  readonly value: unknown;
}

/** All of them, files first: what a person names wins over what lies in the input. */
export function findSources(
  configs: readonly ConfigFile[],
  text: string,
  documents: readonly ReadDocument[],
): readonly Source[] {
  return [
    ...distinct(configs.map(sourceOfFile)),
    ...documents.flatMap(({ document, value }) =>
      objectsOf(value).flatMap((object) =>
        // An item of a list has no text of its own.
        sourceOfObject(object, object === value ? contentsText(text, document) : undefined),
      ),
    ),
  ];
}

/** The name of a config is the name of its ConfigMap, and how volumes and earlier injections call it. */
function distinct(sources: readonly Source[]): readonly Source[] {
  for (const [index, source] of sources.entries()) {
    const other = sources.slice(0, index).find(({ configMapName }) => configMapName === source.configMapName);
    if (other === undefined) continue;
    throw new Problem({
      code: 'usage.value',
      subject: '--config',
      message: `expected a name for each config, got ${quote(source.name ?? '')} for ${other.subject} and ${source.subject}`,
      remedy:
        'Give each a metadata.name of its own; inject those of different namespaces one after the other.',
    });
  }
  return sources;
}

function sourceOfFile({ file, text, dir }: ConfigFile): Source {
  const spec: unknown = parseManifests(text, file)[0]?.toJS();
  if (isSecretProviderClass(spec))
    return sourceOf(spec, { subject: escapeControl(file), origin: 'file', text, dir });
  throw new Problem({
    code: 'config.document',
    subject: escapeControl(file),
    message: `expected a SecretProviderClass, got ${quote(String(valueAt(spec, 'kind') ?? ''))}`,
    remedy: 'Give the file that the Secrets Store CSI driver would be given.',
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
  // Made by an earlier injection.
  const inside = configMapText(object);
  if (inside === undefined) return [];
  const spec: unknown = parseManifests(inside, subject)[0]?.toJS();
  if (!isSecretProviderClass(spec)) return [];
  const configMapName = String(valueAt(object, 'metadata', 'name'));
  return [sourceOf(spec, { subject, origin: 'configMap', object, text: inside, configMapName })];
}
