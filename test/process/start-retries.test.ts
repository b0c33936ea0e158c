/**
 * The retries of a sidecar's start: while some secrets cannot be read, one worker keeps the values of the others, so that each
 * attempt reads only what is missing.
 */

import * as assert from 'uvu/assert';
import { canary } from '../support/canary.ts';
import { textsInMemory } from '../support/process-memory.ts';
import { childrenOf, isRunning } from '../support/processes.ts';
import type { Sidecar } from '../support/sidecar.ts';
import {
  region,
  type SidecarFixture,
  sidecarSuite,
  startReady,
  startUnready,
} from '../support/sidecar-suite.ts';
import { until } from '../support/wait.ts';

const value = canary('kept');
const retries = sidecarSuite('a start that is retried', { read: value, missing: 'one' });

const secret = (objectName: string) => ({ objectName, objectType: 'secretsmanager' });
const objects = [secret('read'), secret('missing')];
/** The attempts of the SDK for one call. */
const CALLS = 3;

/** The next calls for the second secret fail. `retryAfter`: seconds until the next attempt, at least. */
async function fail({ aws }: SidecarFixture, times: number, retryAfter?: number): Promise<void> {
  const on = { operation: 'GetSecretValue', id: 'missing' };
  if (times > 1) await aws.addFault({ on, times: times - 1, does: { kind: 'server-error' } });
  await aws.addFault({
    on,
    times: 1,
    does: { kind: 'server-error', ...(retryAfter === undefined ? {} : { retryAfter }) },
  });
}

const reads = ({ aws }: SidecarFixture, id: string) => aws.count({ operation: 'GetSecretValue', id });

/** A sidecar whose first attempt has failed, and whose worker waits ten minutes for the next one. */
async function startWaiting(
  fixture: SidecarFixture,
): Promise<{ readonly running: Sidecar; readonly worker: number }> {
  fixture.box.writeConfig({ objects });
  await fail(fixture, CALLS, 600);
  const running = await startUnready(fixture);
  await running.event('start.retrying');
  const [worker = 0] = childrenOf(running.pid);
  assert.ok(worker > 0, 'no worker waits');
  return { running, worker };
}

/** A sidecar whose first attempt has failed. */
async function startRetrying(fixture: SidecarFixture): Promise<Sidecar> {
  fixture.box.writeConfig({ objects });
  await fail(fixture, CALLS);
  const running = await startUnready(fixture);
  await running.event('start.retrying');
  return running;
}

retries(
  'an attempt reads only what those before it did not, and every failure is visible',
  async (fixture) => {
    const { aws, box } = fixture;
    box.writeConfig({ objects });
    await fail(fixture, 2 * CALLS);
    const running = await startUnready(fixture);
    await running.event('sidecar.ready');
    assert.equal(box.files(), { read: value, missing: 'one' });
    assert.is(await reads(fixture, 'read'), 1);
    assert.is(await reads(fixture, 'missing'), 2 * CALLS + 1);
    assert.is(await aws.count({ operation: 'GetCredentials' }), 1);
    const failures = running.events('start.retrying');
    assert.equal(
      failures.map(({ code, attempt }) => [code, attempt]),
      [
        ['fetch.server', 1],
        ['fetch.server', 2],
      ],
    );
    assert.is(await running.metric('podsecrets_syncs_total{result="failed"}'), 2);
    assert.is(await running.metric('podsecrets_syncs_total{result="changed"}'), 1);
    const calls = `podsecrets_api_calls_total{service="secretsmanager",operation="GetSecretValue",region="${region}"`;
    assert.is(await running.metric(`${calls},result="server"}`), 2 * CALLS);
    assert.is(await running.metric(`${calls},result="success"}`), 2);
    assert.is((await running.status()).configs[0]?.lastErrors[0]?.code, 'fetch.server');
    await until('no process at work', () => childrenOf(running.pid).length === 0);
  },
);

retries('while the next attempt is pending only the worker has values', async (fixture) => {
  const { running, worker } = await startWaiting(fixture);
  assert.equal(textsInMemory(worker, [value]), [value]);
  // The control: the search finds the name of the config.
  const { config } = fixture.box;
  assert.equal(textsInMemory(running.pid, [config, value]), [config]);
});

retries('after the start no process has values', async (fixture) => {
  const running = await startRetrying(fixture);
  await running.event('sidecar.ready');
  await until('no process at work', () => childrenOf(running.pid).length === 0);
  const { config } = fixture.box;
  assert.equal(textsInMemory(running.pid, [config, value]), [config]);
});

retries('an attempt of which no value was read leaves no process', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [secret('missing')] });
  await fail(fixture, CALLS, 600);
  const running = await startUnready(fixture);
  await running.event('start.retrying');
  assert.equal(childrenOf(running.pid), []);
});

retries('a worker that is killed in a later attempt fails that attempt only', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects });
  await fail(fixture, CALLS);
  await aws.addFault({
    on: { operation: 'GetSecretValue', id: 'missing' },
    times: 1,
    does: { kind: 'hang' },
  });
  const running = await startUnready(fixture);
  await until('the second attempt', async () => (await reads(fixture, 'missing')) > CALLS);
  const [worker = 0] = childrenOf(running.pid);
  process.kill(worker, 'SIGKILL');
  await running.event('sidecar.ready');
  assert.is(running.events('start.retrying')[1]?.code, 'sync.killed');
  assert.equal(box.files(), { read: value, missing: 'one' });
});

retries('SIGTERM while an attempt is pending ends the sidecar and the worker', async (fixture) => {
  const { running, worker } = await startWaiting(fixture);
  process.kill(running.pid, 'SIGTERM');
  assert.is((await running.ended()).code, 143);
  await until('the end of the worker', () => !isRunning(worker));
  assert.match(running.stderr(), 'fetch.server');
});

retries('the worker ends with its sidecar while it waits', async (fixture) => {
  const { running, worker } = await startWaiting(fixture);
  process.kill(running.pid, 'SIGKILL');
  await until('the end of the worker', () => !isRunning(worker));
});

retries('SIGHUP during the start is a sync after it, which reads everything', async (fixture) => {
  const { aws, box } = fixture;
  const running = await startRetrying(fixture);
  await aws.putSecret({ region, name: 'read', string: 'rotated' });
  process.kill(running.pid, 'SIGHUP');
  await until('the new value', () => box.text('read') === 'rotated');
  assert.is(await reads(fixture, 'read'), 2);
});

retries('a config that was edited during the start is used right after it', async (fixture) => {
  const { box } = fixture;
  const running = await startRetrying(fixture);
  box.writeConfig({ objects: [{ ...secret('read'), objectAlias: 'renamed' }, secret('missing')] });
  await running.event('config.reloaded');
  await until('the new file', () => box.text('renamed') === value);
});

retries('with the files of an earlier process no worker waits after the first attempt', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects });
  const before = await startReady(fixture);
  before.child.kill('SIGKILL');
  await before.ended();
  await aws.reset();
  await fail(fixture, CALLS, 600);
  const running = await startUnready(fixture);
  await running.event('sync.failed');
  await until('no process at work', () => childrenOf(running.pid).length === 0);
  assert.is((await running.page('/readyz')).status, 200);
});

retries.run();
