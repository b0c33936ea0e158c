/**
 * A pass with all that it owes: the files are published, and the application is told.
 *
 * What is to be told is remembered with the files until every notifier has told it; so a process that takes the place of a
 * killed one tells at once what that one did not come to, also while AWS is away, and tells nothing twice that all have told.
 */

import { Problem } from './core/problem.ts';
import type { Phase } from './core/schedule.ts';
import type { Changed, FilePath } from './core/snapshot.ts';
import type { Clock, Log, Notifier } from './ports.ts';
import type { Publication } from './publication.ts';
import { type PublisherOptions, publishAll } from './publisher.ts';
import { openTeller, type Teller, type TellerOptions } from './teller.ts';

/** Passes, and the teller that they hand their changes to. */
export interface Delivery {
  readonly teller: Teller;
  /** One pass over every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
  pass(phase: Phase, stop: AbortSignal): Promise<void>;
}

/** What passes and teller work with. */
export interface DeliveryOptions
  extends Pick<PublisherOptions, 'publications' | 'fetcher' | 'applySecrets'>,
    Pick<TellerOptions, 'splay'> {
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
  readonly log: Log;
  readonly publishes: PublisherOptions['count'];
  readonly notifications: TellerOptions['count'];
}

/** A delivery that tells what was left untold. Throws a Problem when a directory does not say what that is. */
export function openDelivery(options: DeliveryOptions): Delivery {
  const { publications } = options;
  const teller = openTeller({ ...options, count: options.notifications, settled: tryToForget });

  function tell(publication: Publication, change: Changed): void {
    teller.tell(publications.length === 1 ? change : placed(change, publication.directory));
  }

  /** What everybody has heard need not be remembered. */
  function forget(): void {
    if (!teller.isSettled()) return;
    for (const publication of publications) publication.told();
  }

  function tryToForget(): void {
    try {
      forget();
    } catch (error) {
      // Nobody is there to be told; the next pass tries again, and fails with what is in the way.
      if (!(error instanceof Problem)) throw error;
    }
  }

  for (const publication of publications) {
    const untold = publication.untold();
    if (untold !== undefined) tell(publication, untold);
  }
  return {
    teller,
    async pass(phase, stop) {
      await publishAll({ ...options, tell, count: options.publishes }, phase, stop);
      forget();
    },
  };
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
