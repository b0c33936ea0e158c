/**
 * Tells the application, and keeps trying until it has been told.
 *
 * Each notifier goes its own way: a slow or failing one delays neither the others nor the next sync. It is told at least
 * once about every change and always about the newest set; changes that come while it is busy are merged into one. After
 * a failure it is tried again, for ever; a failure that repeats itself is logged once and then at `debug`.
 */

import { Problem, type ProblemCode, problemLine, problemsOf, throwProblems } from './core/problem.ts';
import type { Changed } from './core/snapshot.ts';
import { momentText, type NotifierStatus, problemStatus } from './core/status/status.ts';
import { filesOf, mergeChanges, tellDelay } from './core/telling/telling.ts';
import { durationText } from './core/units.ts';
import type { Clock, Log, Notifier } from './ports.ts';

/** All notifiers, and what each of them owes. */
export interface Teller {
  /** Starts telling about a publish that changed something; returns at once, whatever comes of it. */
  tell(change: Changed): void;
  /**
   * Resolves when every notifier has told everything. Throws the problems of those that have not after `limit` milliseconds,
   * not counting the splay, or as soon as none is left that trying again could help; rejects with the reason of `stop`.
   */
  told(limit: number, stop: AbortSignal): Promise<void>;
  /**
   * Ends telling. What waits for its splay is told now, what is being told may end within `grace` milliseconds, what waits
   * to be tried again is given up. Resolves when nothing runs any more.
   */
  close(grace: number): Promise<void>;
  /** Every notifier has told everything. */
  isSettled(): boolean;
  status(): readonly NotifierStatus[];
}

/** Who tells, and how it is told of. */
export interface TellerOptions {
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
  readonly log: Log;
  /** The longest random wait before telling, in milliseconds; each notifier draws its own. */
  readonly splay: number;
  /** Counts every try. */
  readonly count: (kind: Notifier['kind'], result: 'success' | 'error') => void;
  /** Called whenever the last of the notifiers has told everything. */
  readonly settled?: () => void;
}

/** A teller with nothing to tell yet. */
export function openTeller(options: TellerOptions): Teller {
  const { clock, splay } = options;
  /** Aborted when the program ends: no new wait begins, and those that have begun end. */
  const closing = new AbortController();
  /** Aborted when the grace is over: what is being told ends at once. */
  const over = new AbortController();
  let stirred = Promise.withResolvers<void>();
  const isSettled = (): boolean => rounds.every((round) => round.isSettled());
  const stir = (): void => {
    if (isSettled()) options.settled?.();
    stirred.resolve();
    stirred = Promise.withResolvers();
  };
  const rounds = options.notifiers.map((notifier) =>
    openRound(notifier, options, closing.signal, over.signal, stir),
  );

  return {
    tell(change) {
      for (const round of rounds) round.tell(change);
    },

    async told(limit, stop) {
      const end = new AbortController();
      const late = clock.sleep(splay + limit, AbortSignal.any([stop, end.signal])).then(() => true);
      late.catch(() => {});
      try {
        for (let tooLate = false; !tooLate && rounds.some((round) => round.isHopeful()); ) {
          tooLate = await Promise.race([late, stirred.promise.then(() => false)]);
        }
      } finally {
        end.abort();
      }
      throwProblems(rounds.flatMap((round) => round.debt(limit)));
    },

    async close(grace) {
      closing.abort();
      const end = new AbortController();
      const all = Promise.all(rounds.map((round) => round.ended())).finally(() => end.abort());
      await Promise.race([all, clock.sleep(grace, end.signal).catch(() => {})]);
      over.abort();
      await all;
    },

    isSettled,
    status: () => rounds.map((round) => round.status()),
  };
}

/** One notifier and what it owes. */
interface Round {
  tell(change: Changed): void;
  ended(): Promise<void>;
  /** It owes nothing. */
  isSettled(): boolean;
  /** It owes something, and trying again may help. */
  isHopeful(): boolean;
  /** Why it still owes something after `limit` milliseconds; nothing when it does not. */
  debt(limit: number): readonly Problem[];
  status(): NotifierStatus;
}

