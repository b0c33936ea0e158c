/** What AWS can do to a sidecar, and what must then be true: for the files, the application, the log and the bill. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { problemsOf } from '../../src/core/problem.ts';
import { config } from '../support/config.ts';
import { minutes, openWorld, play, problem, seconds, start } from '../support/world.ts';

const test = suite('phases: AWS');

const throttled = problem('fetch.throttled', { retryAfter: 30_000 });
const away = problem('fetch.network');

test('a first phase that is throttled waits as long as it is asked to, and then goes on as if nothing had been', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  world.aws(throttled);
  await play(world, [
    {
      happens: start,
      holds: { files: {}, ready: false, phase: 'start', logged: ['start.retrying'], fetched: 1 },
    },
    { happens: seconds(29), holds: { fetched: 0 } },
    { happens: (w) => w.aws('well'), holds: {} },
    {
      happens: seconds(1),
      holds: { files: { a: '1' }, ready: true, phase: 'steady', notified: [], fetched: 1 },
    },
    { happens: minutes(10), holds: { fetched: 1, notified: [], logged: [] } },
  ]);
});

test('a throttling storm: a call or two a minute, one warning, old files, and one line when it is over', async () => {
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
    { happens: (w) => w.aws('well'), holds: {} },
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
    // The next failure is the first again: news, and tried again soon.
    { happens: (w) => w.aws(throttled), holds: {} },
    {
      happens: minutes(10),
      holds: { logged: ['sync.failed'], also: (w) => assert.ok(w.status().consecutiveFailures < 10) },
    },
  ]);
});

test('AWS away for six hours, and back: ready all along, asked about once a minute, the change told once', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  let asked = 0;
  await play(world, [
    { happens: start, holds: { ready: true } },
    { happens: (w) => w.aws(away), holds: {} },
    { happens: minutes(10), holds: { logged: ['sync.failed'] } },
    {
      happens: async (w) => {
        for (let hour = 0; hour < 6; hour++) {
          await minutes(60)(w);
          asked += w.news().fetched;
          assert.ok(w.status().ready);
        }
      },
      holds: { files: { a: '1' }, phase: 'steady', logged: [], notified: [] },
    },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: (w) => w.aws('well'), holds: {} },
    { happens: minutes(2), holds: { files: { a: '2' }, notified: ['a'], failures: 0 } },
  ]);
  assert.ok(asked > 300 && asked < 420, `${asked} calls in six hours`);
});

test('another failure than before is news, the same one is not', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.aws(away), holds: {} },
    { happens: minutes(15), holds: { logged: ['sync.failed'] } },
    { happens: (w) => w.aws(problem('fetch.denied')), holds: {} },
    { happens: minutes(15), holds: { logged: ['sync.failed'], ready: true } },
  ]);
});

test('a restart over published files while AWS is away is ready at once, tells nobody, and lives', async () => {
  const before = await openWorld({ secrets: { a: '1' } });
  await play(before, [{ happens: start, holds: { files: { a: '1' } } }]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '1' }, dir: before.dir });
  world.aws(away);
  await play(world, [
    { happens: start, holds: { ready: true, phase: 'steady', logged: ['sidecar.ready', 'sync.failed'] } },
    { happens: minutes(60), holds: { ready: true, files: { a: '1' }, notified: [], logged: [] } },
    { happens: (w) => w.aws('well'), holds: {} },
    { happens: minutes(2), holds: { failures: 0, notified: [], logged: ['sync.recovered'] } },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' }, notified: ['a'] } },
  ]);
  assert.is(world.ended(), undefined);
});

test('a restart after a rotation that happened meanwhile tells of it', async () => {
  const before = await openWorld({ secrets: { a: '1', b: '1' } });
  await play(before, [{ happens: start, holds: {} }]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '1', b: '2' }, dir: before.dir });
  await play(world, [
    { happens: start, holds: { files: { a: '1', b: '2' }, notified: ['b'] } },
    { happens: minutes(10), holds: { notified: [] } },
  ]);
});

test('a first phase that never succeeds ends with its problems when its time is over', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  world.aws(away);
  await play(world, [
    { happens: start, holds: {} },
    { happens: seconds(61), holds: { files: {}, ready: false } },
  ]);
  assert.is(world.ended()?.reason, away);
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
        // Another version of the same bytes: nothing that an application could see.
        notified: [],
        also: (w) => assert.is(w.status().configs[0]?.files[0]?.version, '3'),
      },
    },
  ]);
});

test('a secret that is deleted keeps its file while the others wait for it, and is told of when it is back', async () => {
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

test('an optional secret that is deleted takes its file along, and brings it back when it is restored', async () => {
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
    // Not to be read is not the same as not to be there.
    { happens: (w) => w.aws(problem('fetch.denied'), 'a'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '1', b: '1' }, notified: [], failures: 1 } },
  ]);
});

const twoRegions = config('- {objectName: a, objectType: secretsmanager}', { failoverRegion: 'us-east-1' });

test('a region that fails over, and comes back: said twice, told once if the values differ', async () => {
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
    { happens: (w) => w.aws('well', 'a'), holds: {} },
    {
      happens: minutes(10),
      holds: {
        logged: ['region.recovered'],
        notified: [],
        fetched: 1,
        also: (w) => assert.is(region(w), 'eu-west-1'),
      },
    },
    // Both away: the files stay.
    { happens: (w) => w.aws(away), holds: {} },
    { happens: (w) => w.aws(away, 'a'), holds: {} },
    { happens: minutes(60), holds: { files: { a: '2' }, ready: true, notified: [] } },
  ]);
});

test('a secret that does not exist in the first region is never served by the second', async () => {
  const world = await openWorld({ secrets: { a: '1', 'a@us-east-1': 'other' }, config: twoRegions });
  await play(world, [
    { happens: start, holds: { files: { a: '1' } } },
    { happens: (w) => w.aws(problem('fetch.notFound'), 'a'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '1' }, fetched: 1, failures: 1 } },
  ]);
});

test('a failover that could never work ends the first phase', async () => {
  const world = await openWorld({ secrets: { a: '1' }, config: twoRegions });
  await play(world, [{ happens: start, holds: { files: {}, ready: false } }]);
  assert.is(problemsOf(world.ended()?.reason)?.[0]?.code, 'fetch.notFound');
});

test('a machine that was suspended looks within a minute of its return, and once', async () => {
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
  test(`a wall clock that is set ${direction} neither stops the refreshes nor starts a storm of them`, async () => {
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
