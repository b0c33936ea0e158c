/**
 * Finds the SecretProviderClasses that an injection may use: in the files that were named, and in the input itself.
 */

import type { Document } from 'yaml';
import { Problem } from '../problem.ts';
import { printable } from '../text.ts';
import { type Mapping, valueAt } from './data.ts';
import { configMapText, isSecretProviderClass, type Source, sourceOf } from './source.ts';
import { objectsOf } from './workload.ts';
import { blockText, contentsText, KUBECTL_STYLE, parseManifests } from './yaml-text.ts';

/** A file that `--config` named. */
export interface ConfigFile {
  readonly file: string;
  readonly text: string;
  readonly dir: string | undefined;
}

/** All of them, files first: what a person names wins over what lies in the input. */
export function gatherSources(
  configs: readonly ConfigFile[],
  text: string,
  documents: readonly Document.Parsed[],
): readonly Source[] {
  return [
    ...configs.map(sourceOfFile),
    ...documents.flatMap((document) => {
      const value: unknown = document.toJS();
      return objectsOf(value).flatMap((object) =>
        // An item of a list has no text of its own.
        sourceOfObject(object, object === value ? contentsText(text, document) : undefined),
      );
    }),
  ];
}

function sourceOfFile({ file, text, dir }: ConfigFile): Source {
  const spec: unknown = parseManifests(text, file)[0]?.toJS();
  if (isSecretProviderClass(spec))
    return sourceOf(spec, { subject: printable(file), origin: 'file', text, dir });
  throw new Problem({
    code: 'config.document',
    subject: printable(file),
    message: 'expected a SecretProviderClass, got something else',
    remedy: 'Give the file that the Secrets Store CSI driver would be given.',
  });
}

function sourceOfObject(object: Mapping, text: string | undefined): readonly Source[] {
  const subject = `${String(object.kind)}/${printable(String(valueAt(object, 'metadata', 'name')))}`;
  if (isSecretProviderClass(object)) {
    return [
      sourceOf(object, { subject, origin: 'document', text: text ?? blockText(object, KUBECTL_STYLE, 0) }),
    ];
  }
  // Made by an earlier injection.
  const inside = configMapText(object);
  if (inside === undefined) return [];
  const spec: unknown = parseManifests(inside, subject)[0]?.toJS();
  if (!isSecretProviderClass(spec)) return [];
  const configMapName = String(valueAt(object, 'metadata', 'name'));
  return [sourceOf(spec, { subject, origin: 'configMap', text: inside, configMapName })];
}
