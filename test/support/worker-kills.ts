/** A sidecar whose processes are killed at random moments of its syncs and notifications, while a reader reads. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { appParameters, appSeed, paths, rotateApp, token } from './app-secret.ts';
import { generationsIn } from './directory.ts';
import { generationOf } from './generations.ts';
import { childrenOf, commandOf } from './processes.ts';
import { readTurn } from './reader.ts';
import { startReader } from './reading.ts';
import { makeSandbox, podIdentityEnv } from './sandbox.ts';
import { startSidecar } from './sidecar.ts';
import { until } from './wait.ts';

/** The pids of the processes of notifications, children of this one. */
export function notifyWorkersOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => commandOf(child).endsWith(' worker notify'));
}

/** Longer than a sync takes on an idle machine, in milliseconds; and longer than a notification. */
const SPAN = 300;
const NOTIFICATION_SPAN = 80;

/** What is killed: a sidecar is started again afterwards. */
type Victim = 'worker' | 'notify worker' | 'sidecar' | 'sidecar that notifies';

/**
 * Rotates so often, and kills in each sync, or in the notification after it; ends earlier after `enough` kills. Afterwards every file
 * is of the newest generation, the application was notified of it, and no older generation is left. Returns how often something was
 * killed.
 */
export async function killInSyncs(
  times: number,
  what: Victim,
  enough = Number.POSITIVE_INFINITY,
): Promise<{ readonly killed: number }> {
  const ends: (() => unknown)[] = [];
  try {
    const aws = await startFakeAwsProcess(appSeed);
    ends.push(() => aws.stop());
    const box = makeSandbox();
    ends.push(() => box.remove());
    box.writeConfig(appParameters);
    const seen = join(box.root, 'seen');
    const newest = join(box.dir, paths[0] ?? '');
    const hook = ['/bin/cp', newest, seen];
    const args = ['--config', box.config, '--dir', box.dir, '--notify-exec', JSON.stringify(hook)];
    const begin = async () => {
      const started = await startSidecar(args, podIdentityEnv(box, aws, token));
      await started.event('sidecar.ready');
      return started;
    };
    let running = await begin();
    ends.push(() => running.child.kill('SIGKILL'));
    const reader = await startReader(box.dir, paths);
    ends.push(() => reader.kill());

    const isNotified = () => existsSync(seen) && readFileSync(seen, 'utf8') === readFileSync(newest, 'utf8');

    const expectation = { steady: paths, generationOf };

    let killed = 0;
    for (let generation = 1; generation <= times && killed < enough; generation++) {
      await rotateApp(aws, generation);
      process.kill(running.pid, 'SIGHUP');
      const isNotification = what === 'notify worker' || what === 'sidecar that notifies';
      // It may have ended already: a sidecar that was started again can fetch the new values in its first sync.
      if (isNotification)
        await until('a notification', () => {
          if (notifyWorkersOf(running.pid).length > 0) return true;
          return isNotified() && readTurn(box.dir, expectation) === generation;
        });
      const span = isNotification ? NOTIFICATION_SPAN : SPAN;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * span));
      if (what === 'sidecar' || what === 'sidecar that notifies') {
        process.kill(running.pid, 'SIGKILL');
        await running.ended();
        killed++;
        running = await begin();
      } else {
        const workers = what === 'worker' ? childrenOf : notifyWorkersOf;
        for (const pid of workers(running.pid)) {
          try {
            process.kill(pid, 'SIGKILL');
            killed++;
          } catch {
            // It has ended.
          }
        }
        // Otherwise the waits between the attempts would grow.
        if (what === 'notify worker') await until('the next attempt', isNotified);
      }
    }

    const last = times + 1;
    await rotateApp(aws, last);
    await until('the newest generation', () => {
      if (childrenOf(running.pid).length === 0) process.kill(running.pid, 'SIGHUP');
      return readTurn(box.dir, expectation) === last;
    });
    await until('a notification of the newest generation', isNotified);
    await until('the removal of older generations', () => generationsIn(box.dir).length === 1);
    assert.is((await running.page('/readyz')).status, 200);
    assert.equal((await reader.end()).faults, []);
    return { killed };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
