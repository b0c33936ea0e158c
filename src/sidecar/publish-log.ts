/**
 * The line of the log about a publish.
 */

import type { Log } from '../core/log.ts';
import { plural } from '../core/text.ts';
import type { MessageOf } from '../worker/report.ts';
import type { SyncTarget } from './target.ts';

/** What the line is about. */
export type PublishFacts = Pick<
  MessageOf<'published'>,
  'result' | 'added' | 'updated' | 'removed' | 'count' | 'variables'
>;

/** Logs what a sync published; `ms`: since its start. */
export function logPublish(
  log: Log,
  { file, directory }: Pick<SyncTarget, 'file' | 'directory'>,
  { result, added, updated, removed, count, variables }: PublishFacts,
  isFirst: boolean,
  ms: number,
): void {
  const fields = {
    config: file,
    directory,
    files: count,
    variables: variables?.length,
    ms: Math.round(ms),
  };
  if (result === 'changed') {
    const counts = { added: added.length, updated: updated.length, removed: removed.length };
    log.write(
      'publish.changed',
      `published ${plural(count, 'file')} in ${directory}: ${countsText(counts)}`,
      {
        ...fields,
        ...counts,
        names: [...added, ...updated, ...removed].sort().join(' '),
      },
    );
  } else if (isFirst) {
    log.write('publish.verified', `files in ${directory} are up to date`, fields);
  } else {
    log.write('publish.unchanged', `nothing changed in ${directory}`, fields);
  }
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}
