/**
 * The notifiers that the settings ask for, each loaded only if it is.
 */

import type { Log, Notifier } from '../ports.ts';
import type { Context } from './context.ts';

/** `scrub` takes published values out of what a hook printed. */
export async function openNotifiers(
  { settings, env, process }: Context,
  log: Log,
  scrub: (text: string) => string,
): Promise<readonly Notifier[]> {
  const { notifySignal, notifyPidFile, notifyProcess, notifyExec } = settings;
  const notifiers: Notifier[] = [];
  if (notifySignal !== undefined) {
    const { signalNotifier } = await import('../edge/notify/signal.ts');
    const target =
      notifyPidFile === undefined
        ? ({ kind: 'process', name: notifyProcess ?? '' } as const)
        : ({ kind: 'pidFile', file: notifyPidFile } as const);
    const { self, user, kill } = process;
    notifiers.push(signalNotifier(notifySignal, target, { self, user, kill, proc: '/proc' }));
  }
  if (notifyExec !== undefined) {
    const { execNotifier } = await import('../edge/notify/exec.ts');
    const unreaped = (zombies: number) =>
      log.write('warn', 'hook.zombies', `${zombies} ended processes of hooks could not be reaped`, {
        zombies,
      });
    notifiers.push(execNotifier(notifyExec, { environment: env, self: process.self, scrub, unreaped }));
  }
  return notifiers;
}
