/**
 * Creates the notifiers of the settings. Signal and touch work in this process, and are loaded only if they are used. Each attempt of a
 * hook or a request runs in a separate process, so that its output and the values to redact in it are never in the memory of a
 * long-running process.
 */

import type { Settings } from '../cli/options.ts';
import type { DirectoryHandle } from '../publish/held-directory.ts';
import type { Notifier, NotifierKind } from './notifier.ts';
import type { NotifyTarget, RunNotification } from './request.ts';
import type { ProcessSystem } from './signal.ts';

/** The settings of notifications. */
export type NotifySettings = Pick<
  Settings,
  'notifySignal' | 'notifyPidFile' | 'notifyProcess' | 'notifyExec' | 'notifyUrl' | 'notifyTouch'
>;

/** The effects that notifiers need. */
export interface NotifierOptions {
  readonly settings: NotifySettings;
  readonly process: Pick<ProcessSystem, 'self' | 'user' | 'kill'>;
  /** The wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** The directories that are published to, at the time of an attempt. */
  readonly directories: () => readonly DirectoryHandle[];
  /** Runs a hook, or sends a request, in a separate process. */
  readonly run: RunNotification;
}

/** The kinds of the configured notifiers, in the order of `createNotifiers`. */
export function notifierKinds(settings: NotifySettings): readonly NotifierKind[] {
  const { notifySignal, notifyExec, notifyUrl, notifyTouch } = settings;
  const set = { signal: notifySignal, exec: notifyExec, url: notifyUrl, touch: notifyTouch } as const;
  return (['signal', 'exec', 'url', 'touch'] as const).filter((kind) => set[kind] !== undefined);
}

/** One notifier for each kind. */
export async function createNotifiers(options: NotifierOptions): Promise<readonly Notifier[]> {
  const { settings, process, now, directories, run } = options;
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
  if (notifyExec !== undefined)
    notifiers.push(processNotifier({ kind: 'exec', command: notifyExec }, directories, run));
  if (notifyUrl !== undefined)
    notifiers.push(processNotifier({ kind: 'url', url: notifyUrl }, directories, run));
  if (notifyTouch !== undefined) {
    const { touchNotifier } = await import('./touch.ts');
    notifiers.push(touchNotifier(notifyTouch, now));
  }
  return notifiers;
}

/** `directories`: the directories whose values are redacted, at the time of an attempt. */
function processNotifier(
  target: NotifyTarget,
  directories: () => readonly DirectoryHandle[],
  run: RunNotification,
): Notifier {
  return {
    kind: target.kind,
    async notify(names, signal) {
      signal.throwIfAborted();
      await run({ target, names, directories: directories() }, signal);
    },
  };
}
