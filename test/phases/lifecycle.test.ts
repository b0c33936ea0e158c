/** What can happen to a sidecar: an edited config, a request for a sync, a failing notifier, and a signal. */

import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { config } from '../support/config.ts';
import { hasPendingFile, leftovers } from '../support/directory.ts';
import { minutes, objectOf, openWorld, play, problem, seconds, start, type World } from '../support/world.ts';

const test = suite('phases: lifecycle');

const of = (...names: string[]) => config(names.map(objectOf).join('\n'));
const broken = 'kind: SecretProviderClass\nspec: {provider: aws, parameters: {objects: "- {objectName: a}"}}';
const isPending = (world: World) => hasPendingFile(world.dir);

test('an edited config is used at once, and the same publish removes the files of removed objects', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1', c: '1' }, config: of('a', 'b') });
  await play(world, [
    { happens: start, holds: { files: { a: '1', b: '1' } } },
    {
      happens: (w) => w.edit(of('b', 'c')),
      holds: {
        files: { b: '1', c: '1' },
        notified: ['a,c'],
        logged: ['config.reloaded', 'notify.succeeded'],
      },
    },
    { happens: minutes(10), holds: { notified: [], logged: [], fetched: 2 } },
  ]);
});

test('an invalid config keeps the previous one, is logged once and shown until it is valid again', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' }, config: of('a') });
  const problems = (w: World) => w.status().configs[0]?.configProblems.length ?? 0;
  await play(world, [
    { happens: start, holds: {} },
    {
      happens: (w) => w.edit(broken),
      holds: { logged: ['config.invalid'], also: (w) => assert.ok(problems(w) > 0) },
    },
    { happens: (w) => w.put('a', '2'), holds: {} },
    // Syncs still use the previous config.
    {
      happens: minutes(30),
      holds: { files: { a: '2' }, notified: ['a'], logged: ['notify.succeeded'], failures: 0 },
    },
    { happens: (w) => w.hangup(), holds: { logged: [], also: (w) => assert.ok(problems(w) > 0) } },
    {
      happens: (w) => w.edit(of('a')),
      holds: { logged: ['config.recovered'], also: (w) => assert.is(problems(w), 0) },
    },
    { happens: (w) => w.edit(broken), holds: { logged: ['config.invalid'] } },
    {
      happens: (w) => w.edit(of('b')),
      holds: { files: { b: '1' }, logged: ['config.reloaded', 'notify.succeeded'] },
    },
  ]);
});

for (const [what, edited] of [
  ['has no objects', of('a').replace('objects:', 'object:')],
  ['has an empty list', config('[]')],
  ['is cut by a ---', of('a', 'b').replace(objectOf('b'), `---\n      ${objectOf('b')}`)],
] as const) {
  test(`an edited config that ${what} keeps the files and the readiness`, async () => {
    const world = await openWorld({ secrets: { a: '1', b: '1' }, config: of('a', 'b') });
    await play(world, [
      { happens: start, holds: { files: { a: '1', b: '1' } } },
      {
        happens: (w) => w.edit(edited),
        holds: { files: { a: '1', b: '1' }, ready: true, notified: [], logged: ['config.invalid'] },
      },
      { happens: (w) => w.put('b', '2'), holds: {} },
      { happens: minutes(10), holds: { files: { a: '1', b: '2' }, notified: ['b'], failures: 0 } },
    ]);
  });
}

test('a config that is edited during a sync is used right after it', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' }, config: of('a') });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.aws('hangs'), holds: {} },
    { happens: minutes(10), holds: { also: (w) => assert.ok(w.isBusy()) } },
    { happens: (w) => w.edit(of('a', 'b')), holds: { files: { a: '1' }, logged: [] } },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    { happens: seconds(1), holds: { files: { a: '1', b: '1' }, notified: ['b'], fetched: 2 } },
    { happens: minutes(9), holds: { fetched: 0 } },
  ]);
});

test('a config that is edited in the first phase is used before the first wait, although no event reported it', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' }, config: of('a') });
  world.aws(problem('fetch.network'));
  await play(world, [
    { happens: start, holds: { ready: false } },
    { happens: (w) => w.edit(of('b'), false), holds: {} },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    { happens: seconds(1), holds: { files: { b: '1' }, ready: true } },
  ]);
});

test('keeps the old files until a new object can be read', async () => {
  const world = await openWorld({ secrets: { a: '1' }, config: of('a') });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.edit(of('a', 'b')), holds: { files: { a: '1' }, failures: 1, ready: true } },
    { happens: minutes(30), holds: { files: { a: '1' }, notified: [] } },
    { happens: (w) => w.put('b', '1'), holds: {} },
    { happens: minutes(2), holds: { files: { a: '1', b: '1' }, notified: ['b'] } },
  ]);
});

test('coalesces POST /refresh to one sync per second, and loses none', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    {
      happens: async (w) => {
        for (let request = 0; request < 1000; request++) {
          w.refresh();
          await w.clock.advance(9.99);
        }
      },
      holds: { fetched: 10, notified: [] },
    },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: (w) => w.refresh(), holds: {} },
    { happens: seconds(1), holds: { files: { a: '2' }, notified: ['a'] } },
    // The next one is an interval after the last, not sooner.
    { happens: minutes(9), holds: {} },
    { happens: seconds(59), holds: { fetched: 0 } },
  ]);
});

test('SIGHUP syncs at once, even if it came in the first phase', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  world.aws(problem('fetch.network'));
  await play(world, [
    { happens: start, holds: { fetched: 1 } },
    { happens: (w) => w.hangup(), holds: { fetched: 0 } },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    { happens: seconds(1), holds: { fetched: 2, ready: true } },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: (w) => w.hangup(), holds: { files: { a: '2' }, notified: ['a'] } },
  ]);
});

