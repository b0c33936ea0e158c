/**
 * A notifier whose attempts each run in a separate process, so that a hook's output and the values to redact in it are never in
 * the memory of a long-running process.
 */

import type { DirectoryHandle } from '../publish/held-directory.ts';
import type { Notifier } from './notifier.ts';
import type { NotifyTarget, RunNotification } from './request.ts';

/** `directories`: the directories whose values are redacted, at the time of an attempt. */
export function processNotifier(
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
