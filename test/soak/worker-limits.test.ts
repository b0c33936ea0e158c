/** Workers of the built sidecar that get too little: memory, processes, threads. The sidecar, the files and readiness stay. */

import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openMemoryLimit } from '../support/memory-limit.ts';
import { openPidsLimit } from '../support/pids-limit.ts';
import { childrenOf } from '../support/processes.ts';
import { binary } from '../support/program.ts';
import type { Sidecar } from '../support/sidecar.ts';
import { region, type SidecarFixture, sidecarSuite, startReady } from '../support/sidecar-suite.ts';
import { until } from '../support/wait.ts';

const MEBIBYTE = 1024 * 1024;

const limits = sidecarSuite('a worker that gets too little', { a: 'one', json: '{"k":[]}' });

/** Removes the limit after the end of the sidecar in it. */
async function end(running: Sidecar, limit: { remove(): Promise<void> }): Promise<void> {
  running.child.kill('SIGTERM');
  assert.is((await running.ended()).code, 0);
  await limit.remove();
}

const object = { objectName: 'a', objectType: 'secretsmanager' };
const put = ({ aws }: SidecarFixture, name: string, string: string) =>
  aws.putSecret({ region, name, string });

const problemOf = (running: Sidecar) =>
  running.events('sync.failed').find(({ code }) => code === 'sync.killed');

limits(
  'a value with which the render of one config exhausts the memory does not keep the configs after it from syncing',
  async (fixture) => {
    const { box } = fixture;
    const limit = openMemoryLimit('a value that multiplies', 128 * MEBIBYTE, binary);
    if (limit === undefined) return;
    // Each step doubles the list, if it is not empty.
    const doubled = `k[]${'.[@,@][]'.repeat(40)}`;
    const json = { objectName: 'json', objectType: 'secretsmanager' };
    const second = join(box.root, 'second.yaml');
    box.writeConfig({ objects: [object] });
    renameSync(box.config, second);
    box.writeConfig({ objects: [{ ...json, jmesPath: [{ path: doubled, objectAlias: 'k' }] }] });
    const flags = ['--config', `${second}=${box.dir}2`];
    const running = await startReady(fixture, flags, { command: limit.command });
    const published = () => readFileSync(join(`${box.dir}2`, 'a'), 'utf8');

    await put(fixture, 'json', '{"k":[1]}');
    process.kill(running.pid, 'SIGHUP');
    await until('the problem', () => problemOf(running) !== undefined);
    assert.is(problemOf(running)?.subject, box.config);
    // On a slow machine its time is over before its memory.
    assert.match(String(problemOf(running)?.message), /used \d+ of the \d+ MiB|made no progress for 20s/);
    for (const value of ['two', 'three']) {
      await put(fixture, 'a', value);
      await until(`the value ${value}`, async () => {
        if (published() !== value) process.kill(running.pid, 'SIGHUP');
        return published() === value;
      });
    }
    assert.is((await running.page('/readyz')).status, 200);
    assert.is(limit.kills(), 0, 'the kernel killed a process');

    await put(fixture, 'json', '{"k":[],"l":1}');
    await put(fixture, 'a', 'four');
    await running.refresh();
    await running.event('sync.recovered');
    assert.is(published(), 'four');
    await end(running, limit);
  },
);

limits('published files count towards the limit of memory, and the kernel kills nothing', async (fixture) => {
  const { box } = fixture;
  const limit = openMemoryLimit('files that fill the memory', 128 * MEBIBYTE, binary);
  if (limit === undefined) return;
  const count = 700;
  const objects = Array.from({ length: count }, (_, at) => ({ ...object, objectAlias: `file-${at}` }));
  box.writeConfig({ objects });
  const running = await startReady(fixture, [], { command: limit.command });
  // Twice 45 MiB do not fit.
  for (const letter of ['x', 'y']) {
    await put(fixture, 'a', letter.repeat(65_536));
    process.kill(running.pid, 'SIGHUP');
    // The first one was of the start.
    if (letter === 'x') await running.event('publish.changed', 2);
  }
  await until('the problem', () => problemOf(running) !== undefined);
  assert.match(String(problemOf(running)?.message), /used \d+ of the \d+ MiB that the memory limit/);
  assert.is(limit.kills(), 0, 'the kernel killed a process');
  assert.is((await running.page('/readyz')).status, 200);
  assert.is(box.files()[`file-${count - 1}`]?.[0], 'x');
  // What the killed worker had written is removed.
  await put(fixture, 'a', 'two');
  await running.event('sync.recovered');
  assert.is(box.files()[`file-${count - 1}`], 'two');
  await end(running, limit);
});

for (const [what, more, message] of [
  ['fork', 0, /^sync: its process cannot be started \(EAGAIN\)$/],
  ['threads', 1, /^sync: its process was ended by SIGABRT: .* no thread within the pids limit$/],
] as const) {
  limits(
    `a limit of processes that allows no ${what} fails syncs, and the first one after it succeeds`,
    async (fixture) => {
      const { box } = fixture;
      const limit = openPidsLimit(`a limit of processes that allows no ${what}`, binary);
      if (limit === undefined) return;
      box.writeConfig({ objects: [object] });
      const running = await startReady(fixture, [], { command: limit.command });
      await until('no process at work', () => childrenOf(running.pid).length === 0);
      limit.allow(more);
      process.kill(running.pid, 'SIGHUP');
      await until('the problem', () => running.hasEnded() || problemOf(running) !== undefined);
      assert.match(String(problemOf(running)?.message), message);
      assert.match(String(problemOf(running)?.remedy), 'podPidsLimit');
      assert.is((await running.page('/readyz')).status, 200);
      assert.equal(box.files(), { a: 'one' });
      limit.allowAll();
      await put(fixture, 'a', 'two');
      await running.refresh();
      await running.event('sync.recovered');
      assert.equal(box.files(), { a: 'two' });
      await end(running, limit);
    },
  );
}

limits.run();
