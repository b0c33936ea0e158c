/**
 * `exec --on-change`: starts the command, and acts on each change of the secrets until the command ends.
 *
 * The values are in the process that fetched them, which waits until the old command has ended and then becomes the new one. If
 * another change is fetched meanwhile, its process replaces the waiting one. An incomplete set changes nothing. Once the command
 * has ended on its own, or podsecrets received a signal to end, no command is started.
 */

import { durationText } from '../cli/values.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type Problem, problemsOrThrow } from '../core/problem.ts';
import { refreshDelay } from '../sidecar/backoff.ts';
import { firstPhase, type LoopOptions, logRetry, steadyPhase } from '../sidecar/loop.ts';
import type { Phase } from '../worker/request.ts';
import type { Candidate, Child } from './fetch-worker.ts';

/** The settings and the effects. */
export interface SuperviseOptions
  extends Pick<LoopOptions, 'triggers' | 'onReady' | 'onSuccess' | 'onFailure'> {
  /** `exit`: stop the command and end with 0. A signal: for the command, which goes on. */
  readonly onChange: 'restart' | 'exit' | NodeJS.Signals;
  readonly stopSignal: NodeJS.Signals;
  /** Milliseconds until SIGKILL. */
  readonly stopTimeout: number;
  /** Milliseconds between syncs. */
  readonly interval: number;
  /** The longest random wait before a change takes effect, in milliseconds. */
  readonly splay: number;
  /** Milliseconds for the first set. */
  readonly startTimeout: number;
  /** Whether the terminal sends its keys to the command too. */
  readonly hasTerminal: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** A process with a set other than `known`; undefined: it is the same. Rejects with Problems, or the reason of `stop`. */
  readonly fetch: (
    known: string | undefined,
    phase: Phase,
    stop: AbortSignal,
  ) => Promise<Candidate | undefined>;
  /** Calls back at each signal for podsecrets, which then no longer ends by it. */
  readonly handleSignals: (listener: (signal: NodeJS.Signals) => void) => void;
  readonly onRetry: (problems: readonly Problem[]) => void;
  readonly countRestart: (result: 'success' | 'error') => void;
  /** The exit code of a process that a signal ended. */
  readonly exitCodeOf: (signal: NodeJS.Signals) => number;
}

/** Milliseconds from one start of the command to the next. */
const SPACING = 10_000;

const TERMINAL_KEYS: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/**
 * Resolves with the exit code. Rejects with the problems of a first set that cannot be fetched, of a command that cannot be started,
 * or with the reason of `stop` before the first start.
 */
