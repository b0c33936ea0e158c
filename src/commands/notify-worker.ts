/**
 * The process of one notification: runs the hook or sends the request, and reports the result.
 *
 * The values to redact are read from the directories only if there is output to show, and are freed with this
 * process a moment later.
 */

import * as fs from 'node:fs';
import { exitCodes, problemsOrThrow } from '../core/problem.ts';
import { problemMessage } from '../core/problem-fields.ts';
import { execNotifier } from '../notify/exec.ts';
import type { Notifier, Redact } from '../notify/notifier.ts';
import { redactAll } from '../notify/redact.ts';
import type { NotifyMessage, NotifyRequest } from '../notify/request.ts';
import { urlNotifier } from '../notify/url.ts';
import { readValuesToRedact } from '../publish/values-to-redact.ts';
import { endWithParent, readRequest, writeMessage } from '../worker/inherited.ts';
import type { WorkerContext } from './context.ts';

/** Makes one attempt. A failed one is a result, reported with exit code 0. Rejects only with a bug. */
export async function notifyWorker({ env, stop }: WorkerContext): Promise<number> {
  const request = readRequest() as NotifyRequest;
  // Not SIGKILL: this process must end the hook.
  endWithParent(request.parent, 'SIGTERM');
  const report = (message: NotifyMessage): void => writeMessage(message);
  const redact: Redact = (text) =>
    redactAll(
      text,
      request.directories.map((directory) => readValuesToRedact(fs, directory)),
    );
  try {
    await notifierOf().notify(request.names, stop);
    report({ kind: 'delivered' });
  } catch (error) {
    // The process that started this one has ended, or is about to.
    if (stop.aborted && error === stop.reason) return exitCodes.done;
    report({ kind: 'failed', problem: problemMessage(problemsOrThrow(error)[0]) });
  }
  return exitCodes.done;

  function notifierOf(): Notifier {
    const { target } = request;
    if (target.kind === 'url') return urlNotifier(target.url, { redact });
    return execNotifier(target.command, {
      environment: env,
      redact,
      onStart: (group) => report({ kind: 'started', group }),
    });
  }
}
