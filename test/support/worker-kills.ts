/** A sidecar whose workers, or which itself, is killed at random moments of its syncs, while a reader reads. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { appParameters, appSeed, paths, rotateApp, token } from './app-secret.ts';
import { generationsIn } from './directory.ts';
import { generationOf } from './generations.ts';
import { childrenOf } from './processes.ts';
import { readTurn } from './reader.ts';
import { startReader } from './reading.ts';
import { makeSandbox, podIdentityEnv } from './sandbox.ts';
import { startSidecar } from './sidecar.ts';
import { until } from './wait.ts';

/** Longer than a sync takes on an idle machine, in milliseconds. */
const SPAN = 300;

/**
 * Rotates so often, and kills in each sync: its worker, or the sidecar, which is then started again. Afterwards every file is of
 * the newest generation, the application was notified of it, and no older generation is left. Returns what was killed.
 */
export async function killInSyncs(
  times: number,
  what: 'worker' | 'sidecar',
): Promise<{ readonly killed: number }> {
  const ends: (() => unknown)[] = [];
  try {
    const aws = await startFakeAwsProcess(appSeed);
    ends.push(() => aws.stop());
    const box = makeSandbox();
    ends.push(() => box.remove());
    box.writeConfig(appParameters);
    const seen = join(box.root, 'seen');
    const hook = ['/bin/cp', join(box.dir, paths[0] ?? ''), seen];
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

    let killed = 0;
    for (let generation = 1; generation <= times; generation++) {
      await rotateApp(aws, generation);
      process.kill(running.pid, 'SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * SPAN));
      if (what === 'sidecar') {
        process.kill(running.pid, 'SIGKILL');
        await running.ended();
        killed++;
        running = await begin();
      } else {
        for (const pid of childrenOf(running.pid)) {
          try {
            process.kill(pid, 'SIGKILL');
            killed++;
          } catch {
            // It has ended.
          }
        }
      }
    }

    const last = times + 1;
    await rotateApp(aws, last);
    const expectation = { steady: paths, generationOf };
    await until('the newest generation', () => {
      if (childrenOf(running.pid).length === 0) process.kill(running.pid, 'SIGHUP');
      return readTurn(box.dir, expectation) === last;
    });
    const newest = readFileSync(join(box.dir, paths[0] ?? ''), 'utf8');
    await until(
      'a notification of the newest generation',
      () => existsSync(seen) && readFileSync(seen, 'utf8') === newest,
    );
    await until('the removal of older generations', () => generationsIn(box.dir).length === 1);
    assert.is((await running.page('/readyz')).status, 200);
    assert.equal((await reader.end()).faults, []);
    return { killed };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
