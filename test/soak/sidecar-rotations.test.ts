/** A thousand rotations with the built sidecar, which is killed every tenth time, a busy reader and an application that reloads. */

import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { appParameters, appSeed, paths, rotateApp, token } from '../support/app-secret.ts';
import { startApplication } from '../support/application.ts';
import { hasPendingFile } from '../support/directory.ts';
import { generationOf, valueIn } from '../support/generations.ts';
import { startReader } from '../support/reading.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';

const ROTATIONS = 500;
/** The sidecar is killed in one of so many rotations. */
const KILL_IN = 10;
/** inotify reports some five changes for a rotation: the kill comes at one of them, or after the notification. */
const CHANGES = 9;

const test = suite('rotations');
/** Cleanup after a failed test too. */
const ends: (() => unknown)[] = [];
test.after(async () => {
  for (const end of ends.reverse()) await end();
});

test(`${ROTATIONS} rotations under kill -9: no file is ever mixed, torn or missing, and the application receives every generation`, async () => {
  const aws = await startFakeAwsProcess(appSeed);
  ends.push(() => aws.stop());
  const box = makeSandbox();
  ends.push(() => box.remove());
  box.writeConfig(appParameters);
  const first = paths[0] ?? '';
  const env = podIdentityEnv(box, aws, token);
  const begin = async (): Promise<Sidecar> => {
    const notifier = ['--notify-signal', 'SIGHUP', '--notify-pid-file', join(box.root, 'app.pid')];
    const running = await startSidecar(['--config', box.config, '--dir', box.dir, ...notifier], env);
    ends.push(() => running.child.kill('SIGKILL'));
    await running.event('sidecar.ready');
    return running;
  };
  const published = () => generationOf(first, readFileSync(join(box.dir, first), 'utf8'));
  let sidecar = await begin();
  const application = await startApplication({
    file: join(box.dir, first),
    pidFile: join(box.root, 'app.pid'),
    name: 'app',
  });
  const received = () => application.received.filter((line) => line.startsWith('generation')).length;
  ends.push(() => application.end());
  const reader = await startReader(box.dir, paths);
  ends.push(() => reader.kill());

  const kills = { before: 0, between: 0, after: 0, spurious: 0 };
  for (let generation = 1; generation <= ROTATIONS; generation++) {
    await rotateApp(aws, generation);
    const receivedBefore = received();
    const isReceived = () => application.received.includes(lineOf(generation, first));
    if (generation % KILL_IN !== 0) process.kill(sidecar.pid, 'SIGHUP');
    else {
      let changes = Math.floor(Math.random() * CHANGES);
      const { child } = sidecar;
      const watcher = watch(box.dir, () => --changes <= 0 && child.kill('SIGKILL'));
      process.kill(sidecar.pid, 'SIGHUP');
      await until('a moment for the kill', () => child.killed || (isReceived() && !hasPendingFile(box.dir)));
      watcher.close();
      child.kill('SIGKILL');
      await sidecar.ended();
      const state = published() < generation ? 'before' : hasPendingFile(box.dir) ? 'between' : 'after';
      kills[state]++;
      sidecar = await begin();
      // The first sync of the new sidecar is over when the next one begins.
      await sidecar.refresh();
      if (state === 'after' && received() > receivedBefore + 1) kills.spurious++;
    }
    await until(`generation ${generation}`, () => published() === generation);
    await until(`generation ${generation} in the application`, isReceived);
    assert.is((await reader.turn()).newest, generation);
  }

  assert.is(published(), ROTATIONS);
  assert.is(
    application.received.filter((line) => line.startsWith('generation')).at(-1),
    lineOf(ROTATIONS, first),
  );
  process.kill(sidecar.pid, 'SIGTERM');
  assert.is((await sidecar.ended()).code, 0);
  const report = await reader.end();
  assert.equal(report.faults, []);
  assert.is(kills.spurious, 0);
  // Only a kill between a publish and the end of its notification may cause a second notification.
  assert.ok(
    received() <= ROTATIONS + kills.between,
    `${received()} notifications, ${kills.between} of them may be second ones`,
  );
  process.stdout.write(
    `\n${ROTATIONS} rotations; ${JSON.stringify(kills)} kills; ${received()} notifications; the reader made ${report.turns} turns, read ${report.generations} generations\n`,
  );
});

/** The first line of the value: what the application prints, as far as its first line feed. */
function lineOf(generation: number, path: string): string {
  return valueIn(generation, path).split('\n')[0] ?? '';
}

test.run();
