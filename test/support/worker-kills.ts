/** A sidecar whose workers, or which itself, is killed at random moments of its syncs, while a reader reads. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { appParameters, appSeed, paths, rotateApp, token } from './app-secret.ts';
import { generationOf } from './generations.ts';
import { readTurn } from './reader.ts';
import { startReader } from './reading.ts';
import { makeSandbox, podIdentityEnv } from './sandbox.ts';
import { startSidecar } from './sidecar.ts';
import { until } from './wait.ts';

/** The processes that a process started and that have not ended. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Longer than a sync takes on an idle machine, in milliseconds. */
const SPAN = 300;

/**
 * Rotates so often, and kills in each sync: its worker, or the sidecar, which is then started again. Afterwards every file is of
 * the newest set, the application was notified of it, and no older set is left. Returns what was killed.
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
    await until('the newest set', () => {
      if (childrenOf(running.pid).length === 0) process.kill(running.pid, 'SIGHUP');
      return readTurn(box.dir, expectation) === last;
    });
    const newest = readFileSync(join(box.dir, paths[0] ?? ''), 'utf8');
    await until(
      'a notification of the newest set',
      () => existsSync(seen) && readFileSync(seen, 'utf8') === newest,
    );
    const sets = () => readdirSync(box.dir).filter((name) => /^\.\.\d[^.]*\.\w+$/.test(name));
    await until('the removal of older sets', () => sets().length === 1);
    assert.is((await running.page('/readyz')).status, 200);
    assert.equal((await reader.end()).faults, []);
    return { killed };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