function openRound(
  notifier: Notifier,
  { clock, log, splay, count }: TellerOptions,
  closing: AbortSignal,
  over: AbortSignal,
  stir: () => void,
): Round {
  const { kind } = notifier;
  let untold: Changed | undefined;
  let telling: Changed | undefined;
  let busy = false;
  let end: Promise<void> = Promise.resolve();
  let failures = 0;
  let problem: Problem | undefined;
  let lastTold: number | undefined;
  let lastFailure: { readonly at: number; readonly problem: Problem } | undefined;

  async function run(): Promise<void> {
    try {
      while (untold !== undefined && !over.aborted) {
        if (failures === 0 && splay > 0) await pause(clock.random() * splay);
        if (!(await tried())) {
          if (closing.aborted) return;
          await pause(tellDelay(failures, clock.random(), problem?.retryAfter));
          if (closing.aborted) return;
        }
      }
    } finally {
      busy = false;
      stir();
    }
  }

  /** Waits, but not into the end of the program. */
  async function pause(ms: number): Promise<void> {
    await clock.sleep(ms, closing).catch(() => {});
  }

  /** One try, about all that is untold at its start. */
  async function tried(): Promise<boolean> {
    const change = untold;
    if (change === undefined) return true;
    const began = clock.elapsed();
    telling = change;
    untold = undefined;
    try {
      await notifier.tell(change, over);
      told(change, clock.elapsed() - began);
      return true;
    } catch (error) {
      untold = untold === undefined ? change : mergeChanges(change, untold);
      if (!over.aborted) failed(change, error);
      return false;
    } finally {
      telling = undefined;
      stir();
    }
  }

  function told(change: Changed, ms: number): void {
    count(kind, 'success');
    log.write('info', 'notify.told', `told the application by ${kind}`, {
      notifier: kind,
      files: filesOf(change).length,
      attempts: failures + 1,
      ms: Math.round(ms),
    });
    failures = 0;
    problem = undefined;
    lastTold = clock.now();
  }

  function failed(change: Changed, error: unknown): void {
    const [found] = problemsOf(error) ?? [];
    if (found === undefined) throw error;
    const repeated = problem !== undefined && likeness(problem) === likeness(found);
    problem = found;
    failures++;
    lastFailure = { at: clock.now(), problem: found };
    count(kind, 'error');
    const fields = { notifier: kind, files: filesOf(change).length, attempts: failures };
    if (repeated) log.problem('debug', 'notify.failedAgain', found, fields);
    else log.problem('warn', 'notify.failed', found, fields);
  }

  return {
    tell(change) {
      untold = untold === undefined ? change : mergeChanges(untold, change);
      if (busy || closing.aborted) return;
      busy = true;
      end = run();
    },

    ended: () => end,

    isSettled: () => untold === undefined && telling === undefined,

    isHopeful: () => busy && (problem === undefined || problem.retry),

    debt(limit) {
      if (!busy) return [];
      return [problem ?? unfinished(kind, limit)];
    },

    status: () => ({
      kind,
      state: telling !== undefined ? 'telling' : busy ? 'waiting' : 'idle',
      untold: new Set([telling, untold].flatMap((change) => (change === undefined ? [] : filesOf(change))))
        .size,
      consecutiveFailures: failures,
      ...(lastTold === undefined ? {} : { lastTold: momentText(lastTold) }),
      ...(lastFailure === undefined
        ? {}
        : { lastFailure: momentText(lastFailure.at), lastError: problemStatus(lastFailure.problem) }),
    }),
  };
}

/** Alike but for its numbers: the output of a hook may begin with the time of day. */
function likeness(problem: Problem): string {
  return problemLine(problem).replace(/\d+/g, '0');
}

function unfinished(kind: Notifier['kind'], limit: number): Problem {
  return new Problem({
    code: `notify.${kind}` satisfies ProblemCode,
    subject: `--notify-${kind}`,
    message: `expected the application to be told within ${durationText(limit)}, got no end of it`,
    remedy: 'Make what is told quicker; see its own log.',
    retry: true,
  });
}