export async function supervise(options: SuperviseOptions, stop: AbortSignal): Promise<number> {
  const { onChange, stopSignal, clock, log } = options;
  /** Aborted when podsecrets ends. */
  const ending = new AbortController();
  let child: Child | undefined;
  /** The command that got the stop signal. */
  let stopped: Child | undefined;
  let startedAt = 0;
  let digest: string | undefined;
  /** The newest set that is not in use yet. */
  let waiting: Candidate | undefined;
  /** `delay`: before the publish; `stop`: from the publish to the start. */
  let stage: 'idle' | 'delay' | 'stop' = 'idle';
  /** The signal that ends podsecrets, once the command has ended. */
  let endingBy: NodeJS.Signals | undefined;
  const result = Promise.withResolvers<number>();
  let lastFetch: Promise<unknown> = Promise.resolve();
  let lastPublish: Promise<unknown> = Promise.resolve();
  const published = new WeakMap<Candidate, Promise<boolean>>();

  /** Runs one fetch at a time, with what is done with its set: so the next fetch is compared with the newest set. */
  function oneAtATime(work: () => Promise<void>): Promise<void> {
    const next = lastFetch.then(work);
    lastFetch = next.catch(() => {});
    return next;
  }

  async function start(candidate: Candidate): Promise<void> {
    startedAt = clock.elapsed();
    ({ digest } = candidate);
    let started: Child | undefined;
    try {
      await candidate.start((command) => {
        started = command;
        child = command;
      });
    } catch (error) {
      child = undefined;
      throw error;
    }
    void started?.ended.then((end) => {
      if (stopped === started) return;
      log.write('exec.exited', `the command ended with exit code ${end.code}`, {
        pid: started?.pid,
        exitCode: end.code,
        signal: end.signal,
      });
      result.resolve(end.code);
    });
  }

  function forward(signal: NodeJS.Signals): void {
    const isKey = options.hasTerminal && TERMINAL_KEYS.includes(signal);
    const ends = signal === 'SIGTERM' || signal === 'SIGINT' || signal === stopSignal;
    if (ends && (!isKey || stage === 'stop')) {
      endingBy = signal;
      ending.abort(new Error(signal));
    }
    if (!isKey) child?.signal(signal);
    // Between two commands.
    if (endingBy !== undefined && child === undefined) result.resolve(options.exitCodeOf(endingBy));
  }

  /** Fetches and publishes the set for a start without delay, and puts it into `waiting`. */
  async function fetchFirst(signal: AbortSignal): Promise<void> {
    const sync = () =>
      oneAtATime(async () => {
        const first = await options.fetch(undefined, 'start', signal);
        if (first === undefined) return;
        await publishOrDiscard(first);
        waiting?.discard();
        waiting = first;
      });
    const interval = Number.POSITIVE_INFINITY;
    const onRetry = logRetry(log, options.onRetry);
    await firstPhase({ clock, interval, sync, onRetry }, options.startTimeout, signal);
  }

  async function startWaiting(): Promise<void> {
    const candidate = waiting as Candidate;
    waiting = undefined;
    await start(candidate);
  }

  /** Accepts a set that is newer than every earlier one. */
  async function offer(candidate: Candidate): Promise<void> {
    // The command must not start with the files of an older set.
    if (stage === 'stop') await publishOrDiscard(candidate);
    waiting?.discard();
    waiting = candidate;
    if (stage === 'delay' && candidate.digest === digest) {
      // The change was reverted before it took effect.
      candidate.discard();
      waiting = undefined;
    }
    if (stage === 'idle') void apply().catch(result.reject);
  }

  /** Whether the files changed. Once for each set, and in order, because the newest must be the last one. */
  function publish(candidate: Candidate): Promise<boolean> {
    const known = published.get(candidate);
    if (known !== undefined) return known;
    const next = lastPublish.then(() => candidate.publish());
    lastPublish = next.catch(() => {});
    published.set(candidate, next);
    return next;
  }

  async function publishOrDiscard(candidate: Candidate): Promise<void> {
    try {
      await publish(candidate);
    } catch (error) {
      candidate.discard();
      throw error;
    }
  }

  async function apply(): Promise<void> {
    stage = 'delay';
    try {
      const spacing = onChange === 'restart' ? startedAt + SPACING - clock.elapsed() : 0;
      await clock.sleep(Math.max(0, spacing, options.splay * clock.random()), ending.signal);
      const candidate = waiting;
      if (candidate === undefined) return;
      stage = 'stop';
      const hasChanged = await publish(candidate);
      if (endingBy !== undefined) return;
      if (onChange === 'restart') await restart();
      else if (onChange === 'exit') await stopAndExit();
      else signalChange(onChange, candidate, hasChanged);
    } catch (error) {
      waiting?.discard();
      waiting = undefined;
      if (ending.signal.aborted) return;
      for (const problem of problemsOrThrow(error)) {
        // The old command has ended: no command is left that could be kept.
        if (child === undefined) throw error;
        log.problem('restart.failed', problem);
      }
      if (onChange === 'restart') options.countRestart('error');
    } finally {
      stage = 'idle';
    }
    // A set that was offered while the command was started.
    if (waiting !== undefined && !ending.signal.aborted) await apply();
  }

  async function restart(): Promise<void> {
    const since = clock.elapsed();
    await stopChild();
    if (endingBy !== undefined) return;
    if (waiting?.isAlive() !== true) {
      waiting = undefined;
      await fetchFirst(ending.signal);
    }
    await startWaiting();
    const ms = Math.round(clock.elapsed() - since);
    const pid = child?.pid ?? 0;
    options.countRestart('success');
    log.write('restart.succeeded', `restarted the command with the new set, pid ${pid}`, { pid, ms });
  }

  async function stopAndExit(): Promise<void> {
    await stopChild();
    waiting?.discard();
    waiting = undefined;
    result.resolve(0);
  }

  /** Resolves when the command has ended. If a signal is ending podsecrets, its exit code becomes that of the command. */
  async function stopChild(): Promise<void> {
    const old = child;
    if (old === undefined) return;
    const exited = new AbortController();
    stopped = old;
    old.signal(stopSignal);
    clock.sleep(options.stopTimeout, exited.signal).then(
      () => {
        const timeout = durationText(options.stopTimeout);
        const text = `the command did not end within ${timeout} after ${stopSignal}: sending SIGKILL`;
        log.write('restart.killed', text, { pid: old.pid, timeout });
        old.signal('SIGKILL');
      },
      () => {},
    );
    const { code } = await old.ended;
    exited.abort();
    child = undefined;
    if (endingBy !== undefined) result.resolve(code);
  }

  function signalChange(signal: NodeJS.Signals, candidate: Candidate, hasChanged: boolean): void {
    // A newer one may have been published meanwhile.
    ({ digest } = waiting ?? candidate);
    waiting?.discard();
    waiting = undefined;
    const pid = child?.pid ?? 0;
    if (hasChanged) {
      child?.signal(signal);
      log.write('exec.signalled', `the files changed: sent ${signal} to the command`, { signal, pid });
    } else {
      log.write('exec.variablesKept', 'only variables changed, and a running command keeps its environment');
    }
  }

  await fetchFirst(stop);
  stop.throwIfAborted();
  options.handleSignals(forward);
  try {
    await startWaiting();
    const delay = refreshDelay(options.interval, clock.random());
    options.onReady(delay);
    const loop = steadyPhase(
      {
        ...options,
        reload: () => false,
        sync: () =>
          oneAtATime(async () => {
            // A set whose process has ended must be fetched again.
            if (waiting?.isAlive() === false) waiting = undefined;
            const candidate = await options.fetch((waiting ?? { digest }).digest, 'steady', ending.signal);
            if (candidate !== undefined) await offer(candidate);
          }),
      },
      delay,
      ending.signal,
    );
    // After a signal that ends podsecrets, only the exit of the command counts.
    loop.catch((error) => {
      if (!ending.signal.aborted) result.reject(error);
    });
    return await result.promise;
  } finally {
    ending.abort(new Error('the command ended'));
    waiting?.discard();
    // It still runs only after a bug.
    child?.signal(stopSignal);
  }
}
