import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { watchSecrets } from '../../src/sidecar/secrets-watch.ts';
import { fakeClock } from '../support/clock.ts';

function watch() {
  const clock = fakeClock();
  const stop = new AbortController();
  const world = { clock, stop, isStale: false, looks: 0, syncs: 0, ended: false };
  watchSecrets(
    {
      clock,
      isStale: async () => {
        world.looks++;
        return world.isStale;
      },
      onStale: () => world.syncs++,
    },
    stop.signal,
  ).then(() => {
    world.ended = true;
  });
  return world;
}

test('checks every minute for an hour, and syncs only when a Secret is lost', async () => {
  const world = watch();
  await world.clock.advance(600_000);
  assert.equal([world.looks, world.syncs], [10, 0]);
  world.isStale = true;
  await world.clock.advance(60_000);
  assert.equal([world.looks, world.syncs], [11, 1]);
  world.isStale = false;
  await world.clock.advance(7_200_000);
  assert.equal([world.looks, world.syncs, world.ended], [60, 1, true]);
});

test('ends at once with the process', async () => {
  const world = watch();
  await world.clock.advance(30_000);
  world.stop.abort();
  await world.clock.settle();
  assert.equal([world.looks, world.ended], [0, true]);
});

test.run();
