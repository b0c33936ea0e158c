import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Changed, FilePath } from '../src/core/snapshot.ts';
import { openDelivery } from '../src/delivery.ts';
import type { Log, Notifier } from '../src/ports.ts';
import type { Publication, Published } from '../src/publication.ts';
import { fakeClock } from './support/clock.ts';
import { rejects } from './support/rejects.ts';
import { secretPlan } from './support/secret-plan.ts';
import { problem } from './support/world.ts';

const test = suite('delivery');
const never = new AbortController().signal;
const silent: Log = { write() {}, problem() {} };

function changed(file: string): Changed {
  return { kind: 'changed', added: [], updated: [file as FilePath], removed: [] };
}

/** A delivery of one publication, whose publishes are as the test says; its diary says what happened in which order. */
function house(publishes: (() => Promise<Changed | undefined>)[], forget: () => void = () => {}) {
  const clock = fakeClock();
  const diary: string[] = [];
  const publication: Publication = {
    directory: '/dir',
    plan: () => secretPlan([]),
    isReady: () => true,
    question: () => ({
      plan: secretPlan([]),
      source: { read: async () => new Map() },
      bothRegions: false,
    }),
    async publish(): Promise<Published> {
      const telling = await publishes.shift()?.();
      diary.push(`published ${telling?.updated ?? 'nothing'}`);
      return { change: telling ?? { kind: 'same' }, snapshot: { files: [] }, first: false, telling };
    },
    told() {
      if (diary.at(-1) !== 'forgotten') diary.push('forgotten');
      forget();
    },
    replan() {},
    brokenConfig() {},
    configProblems: () => [],
    status() {
      throw new Error('nobody asks');
    },
  };
  const release: (() => void)[] = [];
  const notifier: Notifier = {
    kind: 'touch',
    async tell(change) {
      await new Promise<void>((resolve) => release.push(resolve));
      diary.push(`told ${change.kind === 'changed' ? change.updated : ''}`);
    },
  };
  const delivery = openDelivery({
    publications: [publication],
    notifiers: [notifier],
    fetcher: { fetch: async () => [new Map()] },
    applySecrets: undefined,
    splay: 0,
    clock,
    log: silent,
    publishes() {},
    notifications() {},
  });
  return { clock, delivery, diary, release };
}

test('what was published is remembered until it was told', async () => {
  const { clock, delivery, diary, release } = house([async () => changed('a')]);
  await delivery.pass('steady', never);
  assert.equal(diary, ['published a']);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary, ['published a', 'told a', 'forgotten']);
});

test('an earlier telling that ends in the middle of a publish does not let its change be forgotten', async () => {
  const { clock, delivery, diary, release } = house([
    async () => changed('a'),
    async () => {
      release.shift()?.();
      await clock.settle();
      return changed('b');
    },
  ]);
  await delivery.pass('steady', never);
  await delivery.pass('steady', never);
  assert.equal(diary, ['published a', 'told a', 'published b']);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary.slice(3), ['told b', 'forgotten']);
});

test('a pass that fails still lets be forgotten what was told while it went on', async () => {
  const { clock, delivery, diary, release } = house([
    async () => changed('a'),
    async () => {
      release.shift()?.();
      await clock.settle();
      throw problem('publish.write');
    },
  ]);
  await delivery.pass('steady', never);
  await rejects(delivery.pass('steady', never));
  assert.equal(diary, ['published a', 'told a', 'forgotten']);
});

test('what cannot be forgotten ends nothing, and is the problem of the next pass', async () => {
  const stuck = problem('publish.write');
  const { clock, delivery, diary, release } = house([async () => changed('a'), async () => undefined], () => {
    throw stuck;
  });
  await delivery.pass('steady', never);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary, ['published a', 'told a', 'forgotten']);
  assert.is(await rejects(delivery.pass('steady', never)), stuck);
});

test.run();
