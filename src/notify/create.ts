/**
 * The notifiers that the settings ask for. Each module is loaded only if its notifier is used.
 */

import type { Settings } from '../cli/options.ts';
import type { Environment } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import type { Notifier, NotifierKind, Redact } from './notifier.ts';
import type { ProcessSystem } from './signal.ts';

/** The settings of notifications. */
export type NotifySettings = Pick<
  Settings,
  'notifySignal' | 'notifyPidFile' | 'notifyProcess' | 'notifyExec' | 'notifyUrl' | 'notifyTouch'
>;

/** What notifiers use of the process. */
export interface NotifierOptions {
  readonly settings: NotifySettings;
  /** Our own environment, of which a hook gets a part. */
  readonly env: Environment;
  readonly process: Pick<ProcessSystem, 'self' | 'user' | 'kill'>;
  /** The wall clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  /** Replaces published values in the output of a hook or an endpoint. */
  readonly redact: Redact;
}

/** The kinds of the notifiers that the settings ask for, in the order of `createNotifiers`. */
export function notifierKinds(settings: NotifySettings): readonly NotifierKind[] {
  const { notifySignal, notifyExec, notifyUrl, notifyTouch } = settings;
  const set = { signal: notifySignal, exec: notifyExec, url: notifyUrl, touch: notifyTouch } as const;
  return (['signal', 'exec', 'url', 'touch'] as const).filter((kind) => set[kind] !== undefined);
}

/** One notifier for each kind. */
export async function createNotifiers(options: NotifierOptions): Promise<readonly Notifier[]> {
  const { settings, env, process, now, log, redact } = options;
  const { notifySignal, notifyPidFile, notifyProcess, notifyExec, notifyUrl, notifyTouch } = settings;
  const notifiers: Notifier[] = [];
  if (notifySignal !== undefined) {
    const { signalNotifier } = await import('./signal.ts');
    const target =
      notifyPidFile === undefined
        ? ({ kind: 'process', name: notifyProcess ?? '' } as const)
        : ({ kind: 'pidFile', file: notifyPidFile } as const);
    notifiers.push(signalNotifier(notifySignal, target, { ...process, proc: '/proc' }));
  }
  if (notifyExec !== undefined) {
    const { execNotifier } = await import('./exec.ts');
    const onZombies = (zombies: number) =>
      log.write('hook.zombieProcesses', `${zombies} ended processes of hooks could not be reaped`, {
        zombies,
      });
    notifiers.push(execNotifier(notifyExec, { environment: env, self: process.self, redact, onZombies }));
  }
  if (notifyUrl !== undefined) {
    const { urlNotifier } = await import('./url.ts');
    notifiers.push(urlNotifier(notifyUrl, { redact }));
  }
  if (notifyTouch !== undefined) {
    const { touchNotifier } = await import('./touch.ts');
    notifiers.push(touchNotifier(notifyTouch, now));
  }
  return notifiers;
}
