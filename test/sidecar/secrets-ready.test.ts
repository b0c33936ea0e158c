/** Ready with `--sync-secrets`: the Secrets of the files in place were applied, by this process or by one before it. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/config/plan.ts';
import type { Log } from '../../src/core/log.ts';
import { Secret } from '../../src/core/secret.ts';
import { keptFiles } from '../../src/publish/kept-files.ts';
import { createSyncTarget } from '../../src/sidecar/target.ts';
import type { SyncMessage } from '../../src/worker/report.ts';
import { createSyncWorker } from '../../src/worker/sync.ts';
import { fakeClock } from '../support/clock.ts';
import { open } from '../support/directory.ts';
import { scratch } from '../support/scratch.ts';
import { optionalObject, secretObject, secretPlan } from '../support/secret-plan.ts';
import { problem } from '../support/world.ts';

const silent: Log = { write() {}, problem() {} };
const never = new AbortController().signal;
const objects = [{ ...optionalObject('db'), optional: false }];
const app = secretPlan([secretObject('app', { password: 'db' })], { objects });

/** A process on the directory; it ends with `end`. */
async function start(dir: string, plan: Plan = app, syncSecrets = true) {
  const directory = await open(dir);
  const { held } = directory;
  const target = createSyncTarget({
    file: 'config.yaml',
    held,
    read: () => ({ kind: 'text', text: '' }),
    clock: fakeClock(),
    log: silent,
  });

  /** A sync: of this value, or one that ends before anything is fetched; `applies`: the API takes the Secrets. */
  async function sync(value: string | undefined, applies = false): Promise<void> {
    const worker = createSyncWorker({
      parse: async () => ({ plan, problems: [], warnings: [] }),
      sourceOf: () => ({
        async read(refs) {
          if (value === undefined) throw problem('fetch.network');
          return new Map(
            refs.map(({ key }) => [key, { kind: 'found', value: new Secret(value), version: '1' }]),
          );
        },
      }),
      credentials: () => undefined,
      openDirectory: () => ({ ...directory.writer, keptFiles: keptFiles(dir) }),
      hasNotifiers: false,
      notifyOnStart: false,
      applySecrets: syncSecrets
        ? async () => {
            if (!applies) throw problem('kubernetes.denied');
          }
        : undefined,
      areSecretsStale: async () => false,
      log: silent,
    });
    const receive = (message: SyncMessage): void => {
      if (message.kind === 'plan') target.planned(message);
      if (message.kind === 'published') target.published(message);
      if (message.kind === 'applied') target.applied();
    };
    const request = {
      work: 'sync',
      phase: 'start',
      configs: [target.request()],
      renderLast: [],
      batchesDisabled: {},
    } as const;
    await worker(request, receive, never).catch(() => {});
  }

  return { isReady: target.isReady, sync, end: directory.end };
}

test('a process whose Secret was rejected is not ready, and neither is the next one', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.sync('1');
  assert.is(first.isReady(), false);
  await first.end();
  const next = await start(dir);
  await next.sync(undefined);
  assert.is(next.isReady(), false);
  await next.sync('1', true);
  assert.is(next.isReady(), true);
  await next.end();
});

test('the next process is ready before it fetches when the Secrets of the files were applied', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.sync('1', true);
  await first.end();
  const next = await start(dir);
  assert.is(next.isReady(), false);
  await next.sync(undefined);
  assert.is(next.isReady(), true);
  await next.end();
});

test('after a rotation whose Secret was not applied, the process is still ready, but the next process is not', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.sync('1', true);
  await first.sync('2');
  assert.is(first.isReady(), true);
  await first.end();
  const next = await start(dir);
  await next.sync(undefined);
  assert.is(next.isReady(), false);
  await next.end();
});

test('is not ready if secretObjects differ from the applied ones', async () => {
  const dir = scratch();
  const first = await start(dir);
  await first.sync('1', true);
  await first.end();
  const next = await start(dir, secretPlan([secretObject('other', { password: 'db' })], { objects }));
  await next.sync(undefined);
  assert.is(next.isReady(), false);
  await next.end();
});

test('without --sync-secrets, and without secretObjects, the files alone are ready', async () => {
  const dir = scratch();
  const first = await start(dir, app, false);
  await first.sync('1');
  assert.is(first.isReady(), true);
  await first.end();
  const next = await start(dir, secretPlan([], { objects }));
  await next.sync(undefined);
  assert.is(next.isReady(), true);
  await next.end();
});

test.run();
