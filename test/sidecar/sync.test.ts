import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FilePath } from '../../src/core/file-path.ts';
import { problemsOf } from '../../src/core/problem.ts';
import { changedPaths } from '../../src/notify/pending-names.ts';
import type { Changed } from '../../src/publish/snapshot.ts';
import { type SyncContext, syncAll } from '../../src/sidecar/sync.ts';
import type { Published, SyncTarget } from '../../src/sidecar/target.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { secretPlan } from '../support/secret-plan.ts';
import { problem } from '../support/world.ts';

const test = suite('a sync over several configs');
const never = new AbortController().signal;

/** A target whose publish changes these files, or fails. */
function target(directory: string, ends: readonly string[] | Error, failed?: string[]): SyncTarget {
  const plan = secretPlan([], { file: `${directory}.yaml` });
  return {
    directory,
    plan: () => plan,
    isReady: () => true,
    fetchRequest: () => ({ plan, source: { read: async () => new Map() }, bothRegions: false }),
    async renderFiles() {
      if (ends instanceof Error) throw ends;
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
      const change: Changed = {
        kind: 'changed',
        added: [],
        updated: ends as unknown as readonly FilePath[],
        removed: [],
      };
      return { change, first: false, notify: change };
    },
    recordSecrets() {},
    recordFailure(problems) {
      failed?.push(`${directory}: ${problems.map(({ code }) => code)}`);
    },
    pendingNotification: () => undefined,
    clearPendingNotification() {},
    setPlan() {},
    setConfigProblems() {},
    configProblems: () => [],
    status() {
      throw new Error('nobody asks');
    },
  };
}

function house(targets: readonly SyncTarget[], more: Partial<SyncContext> = {}) {
  const told: string[] = [];
  const counts: string[] = [];
  const options: SyncContext = {
    targets,
    fetcher: { fetch: async (questions) => questions.map(() => new Map()) },
    notify: ({ directory }, change) => told.push(`${directory}: ${changedPaths(change)}`),
    applySecrets: undefined,
    clock: fakeClock(),
    log: { write() {}, problem() {} },
    count: (result) => counts.push(result),
    ...more,
  };
  return { sync: () => syncAll(options, 'steady', never), told, counts };
}

test('one that fails holds up no other, and the sync fails with the problems of all', async () => {
  const { sync, told, counts } = house([
    target('/one', problem('fetch.denied', { subject: 'x' })),
    target('/two', ['a']),
    target('/three', problem('publish.write', { subject: 'y' })),
  ]);
  const error = await rejects(sync());
  assert.equal(
    problemsOf(error)?.map(({ subject }) => subject),
    ['x', 'y'],
  );
  assert.equal(told, ['/two: a']);
  assert.equal(counts, ['failed', 'changed', 'failed']);
});

test('the one problem that all of them share is told once', async () => {
  const same = problem('credentials.token');
  const { sync } = house([target('/one', same), target('/two', same)]);
  assert.is(problemsOf(await rejects(sync()))?.length, 1);
});

test('a Kubernetes Secret that cannot be applied fails the sync of its config, but the files are published and told', async () => {
  const failed: string[] = [];
  const { sync, told, counts } = house([target('/one', ['a'], failed)], {
    applySecrets: async () => {
      throw problem('kubernetes.denied');
    },
  });
  assert.is(problemsOf(await rejects(sync()))?.[0]?.code, 'kubernetes.denied');
  assert.equal(failed, ['/one: kubernetes.denied']);
  assert.equal(told, ['/one: a']);
  assert.equal(counts, ['changed']);
});

test('what is no problem is a bug, and ends the sync', async () => {
  const bug = new TypeError('x is not a function');
  assert.is(await rejects(house([target('/one', bug)]).sync()), bug);
});

test.run();