test('retries a failing notifier with the latest change, and never delays a sync', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.application('fails'), holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    {
      happens: minutes(11),
      holds: { files: { a: '2', b: '1' }, failures: 0, also: (w) => assert.ok(isPending(w)) },
    },
    { happens: (w) => w.put('b', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2', b: '2' } } },
    { happens: (w) => w.application('succeeds'), holds: { also: (w) => void w.news() } },
    { happens: minutes(1), holds: { notified: ['a,b'], also: (w) => assert.not.ok(isPending(w)) } },
    { happens: minutes(60), holds: { notified: [] } },
  ]);
});

test('a hook that hangs does not delay a sync, and later changes are delivered after it', async () => {
  const world = await openWorld({ secrets: { a: '1', b: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.application('hangs'), holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { notified: ['a'], files: { a: '2', b: '1' } } },
    { happens: (w) => w.put('b', '2'), holds: {} },
    {
      happens: minutes(10),
      holds: {
        notified: [],
        files: { a: '2', b: '2' },
        also: (w) =>
          assert.equal([w.status().notifiers[0]?.state, w.status().notifiers[0]?.pending], ['notifying', 2]),
      },
    },
    // The notifier has its own timeout; the shutdown does not wait for it.
    { happens: (w) => w.terminate(), holds: {} },
    { happens: seconds(5), holds: { also: (w) => assert.ok(within5s(w, 20 * 60_000)) } },
  ]);
  const next = await openWorld({ secrets: { a: '2', b: '2' }, dir: world.dir });
  await play(next, [{ happens: start, holds: { notified: ['a,b'] } }]);
});

function within5s(world: World, from: number): boolean {
  const end = world.ended();
  return end !== undefined && String(end.reason) === 'Error: SIGTERM' && end.at - from < 5000;
}

test('SIGTERM in the first fetch ends the sidecar without a publish', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  world.aws('hangs');
  await play(world, [
    { happens: start, holds: {} },
    { happens: seconds(7), holds: { phase: 'start' } },
    { happens: (w) => w.terminate(), holds: { files: {}, phase: 'stopping', logged: ['sidecar.stopping'] } },
  ]);
  assert.ok(within5s(world, 7000));
});

test('SIGTERM ends the wait of the first phase, and the wait between refreshes', async () => {
  for (const behaviour of [problem('fetch.network'), 'succeeds'] as const) {
    const world = await openWorld({ secrets: { a: '1' } });
    world.aws(behaviour);
    await play(world, [
      { happens: start, holds: {} },
      { happens: (w) => w.clock.advance(100), holds: {} },
      { happens: (w) => w.terminate(), holds: { phase: 'stopping' } },
    ]);
    assert.ok(within5s(world, 100));
  }
});

test('SIGTERM in a publish: finishes it, notifies, and removes the replaced files before the exit', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    {
      happens: async (w) => {
        w.refresh();
        // Between the fetch and the publish there are only promises; the stop comes between two of them.
        await Promise.resolve();
        await Promise.resolve();
        w.terminate();
      },
      holds: {},
    },
    { happens: seconds(5), holds: {} },
  ]);
  assert.ok(within5s(world, 0));
  assert.equal(leftovers(world.dir), []);
});

test('SIGTERM in the splay notifies the application at once, and the program exits within 5 s', async () => {
  const world = await openWorld({ secrets: { a: '1' }, splay: 300_000 });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' }, notified: [] } },
    { happens: (w) => w.terminate(), holds: { notified: ['a'] } },
    { happens: seconds(2), holds: { also: (w) => assert.not.ok(isPending(w)) } },
  ]);
  assert.ok(within5s(world, 600_000));
});

test('the next process notifies once if the sidecar was killed in the splay', async () => {
  const world = await openWorld({ secrets: { a: '1' }, splay: 300_000 });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' }, notified: [] } },
  ]);
  await world.kill();
  const next = await openWorld({ secrets: { a: '2' }, dir: world.dir });
  await play(next, [
    { happens: start, holds: { notified: ['a'], files: { a: '2' } } },
    { happens: minutes(60), holds: { notified: [] } },
  ]);
  await next.kill();
  const third = await openWorld({ secrets: { a: '2' }, dir: world.dir });
  await play(third, [
    { happens: start, holds: { notified: [] } },
    { happens: minutes(10), holds: { notified: [] } },
  ]);
});

test('a missing directory fails every sync and never ends the sidecar, even if a pending file must be cleared', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [
    { happens: start, holds: {} },
    { happens: (w) => w.application('fails'), holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' } } },
    // The whole directory is removed, and the notifier succeeds again.
    {
      happens: (w) => {
        rmSync(w.dir, { recursive: true });
        w.application('succeeds');
      },
      holds: {},
    },
  ]);
  await world.clock.advance(3_600_000);
  assert.is(world.ended(), undefined);
  assert.ok(world.status().consecutiveFailures > 0);
});

test('--notify-on-start notifies of the first publish too, changed or not', async () => {
  const first = await openWorld({ secrets: { a: '1' }, notifyOnStart: true });
  await play(first, [{ happens: start, holds: { notified: ['a'] } }]);
  await first.kill();
  const second = await openWorld({ secrets: { a: '1' }, notifyOnStart: true, dir: first.dir });
  await play(second, [
    { happens: start, holds: { notified: ['a'] } },
    { happens: minutes(10), holds: { notified: [] } },
  ]);
});

test('an idle sidecar has only its own timer', async () => {
  const world = await openWorld({ secrets: { a: '1' } });
  await play(world, [{ happens: start, holds: {} }]);
  for (let hour = 0; hour < 24; hour++) await world.clock.advance(3_600_000);
  assert.is(world.clock.sleepers.length, 1);
});

test.run();
