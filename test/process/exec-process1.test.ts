/** `podsecrets exec --on-change` as process 1 of a container: its exit code, signals, and the processes that the command leaves. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isAllowed } from '../support/allowed.ts';
import { change, type OnChange, onChangeSuite, textOf, waits, wordsOf } from '../support/on-change.ts';
import { binary, type Running, start } from '../support/program.ts';
import { podIdentityEnv } from '../support/sandbox.ts';
import { until } from '../support/wait.ts';

const exec = onChangeSuite('exec --on-change as process 1');

const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;
const isPossible = isAllowed('exec --on-change as process 1', ['unshare', ...unshare, 'true']);

/** Not in the list of the suite: the pid that the command writes is one of its namespace. */
async function inNamespace(
  fixture: OnChange,
  script: string,
  test: (running: Running) => Promise<void>,
  flags: readonly string[] = [],
): Promise<void> {
  const { aws, box } = fixture;
  const env = podIdentityEnv(box, aws, 'pod-token');
  const words = wordsOf(fixture, 'restart', script, flags);
  const running = start(words, env, ['unshare', ...unshare, binary]);
  try {
    await test(running);
  } finally {
    if (!running.hasEnded()) process.kill(running.pid, 'SIGKILL');
    await running.ended();
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** Outside of the namespace. */
function process1({ pid }: Running): number {
  const [child] = childrenOf(pid);
  assert.ok(child, 'unshare has started it');
  return child;
}

function zombiesOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => {
    try {
      return readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z ');
    } catch {
      return false;
    }
  });
}

if (isPossible) {
  exec('the exit code is that of the command, 128 and its number for a signal', async (fixture) => {
    for (const [script, expected] of [
      ['exit 0', 0],
      ['exit 3', 3],
      ['exit 255', 255],
      ['kill -9 $$', 137],
      ['kill -15 $$', 143],
    ] as const) {
      await inNamespace(fixture, `echo $PPID > parent; ${script}`, async (running) => {
        assert.is((await running.ended()).code, expected, script);
      });
      assert.is(textOf(fixture.box.root, 'parent'), '1\n');
    }
  });

  exec('SIGTERM reaches the command, whose exit code is that of process 1', async (fixture) => {
    const { root } = fixture.box;
    await inNamespace(fixture, `trap 'exit 9' TERM; touch ready; ${waits}`, async (running) => {
      await until('the start', () => existsSync(join(root, 'ready')));
      process.kill(process1(running), 'SIGTERM');
      assert.is((await running.ended()).code, 9);
    });
  });

  exec('SIGTERM during the first fetch ends process 1 with 143', async (fixture) => {
    const { aws } = fixture;
    await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
    await inNamespace(fixture, 'touch ready', async (running) => {
      await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
      process.kill(process1(running), 'SIGTERM');
      assert.is((await running.ended()).code, 143);
    });
    assert.not.ok(existsSync(join(fixture.box.root, 'ready')));
  });

  exec('a command is restarted, and the processes that it left are reaped when they end', async (fixture) => {
    const { aws, box } = fixture;
    const orphan = `( (until [ -e end ]; do sleep 0.05; done; echo x >> ended) & )`;
    await inNamespace(fixture, `${orphan}; echo x >> starts; ${waits}`, async (running) => {
      await until('the start', () => textOf(box.root, 'starts') === 'x\n');
      await change(aws);
      await until('the restart', () => textOf(box.root, 'starts') === 'x\nx\n');
      const pid = process1(running);
      // The command, an orphan of each start, and at times a worker.
      assert.ok(childrenOf(pid).length >= 3);
      box.write('end', '');
      await until('the end of the orphans', () => textOf(box.root, 'ended') === 'x\nx\n');
      await until('no zombies, and only the command', () => {
        return zombiesOf(pid).length === 0 && childrenOf(pid).length === 1;
      });
    });
  });
}

exec.run();
