/** Ready with `--sync-secrets`: the Secrets of the files in place were applied, by this process or by one before it. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/config/plan.ts';
import type { Log } from '../../src/core/log.ts';
import { createSyncTarget, type SyncTarget } from '../../src/sidecar/target.ts';
import { fakeClock } from '../support/clock.ts';
import { open } from '../support/directory.ts';
import { scratch } from '../support/scratch.ts';
import { published, secretObject, secretPlan } from '../support/secret-plan.ts';

const silent: Log = { write() {}, problem() {} };
const app = secretPlan([secretObject('app', { password: 'db' })]);

/** A process on the directory; it ends with `end`. */
async function start(dir: string, plan: Plan = app, syncSecrets = true) {
  const directory = await open(dir);
  const target: SyncTarget = createSyncTarget({
    directory: dir,
    plan,
    target: { ...directory.held, ...directory.writer },
    sourceOf: () => ({ read: async () => new Map() }),
    syncSecrets,
    hasNotifiers: false,
    notifyOnStart: false,
    clock: fakeClock(),
    log: silent,
  });
  const publish = (value: string) =>
    target.publish({
      snapshot: published({ db: value }),
      facts: [],
      variables: [],
      variableWarnings: [],
      missing: [],
      degradedObjects: [],
    });
  return { target, publish, end: directory.end };
}

test('a process whose Secret was refused is not ready, nor is the next one', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.publish('1');
  assert.is(first.target.isReady(), false);
  await first.end();
  const next = await start(dir);
  assert.is(next.target.isReady(), false);
  await next.target.recordSecrets((await next.publish('1')).generation);
  assert.is(next.target.isReady(), true);
  await next.end();
});

test('the next process is ready at once when the Secrets of the files were applied', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.target.recordSecrets((await first.publish('1')).generation);
  await first.end();
  const next = await start(dir);
  assert.is(next.target.isReady(), true);
  await next.end();
});

test('a rotation whose Secret was not applied keeps the process ready, and not the next one', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.target.recordSecrets((await first.publish('1')).generation);
  await first.publish('2');
  assert.is(first.target.isReady(), true);
  await first.end();
  const next = await start(dir);
  assert.is(next.target.isReady(), false);
  await next.end();
});

test('other secretObjects than those that were applied are not ready', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.target.recordSecrets((await first.publish('1')).generation);
  await first.end();
  const next = await start(dir, secretPlan([secretObject('other', { password: 'db' })]));
  assert.is(next.target.isReady(), false);
  await next.end();
});

test('without --sync-secrets, and without secretObjects, the files alone are ready', async () => {
  const dir = scratch();
  const first = await start(dir, app, false);
  await first.publish('1');
  assert.is(first.target.isReady(), true);
  await first.end();
  const next = await start(dir, secretPlan([]));
  assert.is(next.target.isReady(), true);
  await next.end();
});

test.run();
