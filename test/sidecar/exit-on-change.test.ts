/** When `--exit-on-change` ends a sidecar. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../src/core/log.ts';
import { Problem } from '../../src/core/problem.ts';
import { createExitOnChange } from '../../src/sidecar/exit-on-change.ts';
import { fakeClock } from '../support/clock.ts';

const test = suite('exit on change');

const rejection = new Problem({
  code: 'notify.url',
  subject: 'url',
  message: 'rejected',
  remedy: 'Start it.',
});

function begin({ hasNotifiers = false, splay = 0, drain = async () => {} } = {}) {
  const clock = fakeClock();
  const stop = new AbortController();
  const events: string[] = [];
  const log: Log = { write: (event) => void events.push(event), problem() {} };
  const options = { exitCode: 88, queue: { drain }, hasNotifiers, splay, clock, log };
  const { changed, synced, exit } = createExitOnChange(options, stop.signal);
  let code: number | undefined;
  exit.then(
    (found) => {
      code = found;
    },
    () => {},
  );
  return { clock, stop, events, changed, synced, code: () => code };
}

test('exits after a sync that follows a change, and logs it', async () => {
  const { clock, changed, synced, events, code } = begin();
  changed();
  await clock.settle();
  assert.is(code(), undefined, 'a change alone may be one of several configs');
  synced();
  await clock.next();
  assert.equal([code(), events], [88, ['restart.requested']]);
});

test('stays without a change', async () => {
  const { clock, synced, code } = begin();
  synced();
  await clock.settle();
  assert.equal([code(), clock.sleepers], [undefined, []]);
});

test('waits for a random part of the splay', async () => {
  const { clock, changed, synced, code } = begin({ splay: 30_000 });
  changed();
  synced();
  await clock.advance(14_999);
  assert.is(code(), undefined);
  await clock.advance(1);
  assert.is(code(), 88);
});

test('waits for the notifications, and exits also when they fail', async () => {
  const delivery = Promise.withResolvers<void>();
  const { clock, changed, synced, code } = begin({ hasNotifiers: true, drain: () => delivery.promise });
  changed();
  synced();
  await clock.settle();
  assert.is(code(), undefined);
  delivery.reject(rejection);
  await clock.settle();
  assert.is(code(), 88);
});

test('a stop in the wait ends it without the exit', async () => {
  const { clock, stop, changed, synced, events, code } = begin({ splay: 30_000 });
  changed();
  synced();
  stop.abort(new Error('SIGTERM'));
  await clock.advance(60_000);
  assert.equal([code(), events], [undefined, []]);
});

test.run();
