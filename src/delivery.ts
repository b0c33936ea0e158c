/**
 * A pass with all that it owes: the files are published, and the application is told.
 *
 * What is to be told is remembered with the files until every notifier has told it; so a process that takes the place of a
 * killed one tells what that one did not come to, and tells nothing twice that was told.
 */

import { Problem } from './core/problem.ts';
import type { Phase } from './core/schedule.ts';
import type { Clock, Log, Notifier } from './ports.ts';
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

/** A delivery with nothing to tell yet. */
export function openDelivery(options: DeliveryOptions): Delivery {
  const { publications, clock, log } = options;
  /** A publish may be done whose change is not handed to the teller yet. */
  let publishing = false;

  const teller = openTeller({ ...options, count: options.notifications, settled: tryToForget });

  /** What everybody has heard need not be remembered. */
  function forget(): void {
    if (publishing || !teller.isSettled()) return;
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

  return {
    teller,
    async pass(phase, stop) {
      publishing = true;
      try {
        await publishAll(
          { ...options, tell: teller.tell, clock, log, count: options.publishes },
          phase,
          stop,
        );
      } catch (error) {
        publishing = false;
        tryToForget();
        throw error;
      }
      publishing = false;
      forget();
    },
  };
}
