/** Failures of AWS, and what must then be true of the files, the notifications, the log and the number of calls. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import { config } from '../support/config.ts';
import { minutes, openWorld, play, problem, seconds, start } from '../support/world.ts';

const test = suite('phases: AWS');

const throttled = problem('fetch.throttled', { retryAfter: 30_000 });
const away = problem('fetch.network');

test('a throttled first phase waits for the Retry-After, and then continues normally', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  world.aws(throttled);
  await play(world, [
    {
      happens: start,
      holds: { files: {}, ready: false, phase: 'start', logged: ['start.retrying'], fetched: 1 },
    },
    { happens: seconds(29), holds: { fetched: 0 } },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    {
      happens: seconds(1),
      holds: { files: { a: '1' }, ready: true, phase: 'steady', notified: [], fetched: 1 },
    },
    { happens: minutes(10), holds: { fetched: 1, notified: [], logged: [] } },
  ]);
});

test('throttling for an hour: one or two calls a minute, one warning, unchanged files, and one line at recovery', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' } });
  await play(world, [
    { happens: start, holds: { files: { a: '1', b: '1' }, fetched: 2, logged: ['sidecar.ready'] } },
    {
      happens: (w) => {
        w.aws(throttled);
        w.put('a', '2');
      },
      holds: {},
    },
    { happens: minutes(10), holds: { logged: ['sync.failed'], failures: 1, fetched: 2 } },
    {
      happens: minutes(60),
      holds: {
        files: { a: '1', b: '1' },
        ready: true,
        notified: [],
        logged: [],
        also: (w) => assert.ok(w.status().consecutiveFailures > 30 && w.status().consecutiveFailures < 90),
      },
    },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    {
      happens: minutes(2),
      holds: {
        files: { a: '2', b: '1' },
        notified: ['a'],
        failures: 0,
        logged: ['notify.succeeded', 'sync.recovered'],
      },
    },
    { happens: minutes(7), holds: { fetched: 0 } },
    { happens: minutes(3), holds: { fetched: 2, logged: [] } },
    // The next failure counts as the first one: logged as a warning, and retried soon.
    { happens: (w) => w.aws(throttled), holds: {} },
    {
      happens: minutes(10),
      holds: { logged: ['sync.failed'], also: (w) => assert.ok(w.status().consecutiveFailures < 10) },
    },
  ]);
});

test('a six-hour outage of AWS: stays ready, calls about once a minute, notifies once of the change', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  let fetched = 0;
  await play(world, [
    { happens: start, holds: { ready: true } },
    { happens: (w) => w.aws(away), holds: {} },
    { happens: minutes(10), holds: { logged: ['sync.failed'] } },
    {
      happens: async (w) => {
        for (let hour = 0; hour < 6; hour++) {
          await minutes(60)(w);
          fetched += w.news().fetched;
          assert.ok(w.status().ready);
        }
      },
      holds: { files: { a: '1' }, phase: 'steady', logged: [], notified: [] },
    },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    { happens: minutes(2), holds: { files: { a: '2' }, notified: ['a'], failures: 0 } },
  ]);
  assert.ok(fetched > 300 && fetched < 420, `${fetched} calls in six hours`);
});

test('logs a different failure as a warning, and the same one at debug', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.aws(away), holds: {} },
    { happens: minutes(15), holds: { logged: ['sync.failed'] } },
    { happens: (w) => w.aws(problem('fetch.denied')), holds: {} },
    { happens: minutes(15), holds: { logged: ['sync.failed'], ready: true } },
  ]);
});

test('a restart over published files during an outage is ready at once, sends no notification, and keeps running', async () => {
  const before = await openWorld({ secrets: { a: '1' } });
  await play(before, [{ happens: start, holds: { files: { a: '1' } } }]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '1' }, dir: before.dir });
  world.aws(away);
  await play(world, [
    { happens: start, holds: { ready: true, phase: 'steady', logged: ['sidecar.ready', 'sync.failed'] } },
    { happens: minutes(60), holds: { ready: true, files: { a: '1' }, notified: [], logged: [] } },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    { happens: minutes(2), holds: { failures: 0, notified: [], logged: ['sync.recovered'] } },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' }, notified: ['a'] } },
  ]);
  assert.is(world.ended(), undefined);
});

test('a restart notifies of a rotation that happened meanwhile', async () => {
  const before = await openWorld({ secrets: { a: '1', b: '1' } });
  await play(before, [{ happens: start, holds: {} }]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '1', b: '2' }, dir: before.dir });
  await play(world, [
    { happens: start, holds: { files: { a: '1', b: '2' }, notified: ['b'] } },
    { happens: minutes(10), holds: { notified: [] } },
  ]);
});

test('a first phase that never succeeds ends with its problems at the start timeout', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  world.aws(away);
  await play(world, [
    { happens: start, holds: {} },
    { happens: seconds(61), holds: { files: {}, ready: false } },
  ]);
  assert.equal(problemsOf(world.ended()?.reason)?.map(problemLine), [problemLine(away)]);
  assert.is(world.ended()?.at, 60_000);
});

test('a version that is rolled back is a change like any other', async () => {
  const world = await openWorld({ secrets: { a: 'new' } });
  await play(world, [
    { happens: start, holds: { files: { a: 'new' } } },
    { happens: (w) => w.put('a', 'old'), holds: {} },
    { happens: minutes(10), holds: { files: { a: 'old' }, notified: ['a'] } },
    { happens: (w) => w.put('a', 'old'), holds: {} },
    {
      happens: minutes(10),
      holds: {
        // Another version with the same bytes: the application gets no change.
        notified: [],
        also: (w) => assert.is(w.status().configs[0]?.files[0]?.version, '3'),
      },
    },
  ]);
});

test('a deleted secret keeps all files unchanged, and its restore is published and notified', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    {
      happens: (w) => {
        w.remove('a');
        w.put('b', '2');
      },
      holds: {},
    },
    { happens: minutes(30), holds: { files: { a: '1', b: '1' }, notified: [], ready: true } },
    { happens: (w) => w.put('a', '3'), holds: {} },
    { happens: minutes(3), holds: { files: { a: '3', b: '2' }, notified: ['a,b'], failures: 0 } },
  ]);
});

test('the file of an optional secret is removed when the secret is deleted, and published again when it is restored', async () => {
  const world = await openWorld({
    secrets: { a: '1', b: '1' },
    config: config(`
      - {objectName: a, objectType: secretsmanager, optional: true}
      - {objectName: b, objectType: secretsmanager}`),
  });
  await play(world, [
    { happens: start, holds: { files: { a: '1', b: '1' } } },
    { happens: (w) => w.remove('a'), holds: {} },
    {
      happens: minutes(10),
      holds: { files: { b: '1' }, notified: ['a'], logged: ['object.missing', 'notify.succeeded'] },
    },
    { happens: minutes(30), holds: { logged: [], notified: [] } },
    { happens: (w) => w.put('a', '1'), holds: {} },
    {
      happens: minutes(10),
      holds: { files: { a: '1', b: '1' }, notified: ['a'], logged: ['object.found', 'notify.succeeded'] },
    },
    // A denied secret does not count as a missing one.
    { happens: (w) => w.aws(problem('fetch.denied'), 'a'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '1', b: '1' }, notified: [], failures: 1 } },
  ]);
});

test('an edit after which no optional secret exists keeps the files, and fails until it is corrected', async () => {
  const optional = (name: string) =>
    config(`- {objectName: ${name}, objectType: secretsmanager, optional: true}`);
  const world = await openWorld({ secrets: { a: '1', b: '1' }, config: optional('a') });
  await play(world, [
    { happens: start, holds: { files: { a: '1' } } },
    {
      happens: (w) => w.edit(optional('x')),
      holds: { files: { a: '1' }, notified: [], failures: 1 },
    },
    { happens: minutes(30), holds: { files: { a: '1' }, notified: [] } },
    { happens: (w) => w.edit(optional('b')), holds: { files: { b: '1' }, notified: ['a,b'], failures: 0 } },
  ]);
});

const twoRegions = config('- {objectName: a, objectType: secretsmanager}', { failoverRegion: 'us-east-1' });

test('the first sync after an edit reads both regions, later ones only the first', async () => {
  const secrets = { a: '1', 'a@us-east-1': '1', b: '1', 'b@us-east-1': '1' };
  const world = await openWorld({ secrets, config: twoRegions });
  const edited = config('- {objectName: b, objectType: secretsmanager}', { failoverRegion: 'us-east-1' });
  await play(world, [
    { happens: start, holds: { fetched: 2 } },
    { happens: minutes(10), holds: { fetched: 1 } },
    { happens: (w) => w.edit(edited), holds: { files: { b: '1' }, fetched: 2 } },
    { happens: minutes(10), holds: { fetched: 1 } },
  ]);
});

test('a failover and its end are logged once each, and notified only if the values differ', async () => {
  const world = await openWorld({ secrets: { a: '1', 'a@us-east-1': '1' }, config: twoRegions });
  const region = (w: typeof world) => w.status().configs[0]?.files[0]?.region;
  await play(world, [
    { happens: start, holds: { files: { a: '1' }, fetched: 2 } },
    { happens: minutes(10), holds: { fetched: 1 } },
    { happens: (w) => w.aws(away, 'a'), holds: {} },
    {
      happens: minutes(10),
      holds: {
        logged: ['region.failing'],
        notified: [],
        failures: 0,
        fetched: 2,
        also: (w) => assert.is(region(w), 'us-east-1'),
      },
    },
    { happens: minutes(30), holds: { logged: [], notified: [], fetched: 6 } },
    { happens: (w) => w.put('a@us-east-1', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' }, notified: ['a'] } },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: (w) => w.aws('succeeds', 'a'), holds: {} },
    {
      happens: minutes(10),
      holds: {
        logged: ['region.recovered'],
        notified: [],
        fetched: 1,
        also: (w) => assert.is(region(w), 'eu-west-1'),
      },
    },
    // Both regions fail: the files stay.
    { happens: (w) => w.aws(away), holds: {} },
    { happens: (w) => w.aws(away, 'a'), holds: {} },
    { happens: minutes(60), holds: { files: { a: '2' }, ready: true, notified: [] } },
  ]);
});

test('never uses the failover region for a secret that does not exist in the first region', async () => {
  const world = await openWorld({ secrets: { a: '1', 'a@us-east-1': 'other' }, config: twoRegions });
  await play(world, [
    { happens: start, holds: { files: { a: '1' } } },
    { happens: (w) => w.aws(problem('fetch.notFound'), 'a'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '1' }, fetched: 1, failures: 1 } },
  ]);
});

test('a failover region that can never work ends the first phase', async () => {
  const world = await openWorld({ secrets: { a: '1' }, config: twoRegions });
  await play(world, [{ happens: start, holds: { files: {}, ready: false } }]);
  assert.is(problemsOf(world.ended()?.reason)?.[0]?.code, 'fetch.notFound');
});

test('syncs once within a minute after the machine was suspended', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [
    { happens: start, holds: { fetched: 1 } },
    { happens: minutes(3), holds: { fetched: 0 } },
    { happens: (w) => w.put('a', '2'), holds: {} },
    {
      happens: async (w) => {
        await w.clock.suspend(8 * 3_600_000);
        await minutes(1)(w);
      },
      holds: { files: { a: '2' }, notified: ['a'], fetched: 1 },
    },
    { happens: minutes(9), holds: { notified: [], fetched: 0 } },
    { happens: minutes(1), holds: { notified: [], fetched: 1 } },
  ]);
});

for (const [direction, hours] of [
  ['back', -5],
  ['forward', 5],
] as const) {
  test(`a wall clock that is set ${direction} neither stops refreshes nor adds any`, async () => {
    const world = await openWorld({ secrets: { a: '1' } });
    await play(world, [
      { happens: start, holds: { fetched: 1 } },
      { happens: (w) => w.clock.jump(hours * 3_600_000), holds: {} },
      { happens: minutes(60), holds: { fetched: 6, notified: [] } },
      { happens: (w) => w.put('a', '2'), holds: {} },
      { happens: minutes(10), holds: { files: { a: '2' }, notified: ['a'], fetched: 1 } },
    ]);
  });
}

test.run();
