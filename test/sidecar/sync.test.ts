import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FilePath } from '../../src/core/file-path.ts';
import type { Log } from '../../src/core/log.ts';
import { Problem, problemsOf } from '../../src/core/problem.ts';
import { problemMessage } from '../../src/core/problem-fields.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import { createSync } from '../../src/sidecar/sync.ts';
import { createSyncTarget, type SyncTarget } from '../../src/sidecar/target.ts';
import type { MessageOf, Report, SyncMessage } from '../../src/worker/report.ts';
import type { SyncRequest } from '../../src/worker/request.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { problem } from '../support/world.ts';

const test = suite('sync');
const never = new AbortController().signal;

/** What a worker reports of one config in one sync: a publish of these changed files, of nothing, or a failure. */
type Outcome = readonly string[] | 'unchanged' | Problem;

interface Script {
  readonly outcomes?: Outcome[];
  /** Names that an earlier process left. */
  readonly stored?: readonly string[];
  /** The Problem of reading them, if there is one. */
  readonly readStored?: () => Problem | undefined;
  readonly onClear?: () => void;
}

interface SceneOptions {
  /** Reports before the outcomes. */
  readonly report?: (report: Report) => Promise<void> | void;
  /** What the worker ends with, after the outcomes. */
  readonly end?: () => unknown;
}

/** A sync of one target for each script; `events` lists what happened, in order. */
function syncOf(scripts: readonly Script[], { report: reportFirst, end }: SceneOptions = {}) {
  const clock = fakeClock();
  const events: string[] = [];
  const logged: string[] = [];
  const counts: string[] = [];
  const log: Log = {
    write: (event, message) => logged.push(`${event}: ${message}`),
    problem: (event, { message }) => logged.push(`${event}: ${message}`),
  };
  /** Each call lets one notification end. */
  const release: (() => void)[] = [];
  const notifier: Notifier = {
    kind: 'touch',
    async notify(names) {
      await new Promise<void>((resolve) => release.push(resolve));
      events.push(`notified ${names}`);
    },
  };
  const targets = scripts.map((script, index) => targetOf(script, index, events, log));
  const requests: SyncRequest[] = [];
  const syncs = createSync({
    targets,
    async runSync(request, report, stop) {
      stop.throwIfAborted();
      requests.push(request);
      await reportFirst?.(report);
      for (const [config, script] of scripts.entries()) {
        const message = messageOf(config, script.outcomes?.shift() ?? 'unchanged');
        if (message.kind === 'published' && message.updated.length > 0)
          events.push(`published ${message.updated}`);
        report(message);
      }
      const error = end?.();
      if (error !== undefined) throw error;
    },
    notifiers: [notifier],
    splay: 0,
    clock,
    log,
    meter: { apiCall() {} },
    countSync: (result) => counts.push(result),
    countReload() {},
    countNotification() {},
  });
  const deliver = async (): Promise<void> => {
    release.shift()?.();
    await clock.settle();
  };
  return { syncs, targets, events, logged, counts, requests, release, deliver };
}

function messageOf(config: number, outcome: Outcome): SyncMessage {
  if (outcome instanceof Problem) return { kind: 'failed', config, problems: [problemMessage(outcome)] };
  const updated = outcome === 'unchanged' ? [] : outcome;
  return publishedOf(config, updated, `generation of ${updated}`);
}

function publishedOf(config: number, updated: readonly string[], generation: string): MessageOf<'published'> {
  return {
    kind: 'published',
    config,
    result: updated.length > 0 ? 'changed' : 'unchanged',
    generation,
    warning: undefined,
    added: [],
    updated,
    removed: [],
    pending: updated,
    count: 1,
    files: [],
    variables: undefined,
    missing: [],
    degraded: [],
    variableWarnings: [],
    appliesSecrets: false,
    pinned: [],
  };
}

function targetOf(
  { stored = [], readStored, onClear }: Script,
  index: number,
  events: string[],
  log: Log,
): SyncTarget {
  return createSyncTarget({
    file: `config${index}`,
    held: {
      path: `/dir${index}`,
      identity: '',
      holds: () => false,
      appliedSecrets: () => undefined,
      pendingNotification() {
        const unreadable = readStored?.();
        if (unreadable !== undefined) throw unreadable;
        return { generation: 'stored', files: stored as FilePath[] };
      },
      clearPendingNotification(generation) {
        if (events.length > 0 && events.at(-1) !== `cleared ${generation}`)
          events.push(`cleared ${generation}`);
        onClear?.();
      },
      async removeReplaced() {},
    },
    read: () => ({ kind: 'text', text: 'config' }),
    clock: fakeClock(),
    log,
  });
}

test('pending names are stored until they are delivered', async () => {
  const { syncs, events, deliver } = syncOf([{ outcomes: [['a']] }]);
  await syncs.sync('steady', never);
  assert.equal(events, ['published a']);
  await deliver();
  assert.equal(events, ['published a', 'notified a', 'cleared generation of a']);
});

test('a delivery that ends before a publish is reported does not clear the names of that publish', async () => {
  const { syncs, events, deliver } = syncOf([{ outcomes: [['a'], ['b']] }]);
  await syncs.sync('steady', never);
  const second = syncs.sync('steady', never);
  await deliver();
  await second;
  assert.equal(events.slice(0, 3), ['published a', 'published b', 'notified a']);
  assert.not(events.includes('cleared generation of b'));
  await deliver();
  assert.is(events.at(-1), 'cleared generation of b');
});

test('names that an earlier process left pending are delivered before the first sync, and stored until then', async () => {
  const { syncs, events, deliver } = syncOf([{ stored: ['a'] }]);
  await rejects(syncs.sync('start', AbortSignal.abort()));
  assert.equal(events, []);
  await deliver();
  assert.equal(events, ['notified a', 'cleared stored']);
});

