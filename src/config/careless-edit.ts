/**
 * An edit that removes files by accident.
 *
 * A repeated key, a `---` in the middle or a misspelt `jmesPath` is valid: the AWS provider passes over it, and so does the
 * start of a process. But when an edit of a running sidecar's config brings such a thing in and files go with it, it is a
 * slip of the hand, and the application would lose files that it uses.
 */

import { Problem } from '../core/problem.ts';
import type { Plan } from './plan.ts';

/** The problem of taking `next` in the place of `before`; undefined when the edit may be meant. */
export function carelessEdit(before: Plan, next: Plan): Problem | undefined {
  const removed = outputNames(before).filter((name) => !outputNames(next).includes(name));
  const unread = added(before.unread, next.unread);
  if (removed.length === 0 || unread.length === 0) return undefined;
  const files = removed.slice(0, SHOWN).join(', ') + (removed.length > SHOWN ? ', …' : '');
  return new Problem({
    code: 'config.objects',
    subject: 'parameters.objects',
    file: next.file,
    message: `expected an edit that is read to its end, got one that would remove ${files} while part of it counts for nothing (${unread.join('; ')})`,
    remedy: 'Correct that part; then the removal of the files takes effect, if it is meant.',
  });
}

/** How many names of files a message holds. */
const SHOWN = 5;

function outputNames({ objects }: Plan): readonly string[] {
  return objects.flatMap(({ outputs }) =>
    outputs.map((output) => (output.kind === 'expand' ? `${output.directory}/*` : output.path)),
  );
}

/** The texts of `next` that are not in `before`, or there fewer times. */
function added(before: readonly string[], next: readonly string[]): readonly string[] {
  const left = [...before];
  return next.filter((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
