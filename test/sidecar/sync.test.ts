import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FilePath } from '../../src/core/file-path.ts';
import type { Log } from '../../src/core/log.ts';
import { problemsOf } from '../../src/core/problem.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import { type ApplySecrets, createSync } from '../../src/sidecar/sync.ts';
import type { SyncTarget, TargetPublished } from '../../src/sidecar/target.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { secretPlan } from '../support/secret-plan.ts';
import { problem } from '../support/world.ts';

const test = suite('sync');
const never = new AbortController().signal;
const silent: Log = { write() {}, problem() {} };

/** What one sync of a target does: publishes these changed files, nothing, or fails. */
type Outcome = readonly string[] | 'unchanged' | Error | (() => Promise<Outcome>);

interface Script extends Partial<SyncTarget> {
  readonly outcomes?: Outcome[];
  readonly onPublish?: () => void;
  readonly onClear?: () => void;
}

/** A sync of one target for each script; `events` lists what happened, in order. */
function syncOf(scripts: readonly Script[], applySecrets?: ApplySecrets) {
  const clock = fakeClock();
  const events: string[] = [];
  const counts: string[] = [];
  const failures: string[] = [];
  /** Each call lets one notification end. */
  const release: (() => void)[] = [];
  const notifier: Notifier = {
    kind: 'touch',
    async notify(names) {
      await new Promise<void>((resolve) => release.push(resolve));
      events.push(`notified ${names}`);
    },
  };
  const sync = createSync({
    targets: scripts.map((script, index) =>
      targetOf({ directory: `/dir${index}`, ...script }, events, failures),
    ),
    notifiers: [notifier],
    fetcher: {
      async fetch(requests, stop) {
        stop.throwIfAborted();
        return requests.map(() => new Map());
      },
    },
    applySecrets,
    splay: 0,
    clock,
    log: silent,
    countSync: (result) => counts.push(result),
    countNotification() {},
  });
  const deliver = async (): Promise<void> => {
    release.shift()?.();
    await clock.settle();
  };
  return { sync, events, counts, failures, release, deliver };
}

function targetOf(script: Script & { directory: string }, events: string[], failures: string[]): SyncTarget {
  const { outcomes = [], onPublish, onClear, ...overrides } = script;
  let outcome: Outcome = 'unchanged';
  return {
    plan: () => secretPlan([]),
    isReady: () => true,
    fetchRequest: () => ({
      plan: secretPlan([]),
      source: { read: async () => new Map() },
      bothRegions: false,
    }),
    async renderFiles() {
      outcome = outcomes.shift() ?? 'unchanged';
      if (typeof outcome === 'function') outcome = await outcome();
      if (outcome instanceof Error) throw outcome;
      return {
        snapshot: { files: [] },
        facts: [],
        variables: [],
        variableWarnings: [],
        missing: [],
        degradedObjects: [],
      };
    },
    async publish(): Promise<TargetPublished> {
      onPublish?.();
      if (!Array.isArray(outcome))
        return { change: { kind: 'unchanged' }, generation: 'g', pending: [], isFirst: false };
      const updated = outcome as FilePath[];
      events.push(`published ${updated}`);
      return {
        change: { kind: 'changed', added: [], updated, removed: [] },
        generation: 'g',
        pending: updated,
        isFirst: false,
      };
    },
    async recordSecrets() {},
    async removeReplaced() {},
    recordFailure(problems) {
      failures.push(`${script.directory}: ${problems.map(({ code }) => code)}`);
    },
    pendingNotification: () => ({ generation: 'g', files: [] }),
    clearPendingNotification() {
      if (events.length > 0 && events.at(-1) !== 'cleared') events.push('cleared');
      onClear?.();
    },
    setPlan() {},
    setConfigProblems() {},
    configProblems: () => [],
    status() {
      throw new Error('not used');
    },
    ...overrides,
  };
}

test('pending names are stored until they are delivered', async () => {
  const { sync, events, deliver } = syncOf([{ outcomes: [['a']] }]);
  await sync.sync('steady', never);
  assert.equal(events, ['published a']);
  await deliver();
  assert.equal(events, ['published a', 'notified a', 'cleared']);
});

