/**
 * The list of objects, and the refusal of a config that has none.
 *
 * The AWS provider takes a config without objects and makes no files. Here it is a mistake: one letter too few in a live
 * ConfigMap would remove every file of a running application. Whoever reads the refusal sees where the list stands instead.
 */

import { didYouMean, escapeControl } from '../core/text.ts';
import { parseYaml, type YamlEntry, type YamlMap, type YamlValue } from '../formats/yaml.ts';
import type { Diagnostics } from './diagnostics.ts';
import { kindText } from './fields.ts';
import type { Parameters } from './parameters.ts';

/** The entries of `objects`, which is text that holds a YAML list; a real list does as well. `root` is the whole document. */
export function listObjects(
  { objects: written, objectsLine }: Pick<Parameters, 'objects' | 'objectsLine'>,
  root: YamlMap,
  findings: Diagnostics,
): readonly YamlValue[] {
  const refuse = (code: 'config.yaml' | 'config.objects', line: number | undefined, message: string) =>
    findings.error({
      code,
      subject: 'parameters.objects',
      line,
      message,
      remedy: 'Write objects: | and under it a YAML list of objects.',
    });
  if (written === undefined || written.kind === 'null') return refuseNone(objectsLine, root, findings);
  if (written.kind !== 'scalar') return entriesOf(written);
  const { root: list, faults, secondDocument } = parseYaml(written.plain ?? written.text, written.lineAt);
  for (const { line, message } of faults) refuse('config.yaml', line, message);
  if (faults.length > 0) return [];
  if (secondDocument !== undefined) {
    findings.warning({
      code: 'config.objects',
      subject: 'parameters.objects',
      line: secondDocument,
      message: 'expected one list, got more than one YAML document; only the first one counts',
      remedy: 'Remove the line "---" and what follows, or join the lists.',
    });
  }
  if (list === undefined || list.kind === 'null') return refuseNone(written.line, root, findings);
  return entriesOf(list);

  function entriesOf(value: YamlValue): readonly YamlValue[] {
    if (value.kind !== 'list') {
      refuse('config.objects', value.line, `expected a list, got ${kindText(value)}`);
      return [];
    }
    return value.items.length === 0 ? refuseNone(value.line, root, findings) : value.items;
  }
}

function refuseNone(line: number | undefined, root: YamlMap, findings: Diagnostics): readonly [] {
  const elsewhere = misplacedObjects(root);
  findings.error({
    code: 'config.objects',
    subject: 'parameters.objects',
    line,
    message:
      elsewhere === undefined
        ? 'expected at least one object, got none'
        : `expected at least one object, got none here but ${elsewhere.path} on line ${elsewhere.line}, which nothing reads`,
    remedy:
      elsewhere === undefined
        ? 'Write objects: | under spec.parameters, and under it what to fetch.'
        : 'Write it as objects, under spec.parameters.',
  });
  return [];
}

interface Place {
  readonly path: string;
  readonly line: number;
}

/** A key that is named like `objects`, or almost, where nothing looks for it: up to two levels below the document. */
function misplacedObjects(root: YamlMap): Place | undefined {
  const spec = mapsIn(root).find(({ path }) => path === 'spec');
  const maps = [...mapsIn(root), ...(spec === undefined ? [] : mapsIn(spec.map, 'spec.'))];
  for (const { path, map } of [{ path: '', map: root }, ...maps]) {
    const entry = map.entries.find(
      ({ key, value }) =>
        looksLikeObjects(key) && holdsSomething(value) && !(path === READ_HERE && key === 'objects'),
    );
    if (entry !== undefined)
      return { path: `${path}${path && '.'}${escapeControl(entry.key)}`, line: entry.line };
  }
  return undefined;
}

/** Where the list is looked for, and was found without an entry. */
const READ_HERE = 'spec.parameters';

function mapsIn(
  { entries }: YamlMap,
  prefix = '',
): readonly { readonly path: string; readonly map: YamlMap }[] {
  return entries.flatMap(({ key, value }: YamlEntry) =>
    value.kind === 'map' && key !== 'metadata'
      ? [{ path: `${prefix}${escapeControl(key)}`, map: value }]
      : [],
  );
}

function looksLikeObjects(key: string): boolean {
  return didYouMean(key, ['objects']) !== undefined;
}

function holdsSomething(value: YamlValue): boolean {
  return value.kind === 'list' ? value.items.length > 0 : value.kind === 'scalar' && /\S/.test(value.text);
}
