/**
 * What a pass is: fetch for every config in one go, publish each, tell the application.
 *
 * Configs are independent: one that fails does not hold up the others. The pass fails with the problems of all.
 */

import { distinct } from './core/last-words.ts';
import { type Problem, problemsOf, throwProblems } from './core/problem.ts';
import type { Phase } from './core/schedule.ts';
import type { Changed, FilePath } from './core/snapshot.ts';
import { filesOf } from './core/telling/telling.ts';
import type { Fetcher } from './fetch.ts';
import type { Clock, Log } from './ports.ts';
import type { Publication, Published } from './publication.ts';

/** What a pass works with. */
export interface PublisherOptions {
  readonly publications: readonly Publication[];
  readonly fetcher: Fetcher;
  /** Tells the application about a change; returns at once. */
  readonly tell: (change: Changed) => void;
  /** Applies the Kubernetes Secrets of a publication; throws Problems of stage `kubernetes`. Absent: none are applied. */
  readonly applySecrets:
    | ((publication: Publication, published: Published, stop: AbortSignal) => Promise<void>)
    | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts each publication's part of a pass. */
  readonly count: (result: 'changed' | 'unchanged' | 'failed') => void;
}

/** One pass over every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
export async function publishAll(options: PublisherOptions, phase: Phase, stop: AbortSignal): Promise<void> {
  const { publications, fetcher, tell, clock } = options;
  const began = clock.elapsed();
  const outcomes = await fetcher.fetch(
    publications.map((publication) => publication.question(phase)),
    stop,
  );
  const problems: Problem[] = [];
  for (const [index, publication] of publications.entries()) {
    try {
      const published = await publication.publish(outcomes[index] ?? new Map());
      report(options, publication, published, clock.elapsed() - began);
      const { telling } = published;
      if (telling !== undefined)
        tell(publications.length === 1 ? telling : placed(telling, publication.directory));
      await options.applySecrets?.(publication, published, stop);
    } catch (error) {
      const found = problemsOf(error);
      if (found === undefined) throw error;
      if (found.some(({ stage }) => stage !== 'kubernetes')) options.count('failed');
      problems.push(...found);
    }
  }
  throwProblems(distinct(problems));
}

/** Counts it, and says what changed. */
function report(options: PublisherOptions, publication: Publication, published: Published, ms: number): void {
  const { log } = options;
  const { change, snapshot, first } = published;
  const { directory } = publication;
  const fields = {
    config: publication.plan().file,
    directory,
    files: snapshot.files.length,
    ms: Math.round(ms),
  };
  if (change.kind === 'changed') {
    options.count('changed');
    const names = filesOf(change);
    log.write(
      'info',
      'publish.changed',
      `published ${snapshot.files.length === 1 ? '1 file' : `${snapshot.files.length} files`} in ${directory}: ${counts(change)}`,
      {
        ...fields,
        added: change.added.length,
        updated: change.updated.length,
        removed: change.removed.length,
        names: names.join(' '),
      },
    );
  } else {
    options.count('unchanged');
    if (first) log.write('info', 'publish.same', `the files in ${directory} are as they should be`, fields);
    else log.write('debug', 'publish.unchanged', `nothing changed in ${directory}`, fields);
  }
}

function counts(change: Changed): string {
  const parts = (['added', 'updated', 'removed'] as const).map((kind) => `${change[kind].length} ${kind}`);
  return parts.filter((part) => !part.startsWith('0 ')).join(', ');
}

/** With several directories a file's name alone would not say which is meant. */
function placed(change: Changed, directory: string): Changed {
  const place = (paths: readonly FilePath[]) => paths.map((path) => `${directory}/${path}` as FilePath);
  return {
    kind: 'changed',
    added: place(change.added),
    updated: place(change.updated),
    removed: place(change.removed),
  };
}