test('a delivery that ends during a publish does not clear the names of that publish', async () => {
  const { sync, events, release, deliver } = syncOf([
    { outcomes: [['a'], ['b']], onPublish: () => release.shift()?.() },
  ]);
  await sync.sync('steady', never);
  await sync.sync('steady', never);
  assert.equal(events, ['published a', 'published b', 'notified a']);
  await deliver();
  assert.equal(events.slice(3), ['notified b', 'cleared']);
});

test('what an earlier process left pending is delivered before the first sync, and stored until then', async () => {
  const { sync, events, deliver } = syncOf([
    { pendingNotification: () => ({ generation: 'g', files: ['a' as FilePath] }) },
  ]);
  await rejects(sync.sync('start', AbortSignal.abort()));
  assert.equal(events, []);
  await deliver();
  assert.equal(events, ['notified a', 'cleared']);
});

test('with several directories, names include the directory', async () => {
  const { sync, events, deliver } = syncOf([
    { outcomes: [['b']], pendingNotification: () => ({ generation: 'g', files: ['a' as FilePath] }) },
    { outcomes: [['c']] },
  ]);
  await sync.sync('start', never);
  await deliver();
  await deliver();
  assert.equal(events.slice(2), ['notified /dir0/a', 'notified /dir0/b,/dir1/c', 'cleared']);
});

test('a sync that fails still clears what was delivered while it ran', async () => {
  const { sync, events, deliver } = syncOf([
    {
      outcomes: [
        ['a'],
        async () => {
          await deliver();
          return problem('publish.write');
        },
      ],
    },
  ]);
  await sync.sync('steady', never);
  await rejects(sync.sync('steady', never));
  assert.equal(events, ['published a', 'notified a', 'cleared']);
});

test('names that cannot be cleared do not end the sidecar, and fail the next sync', async () => {
  const stuck = problem('publish.write');
  let failing = false;
  const { sync, events, deliver } = syncOf([
    {
      outcomes: [['a']],
      onClear: () => {
        if (failing) throw stuck;
      },
    },
  ]);
  await sync.sync('steady', never);
  failing = true;
  await deliver();
  assert.equal(events, ['published a', 'notified a', 'cleared']);
  assert.is(await rejects(sync.sync('steady', never)), stuck);
});

test('a config that fails does not delay others, and the sync fails with the problems of all', async () => {
  const { sync, events, counts } = syncOf([
    { outcomes: [problem('fetch.denied', { subject: 'x' })] },
    { outcomes: [['a']] },
    { outcomes: [problem('publish.write', { subject: 'y' })] },
  ]);
  const error = await rejects(sync.sync('steady', never));
  assert.equal(
    problemsOf(error)?.map(({ subject }) => subject),
    ['x', 'y'],
  );
  assert.equal(events, ['published a']);
  assert.equal(counts, ['failed', 'changed', 'failed']);
});

test('a problem that all configs share is reported once', async () => {
  const same = problem('credentials.token');
  const { sync } = syncOf([{ outcomes: [same] }, { outcomes: [same] }]);
  assert.is(problemsOf(await rejects(sync.sync('steady', never)))?.length, 1);
});

test('a Kubernetes Secret that cannot be applied fails the sync, but the files are published and notified', async () => {
  const { sync, events, counts, failures, deliver } = syncOf([{ outcomes: [['a']] }], async () => {
    throw problem('kubernetes.denied');
  });
  assert.is(problemsOf(await rejects(sync.sync('steady', never)))?.[0]?.code, 'kubernetes.denied');
  assert.equal(failures, ['/dir0: kubernetes.denied']);
  assert.equal(counts, ['changed']);
  await deliver();
  assert.equal(events, ['published a', 'notified a', 'cleared']);
});

test('an error that is not a Problem is a bug, and ends the sync', async () => {
  const bug = new TypeError('x is not a function');
  assert.is(await rejects(syncOf([{ outcomes: [bug] }]).sync.sync('steady', never)), bug);
});

test.run();
