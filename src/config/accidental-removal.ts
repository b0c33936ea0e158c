/**
 * Edits of the config of a running process that remove files or variables by accident.
 *
 * A repeated key, a `---` in the middle or a misspelt `jmesPath` is valid: the AWS provider ignores it, and so does
 * podsecrets when it starts. But if an edit while podsecrets runs adds such a part and removes files or variables, it is most likely a
 * mistake, and the application would lose what it uses.
 */

import { Problem } from '../core/problem.ts';
import type { Output, Plan } from './plan.ts';

/** The problem with replacing `before` by `next`; undefined if the edit may be intended. */
export function accidentalRemoval(before: Plan, next: Plan): Problem | undefined {
  const removed = outputNames(before).filter((name) => !outputNames(next).includes(name));
  const ignored = added(before.ignored, next.ignored);
  if (removed.length === 0 || ignored.length === 0) return undefined;
  const names = removed.slice(0, MAX_SHOWN).join(', ') + (removed.length > MAX_SHOWN ? ', …' : '');
  return new Problem({
    code: 'config.objects',
    subject: 'parameters.objects',
    file: next.file,
    message: `the edit would remove ${names}, but a part of it is ignored (${ignored.join('; ')})`,
    remedy: 'Correct that part. A corrected config that still names fewer files or variables removes them.',
  });
}

/** The problem with an edit after which none of the objects exists: all are optional, so that nothing else fails. */
export function removalOfAll({ file, region }: Plan): Problem {
  return new Problem({
    code: 'config.objects',
    subject: 'parameters.objects',
    file,
    message: `the edit would remove everything: all of its objects are optional, and none exists in ${region}`,
    remedy: 'Correct the names or the region. If nothing is wanted, restart the container.',
  });
}

/** The number of names in a message. */
const MAX_SHOWN = 5;

function outputNames({ objects, envFile }: Plan): readonly string[] {
  const outputs = objects.flatMap((object) => object.outputs);
  const names = [
    ...outputs.map((output) => (output.kind === 'expand' ? `${output.directory}/*` : output.path)),
    ...outputs.flatMap(variableName),
  ];
  return envFile === undefined ? names : [...names, envFile.path];
}

function variableName(output: Output): readonly string[] {
  if (output.env === undefined) return [];
  return [`variable ${output.kind === 'expand' ? `${output.env.prefix}*` : output.env}`];
}

/** The texts that occur more often in `next` than in `before`. */
function added(before: readonly string[], next: readonly string[]): readonly string[] {
  const left = [...before];
  return next.filter((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
