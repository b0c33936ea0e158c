/**
 * The notifiers that the settings ask for, each loaded only if it is.
 */

import type { Settings } from '../cli/options.ts';
import type { Context } from '../commands/context.ts';
import type { Log } from '../core/log.ts';
import type { Notifier } from './notifier.ts';

/** The kinds of the notifiers that the settings ask for, in the order in which `openNotifiers` has them. */
export function notifierKinds(settings: Settings): readonly Notifier['kind'][] {
  const { notifySignal, notifyExec, notifyUrl, notifyTouch } = settings;
  const asked = { signal: notifySignal, exec: notifyExec, url: notifyUrl, touch: notifyTouch } as const;
  return (['signal', 'exec', 'url', 'touch'] as const).filter((kind) => asked[kind] !== undefined);
}

/** `scrub` takes published values out of what a hook printed. */
export async function createNotifiers(
  { settings, env, process, clock }: Context,
  log: Log,
  scrub: (text: string) => string,
): Promise<readonly Notifier[]> {
  const { notifySignal, notifyPidFile, notifyProcess, notifyExec, notifyUrl, notifyTouch } = settings;
  const notifiers: Notifier[] = [];
  if (notifySignal !== undefined) {
    const { signalNotifier } = await import('./signal.ts');
    const target =
      notifyPidFile === undefined
        ? ({ kind: 'process', name: notifyProcess ?? '' } as const)
        : ({ kind: 'pidFile', file: notifyPidFile } as const);
    const { self, user, kill } = process;
    notifiers.push(signalNotifier(notifySignal, target, { self, user, kill, proc: '/proc' }));
  }
  if (notifyExec !== undefined) {
    const { execNotifier } = await import('./exec.ts');
    const unreaped = (zombies: number) =>
      log.write('hook.zombieProcesses', `${zombies} ended processes of hooks could not be reaped`, {
        zombies,
      });
    notifiers.push(execNotifier(notifyExec, { environment: env, self: process.self, scrub, unreaped }));
  }
  if (notifyUrl !== undefined) {
    const { urlNotifier } = await import('./url.ts');
    notifiers.push(urlNotifier(notifyUrl, { scrub }));
  }
  if (notifyTouch !== undefined) {
    const { touchNotifier } = await import('./touch.ts');
    notifiers.push(touchNotifier(notifyTouch, clock.now));
  }
  return notifiers;
}
