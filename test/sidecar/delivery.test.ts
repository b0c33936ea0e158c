import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FilePath } from '../../src/core/file-path.ts';
import type { Log } from '../../src/core/log.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import type { Changed } from '../../src/publish/snapshot.ts';
import { createSync } from '../../src/sidecar/delivery.ts';
import type { Published, SyncTarget } from '../../src/sidecar/target.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { secretPlan } from '../support/secret-plan.ts';
import { problem } from '../support/world.ts';

const test = suite('sync');
const never = new AbortController().signal;
const silent: Log = { write() {}, problem() {} };

function changed(file: string): Changed {
  return { kind: 'changed', added: [], updated: [file as FilePath], removed: [] };
}

/** What else one of the targets is to do. */
interface More extends Partial<SyncTarget> {
  /** At the moment of a publish. */
  readonly publishing?: () => void;
  readonly forgetting?: () => void;
}

/** A sync of one target for each `more`; what is published is as the test says, and the diary says in which order. */
function house(
  publishes: (() => Promise<Changed | undefined>)[],
  ...[{ publishing, forgetting, ...more } = {}, ...others]: readonly More[]
) {
  const clock = fakeClock();
  const diary: string[] = [];
  let next: Changed | undefined;
  const target: SyncTarget = {
    directory: '/dir',
    plan: () => secretPlan([]),
    isReady: () => true,
    fetchRequest: () => ({
      plan: secretPlan([]),
      source: { read: async () => new Map() },
      bothRegions: false,
    }),
    async renderFiles() {
      next = await publishes.shift()?.();
      return {
        snapshot: { files: [] },
        facts: [],
        variables: [],
        variableWarnings: [],
        missing: [],
        degradedObjects: [],
      };
    },
    publish(): Published {
      publishing?.();
      diary.push(`published ${next?.updated ?? 'nothing'}`);
      return { change: next ?? { kind: 'same' }, first: false, notify: next };
    },
    recordSecrets() {},
    recordFailure() {},
    pendingNotification: () => undefined,
    clearPendingNotification() {
      if (diary.at(-1) !== 'forgotten') diary.push('forgotten');
      forgetting?.();
    },
    setPlan() {},
    setConfigProblems() {},
    configProblems: () => [],
    status() {
      throw new Error('nobody asks');
    },
    ...more,
  };
  const release: (() => void)[] = [];
  const notifier: Notifier = {
    kind: 'touch',
    async notify(change) {
      await new Promise<void>((resolve) => release.push(resolve));
      diary.push(`told ${change.kind === 'changed' ? change.updated : ''}`);
    },
  };
  const sync = createSync({
    targets: [target, ...others.map((other) => ({ ...target, ...other }))],
    notifiers: [notifier],
    fetcher: {
      async fetch(questions, stop) {
        stop.throwIfAborted();
        return questions.map(() => new Map());
      },
    },
    applySecrets: undefined,
    splay: 0,
    clock,
    log: silent,
    publishes() {},
    notifications() {},
  });
  return { clock, sync, diary, release };
}

test('what was published is remembered until it was told', async () => {
  const { clock, sync, diary, release } = house([async () => changed('a')]);
  await sync.sync('steady', never);
  assert.equal(diary, ['published a']);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary, ['published a', 'told a', 'forgotten']);
});

test('an earlier telling that ends in the middle of a publish does not let its change be forgotten', async () => {
  const { clock, sync, diary, release } = house([async () => changed('a'), async () => changed('b')], {
    publishing: () => release.shift()?.(),
  });
  await sync.sync('steady', never);
  await sync.sync('steady', never);
  assert.equal(diary, ['published a', 'published b', 'told a']);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary.slice(3), ['told b', 'forgotten']);
});

test('what an earlier process left untold is told before the first sync, and remembered until then', async () => {
  const { clock, sync, diary, release } = house([], { pendingNotification: () => changed('a') });
  await rejects(sync.sync('start', AbortSignal.abort()));
  assert.equal(diary, []);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary, ['told a', 'forgotten']);
});

test('the application is told names, and with several directories where they are', async () => {
  const { clock, sync, diary, release } = house(
    [async () => changed('b'), async () => changed('c')],
    { pendingNotification: () => changed('a') },
    { directory: '/other', pendingNotification: () => undefined },
  );
  await sync.sync('start', never);
  for (let telling = 1; telling <= 2; telling++) {
    release.shift()?.();
    await clock.settle();
  }
  assert.equal(diary.slice(2), ['told /dir/a', 'told /dir/b,/other/c', 'forgotten']);
});

test('a sync that fails still lets be forgotten what was told while it went on', async () => {
  const { clock, sync, diary, release } = house([
    async () => changed('a'),
    async () => {
      release.shift()?.();
      await clock.settle();
      throw problem('publish.write');
    },
  ]);
  await sync.sync('steady', never);
  await rejects(sync.sync('steady', never));
  assert.equal(diary, ['published a', 'told a', 'forgotten']);
});

test('what cannot be forgotten ends nothing, and is the problem of the next sync', async () => {
  const stuck = problem('publish.write');
  const { clock, sync, diary, release } = house([async () => changed('a'), async () => undefined], {
    forgetting: () => {
      throw stuck;
    },
  });
  await sync.sync('steady', never);
  release.shift()?.();
  await clock.settle();
  assert.equal(diary, ['published a', 'told a', 'forgotten']);
  assert.is(await rejects(sync.sync('steady', never)), stuck);
});

test.run();
