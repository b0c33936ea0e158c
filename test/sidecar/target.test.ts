/** What a target leaves to the next process. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { problemMessage } from '../../src/core/problem-fields.ts';
import { systemClock } from '../../src/core/system-clock.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import { createSyncTarget } from '../../src/sidecar/target.ts';
import type { ConfigContent } from '../../src/worker/request.ts';
import { config } from '../support/config.ts';
import { minutes, openWorld, play, problem, start, type World } from '../support/world.ts';

const test = suite('target');

test('delivers at once the names that a killed process did not deliver, even while AWS is unavailable', async () => {
  const before = await openWorld({ secrets: { a: '1' } });
  await play(before, [
    { happens: start, holds: {} },
    { happens: (w) => w.application('fails'), holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' } } },
  ]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '2' }, dir: before.dir });
  world.aws(problem('fetch.network'));
  await play(world, [
    { happens: start, holds: { notified: ['a'] } },
    { happens: minutes(60), holds: { notified: [] } },
    { happens: (w) => w.aws('succeeds'), holds: {} },
    { happens: minutes(10), holds: { notified: [], files: { a: '2' }, failures: 0 } },
  ]);
});

test('leaves pending names that it cannot deliver to the next process', async () => {
  const before = await openWorld({ secrets: { a: '1' } });
  await play(before, [
    { happens: start, holds: {} },
    { happens: (w) => w.application('fails'), holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: {} },
  ]);
  await before.kill();
  const notifier: Notifier = {
    kind: 'url',
    async notify() {
      throw problem('notify.url');
    },
  };
  const failing = await openWorld({ secrets: { a: '2' }, dir: before.dir, notifier });
  await play(failing, [
    { happens: start, holds: {} },
    { happens: minutes(60), holds: { files: { a: '2' }, failures: 0 } },
  ]);
  await failing.kill();
  const world = await openWorld({ secrets: { a: '2' }, dir: before.dir });
  await play(world, [
    { happens: start, holds: { notified: ['a'] } },
    { happens: minutes(60), holds: { notified: [] } },
  ]);
});

test('notifies of the first file of an optional object, even if this process did not see it missing', async () => {
  const text = config('- {objectName: a, objectType: secretsmanager, optional: true}');
  const before = await openWorld({ secrets: {}, config: text });
  await play(before, [{ happens: start, holds: { files: {}, ready: true } }]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '1' }, config: text, dir: before.dir });
  await play(world, [{ happens: start, holds: { files: { a: '1' }, notified: ['a'] } }]);
});

const held = {
  path: '/secrets',
  identity: '1',
  holds: () => false,
  appliedSecrets: () => undefined,
  pendingNotification: () => ({ generation: undefined, files: [] }),
  clearPendingNotification() {},
  removeReplaced: async () => {},
};
const noPlace = { failoverRegion: undefined, paths: [], secrets: undefined } as const;
const planned = { kind: 'plan', config: 0, region: 'eu-west-1', ...noPlace } as const;

test('a config that could not be read is read again at the next sync', () => {
  const text = { kind: 'text', text: 'config' } as const;
  const unreadable = { kind: 'unreadable', problems: [problemMessage(problem('config.file'))] } as const;
  let content: ConfigContent = text;
  const log = { write() {}, problem() {} };
  const target = createSyncTarget({ file: 'c.yaml', held, read: () => content, clock: systemClock, log });
  const sync = () => {
    const { content: given } = target.request();
    target.planned(planned);
    if (given.kind === 'unreadable')
      target.edited({
        kind: 'edited',
        config: 0,
        result: 'invalid',
        objects: 1,
        warnings: [],
        problems: given.problems,
      });
    target.ended();
    return { kind: given.kind, problems: target.status().configProblems.length };
  };
  assert.equal(sync(), { kind: 'text', problems: 0 });
  content = unreadable;
  target.reload();
  assert.equal(sync(), { kind: 'unreadable', problems: 1 });
  content = text;
  assert.equal(sync(), { kind: 'text', problems: 0 });
});

test('a config is in use once its plan was reported, and not because a worker that was killed got it', () => {
  const read = () => ({ kind: 'text', text: 'config' }) as const;
  const target = createSyncTarget({
    file: 'c.yaml',
    held,
    read,
    clock: systemClock,
    log: { write() {}, problem() {} },
  });
  const sync = (report: () => void) => {
    const { inUse, region } = target.request();
    report();
    target.ended();
    return { inUse, region };
  };
  const none = { inUse: undefined, region: undefined };
  assert.equal(
    sync(() => {}),
    none,
  );
  assert.equal(
    sync(() => target.planned(planned)),
    none,
  );
  assert.equal(
    sync(() => {}),
    { inUse: 'config', region: 'eu-west-1' },
  );
});

test('the status names the variables in envFile with the version of their object, and none without envFile', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, env: A}
    - {objectName: b, objectType: secretsmanager, expand: true, env: "B_*", envCase: upper}`;
  const secrets = { a: '1', b: '{"x":"1"}' };
  const from = (object: string, version: string) => ({
    object,
    service: 'secretsmanager',
    region: 'eu-west-1',
    version,
  });
  const variables = (world: World) => world.status().configs[0]?.variables;
  const without = await openWorld({ secrets, config: config(objects) });
  await play(without, [{ happens: start, holds: { also: (w) => assert.equal(variables(w), []) } }]);
  await without.kill();
  const world = await openWorld({ secrets, config: config(objects, { envFile: 'app.env' }) });
  await play(world, [
    { happens: start, holds: { files: { a: '1', 'app.env': "A='1'\nB_X='1'\n", x: '1' } } },
    { happens: (w) => w.put('a', '2'), holds: {} },
    {
      happens: minutes(10),
      holds: {
        also: (w) =>
          assert.equal(variables(w), [
            { name: 'A', ...from('a', '2') },
            { name: 'B_X', ...from('b', '1') },
          ]),
      },
    },
  ]);
});

test('an edit after which no object exists keeps the files, with an envFile too', async () => {
  const envFile = { envFile: 'app.env' };
  const object = (name: string) =>
    `- {objectName: ${name}, objectType: secretsmanager, env: A, optional: true, objectAlias: a}`;
  for (const parameters of [{}, envFile]) {
    const world = await openWorld({ secrets: { a: '1' }, config: config(object('a'), parameters) });
    const files = 'envFile' in parameters ? { a: '1', 'app.env': "A='1'\n" } : { a: '1' };
    await play(world, [
      { happens: start, holds: { files } },
      {
        happens: (w) => w.edit(config(object('none'), parameters)),
        holds: {
          files,
          failures: 1,
          also: (w) => assert.match(w.status().configs[0]?.lastErrors[0]?.message ?? '', 'remove everything'),
        },
      },
      { happens: (w) => w.edit(config(object('a'), parameters)), holds: { files, failures: 0 } },
    ]);
  }
});

test.run();
