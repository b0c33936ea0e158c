/**
 * The list of objects, and the error for a config without any.
 *
 * The AWS provider accepts a config without objects and creates no files. Here it is an error: one wrong letter in a live
 * ConfigMap would remove every file of a running application. The error names the line of a misplaced list.
 */

import { didYouMean, escapeControl } from '../core/text.ts';
import { parseYaml } from '../formats/yaml.ts';
import type { YamlMap, YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import { kindText } from './fields.ts';
import type { Parameters } from './parameters.ts';

const SUBJECT = 'parameters.objects';
const REMEDY = 'Write objects: | and under it a YAML list of objects.';

/**
 * The entries of `objects`: a text with a YAML list, or a list. `root` is the whole SecretProviderClass.
 */
export function listObjects(
  { objects, objectsLine }: Pick<Parameters, 'objects' | 'objectsLine'>,
  root: YamlMap,
  diagnostics: Diagnostics,
): readonly YamlValue[] {
  if (objects === undefined || objects.kind === 'null') return reportNone(objectsLine, root, diagnostics);
  if (objects.kind !== 'scalar') return entriesOf(objects, root, diagnostics);
  const [first, second] = parseYaml(objects.plain ?? objects.text, objects.lineAt);
  for (const error of first?.errors ?? []) diagnostics.error('config.yaml', SUBJECT, error);
  if (first !== undefined && first.errors.length > 0) return [];
  if (second !== undefined) {
    diagnostics.warning('config.objects', SUBJECT, {
      line: second.line,
      message: 'expected one list, got more than one YAML document; only the first one is used',
      remedy: 'Remove the line "---" and what follows, or join the lists.',
    });
  }
  const list = first?.root;
  if (list === undefined || list.kind === 'null') return reportNone(objects.line, root, diagnostics);
  return entriesOf(list, root, diagnostics);
}

function entriesOf(value: YamlValue, root: YamlMap, diagnostics: Diagnostics): readonly YamlValue[] {
  if (value.kind !== 'list') {
    const azure = value.kind === 'map' && value.entries.some(({ key }) => key === 'array');
    diagnostics.error('config.objects', SUBJECT, {
      line: value.line,
      message: azure
        ? 'expected a list, got a map with array, which is the form of the Azure provider'
        : `expected a list, got ${kindText(value)}`,
      remedy: azure ? 'Write each object as an entry of the list: - objectName: NAME.' : REMEDY,
    });
    return [];
  }
  return value.items.length === 0 ? reportNone(value.line, root, diagnostics) : value.items;
}

function reportNone(line: number | undefined, root: YamlMap, diagnostics: Diagnostics): readonly [] {
  const misplaced = misplacedObjects(root);
  diagnostics.error('config.objects', SUBJECT, {
    line,
    message:
      misplaced === undefined
        ? 'expected at least one object, got none'
        : `expected at least one object, got none here but ${misplaced.path} on line ${misplaced.line}, which is ignored`,
    remedy:
      misplaced === undefined
        ? 'Write objects: | under spec.parameters, and under it what to fetch.'
        : 'Write it as objects, under spec.parameters.',
  });
  return [];
}

interface Place {
  readonly path: string;
  readonly line: number;
}

/** A key named `objects`, or nearly, in a wrong place: up to two levels below the root. */
function misplacedObjects(root: YamlMap): Place | undefined {
  const spec = mapsIn(root).find(({ path }) => path === 'spec');
  const maps = [...mapsIn(root), ...(spec === undefined ? [] : mapsIn(spec.map, 'spec.'))];
  for (const { path, map } of [{ path: '', map: root }, ...maps]) {
    const entry = map.entries.find(
      ({ key, value }) =>
        resemblesObjects(key) && isNotEmpty(value) && !(path === RIGHT_PLACE && key === 'objects'),
    );
    if (entry !== undefined)
      return { path: `${path}${path && '.'}${escapeControl(entry.key)}`, line: entry.line };
  }
  return undefined;
}

const RIGHT_PLACE = 'spec.parameters';

function mapsIn(
  { entries }: YamlMap,
  prefix = '',
): readonly { readonly path: string; readonly map: YamlMap }[] {
  return entries.flatMap(({ key, value }) =>
    value.kind === 'map' && key !== 'metadata'
      ? [{ path: `${prefix}${escapeControl(key)}`, map: value }]
      : [],
  );
}

function resemblesObjects(key: string): boolean {
  return didYouMean(key, ['objects']) !== undefined;
}

function isNotEmpty(value: YamlValue): boolean {
  return value.kind === 'list' ? value.items.length > 0 : value.kind === 'scalar' && /\S/.test(value.text);
}
