/**
 * Edits of a running sidecar's config that remove files by accident.
 *
 * A repeated key, a `---` in the middle or a misspelt `jmesPath` is valid: the AWS provider ignores it, and so does
 * podsecrets when it starts. But if an edit of a running sidecar's config adds such a part and removes files, it is most likely a
 * mistake, and the application would lose files that it uses.
 */

import { Problem } from '../core/problem.ts';
import type { Plan } from './plan.ts';

/** The problem with replacing `before` by `next`; undefined if the edit may be intended. */
export function accidentalRemoval(before: Plan, next: Plan): Problem | undefined {
  const removed = outputNames(before).filter((name) => !outputNames(next).includes(name));
  const ignored = added(before.ignored, next.ignored);
  if (removed.length === 0 || ignored.length === 0) return undefined;
  const files = removed.slice(0, MAX_SHOWN).join(', ') + (removed.length > MAX_SHOWN ? ', …' : '');
  return new Problem({
    code: 'config.objects',
    subject: 'parameters.objects',
    file: next.file,
    message: `the edit would remove ${files}, but a part of it is ignored (${ignored.join('; ')})`,
    remedy: 'Correct that part. If the config then still names fewer files, they are removed.',
  });
}

/** The problem with an edit after which none of the objects exists: all are optional, so that nothing else fails. */
export function removalOfAll({ file, region }: Plan): Problem {
  return new Problem({
    code: 'config.objects',
    subject: 'parameters.objects',
    file,
    message: `the edit would remove every file: all of its objects are optional, and none exists in ${region}`,
    remedy: 'Correct the names or the region. If no file is wanted, restart the container.',
  });
}

/** The number of file names in a message. */
const MAX_SHOWN = 5;

function outputNames({ objects, envFile }: Plan): readonly string[] {
  const names = objects.flatMap(({ outputs }) =>
    outputs.map((output) => (output.kind === 'expand' ? `${output.directory}/*` : output.path)),
  );
  return envFile === undefined ? names : [...names, envFile.path];
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