test('a killed worker is one failed sync of a config, also if its directory cannot be read', async () => {
  const killed = problem('sync.killed');
  const unreadable = problem('publish.write');
  let isGone = false;
  const { syncs, counts } = syncOf([{ readStored: () => (isGone ? unreadable : undefined) }], {
    report() {
      isGone = true;
      throw killed;
    },
  });
  assert.equal(problemsOf(await rejects(syncs.sync('steady', never))), [killed, unreadable]);
  assert.equal(counts, ['failed']);
});

test('files that a killed worker published without a report are notified', async () => {
  const killed = problem('sync.killed');
  const script = { outcomes: [['a']], stored: [] as string[] };
  const { syncs, events, deliver } = syncOf([script], {
    end() {
      script.stored.push('b');
      return killed;
    },
  });
  assert.is(await rejects(syncs.sync('steady', never)), killed);
  await deliver();
  await deliver();
  assert.equal(events.slice(0, 2), ['published a', 'notified a']);
  assert.ok(events.includes('notified b'));
});

test('with several directories, names include the directory', async () => {
  const { syncs, events, deliver } = syncOf([{ outcomes: [['b']], stored: ['a'] }, { outcomes: [['c']] }]);
  await syncs.sync('start', never);
  await deliver();
  await deliver();
  assert.equal(events.slice(2, 4), ['notified /dir0/a', 'notified /dir0/b,/dir1/c']);
});

test('a sync that fails still clears names that were delivered while it ran', async () => {
  const { syncs, events, deliver } = syncOf([{ outcomes: [['a'], problem('publish.write')] }], {
    report: () => deliver(),
  });
  await syncs.sync('steady', never);
  await rejects(syncs.sync('steady', never));
  assert.equal(events, ['published a', 'notified a', 'cleared generation of a']);
});

test('names that cannot be cleared do not end the sidecar, and fail the next sync', async () => {
  const stuck = problem('publish.write');
  let failing = false;
  const { syncs, events, deliver } = syncOf([
    {
      outcomes: [['a']],
      onClear: () => {
        if (failing) throw stuck;
      },
    },
  ]);
  await syncs.sync('steady', never);
  failing = true;
  await deliver();
  assert.equal(events, ['published a', 'notified a', 'cleared generation of a']);
  assert.is(await rejects(syncs.sync('steady', never)), stuck);
});

test('a config that fails does not delay others, and the sync fails with the problems of all', async () => {
  const { syncs, events, counts } = syncOf([
    { outcomes: [problem('fetch.denied', { subject: 'x' })] },
    { outcomes: [['a']] },
    { outcomes: [problem('publish.write', { subject: 'y' })] },
  ]);
  const error = await rejects(syncs.sync('steady', never));
  assert.equal(
    problemsOf(error)?.map(({ subject }) => subject),
    ['x', 'y'],
  );
  assert.equal(events, ['published a']);
  assert.equal(counts, ['failed', 'changed', 'failed']);
});

test('a config with which a worker was killed is rendered after all others, until a worker has finished it', async () => {
  let rendering: number | undefined;
  const { syncs, requests } = syncOf([{}, {}], {
    report(report) {
      if (rendering === undefined) return;
      report({ kind: 'stage', stage: 'render', config: rendering });
      throw problem('sync.killed');
    },
  });
  for (rendering of [0, 1, 0]) await rejects(syncs.sync('steady', never));
  rendering = undefined;
  for (let time = 0; time < 2; time++) await syncs.sync('steady', never);
  assert.equal(
    requests.map(({ renderLast }) => renderLast),
    [[], [0], [0, 1], [1, 0], []],
  );
});

test('a problem that all configs share is reported once', async () => {
  const same = problem('credentials.token');
  const { syncs } = syncOf([{ outcomes: [same] }, { outcomes: [same] }]);
  assert.is(problemsOf(await rejects(syncs.sync('steady', never)))?.length, 1);
});

test('a Kubernetes Secret that cannot be applied fails the sync, but the files are published and notified', async () => {
  const { syncs, targets, events, counts, deliver } = syncOf([{ outcomes: [problem('kubernetes.denied')] }], {
    report: (report) => report(publishedOf(0, ['a'], 'g')),
  });
  assert.is(problemsOf(await rejects(syncs.sync('steady', never)))?.[0]?.code, 'kubernetes.denied');
  assert.equal(
    targets[0]?.status().lastErrors.map(({ code }) => code),
    ['kubernetes.denied'],
  );
  assert.equal(counts, ['changed']);
  await deliver();
  assert.equal(events, ['notified a', 'cleared g']);
});

test('an error that is not a Problem is a bug, and ends the sync', async () => {
  const bug = new TypeError('x is not a function');
  assert.is(await rejects(syncOf([{}], { end: () => bug }).syncs.sync('steady', never)), bug);
});

test('how a worker authenticates is logged when it changes, not at each sync', async () => {
  let link = 'A';
  const { syncs, logged } = syncOf([{}], {
    report(report) {
      for (const message of ['the default chain', link])
        report({ kind: 'log', event: 'credentials.source', message, fields: {} });
    },
  });
  for (link of ['A', 'A', 'B', 'A']) await syncs.sync('steady', never);
  assert.equal(
    logged.filter((line) => line.startsWith('credentials.source')).map((line) => line.slice(20)),
    ['the default chain', 'A', 'B', 'A'],
  );
});

test('a message about a config that is not there is rejected', async () => {
  const { syncs } = syncOf([{}], { report: (report) => report(publishedOf(1, [], 'g')) });
  assert.match(String(await rejects(syncs.sync('steady', never))), /config 1 of 1/);
});

test.run();
