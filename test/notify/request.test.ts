/** The messages between the process of a notification and the one that starts it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { problemMessage } from '../../src/core/problem-fields.ts';
import { readNotifyMessage, targetSubject } from '../../src/notify/request.ts';

const test = suite('messages of a notification');

const problem = new Problem({
  code: 'notify.url',
  subject: 'http://app/reload',
  message: 'responded with 503',
  remedy: 'Correct it.',
  retry: true,
  retryAfter: 3000,
});

test('reads every message unchanged', () => {
  for (const message of [
    { kind: 'started', group: 1234 },
    { kind: 'delivered' },
    { kind: 'bug', line: 'TypeError' },
    { kind: 'failed', problem: problemMessage(problem) },
  ] as const)
    assert.equal(
      JSON.stringify(readNotifyMessage(JSON.parse(JSON.stringify(message)))),
      JSON.stringify(message),
    );
});

test('rejects any other text', () => {
  for (const message of [
    undefined,
    [],
    'delivered',
    { kind: 'other' },
    { kind: 'started' },
    // kill(2) would signal every process.
    { kind: 'started', group: 1 },
    { kind: 'started', group: 0 },
    { kind: 'started', group: -5 },
    { kind: 'started', group: 1.5 },
    { kind: 'started', group: '12' },
    { kind: 'bug' },
    { kind: 'failed' },
    { kind: 'failed', problem: { code: 'notify.url', subject: 'x', message: 'y' } },
    { kind: 'failed', problem: { code: 'other', subject: 'x', message: 'y', remedy: 'z' } },
  ]) {
    assert.throws(() => readNotifyMessage(message), JSON.stringify(message));
  }
});

test('a problem is about the program of a hook, or about a URL without its query and password', () => {
  assert.is(targetSubject({ kind: 'exec', command: ['/bin/sh', '-c', 'x'] }), 'hook "/bin/sh"');
  const url = 'http://user:password@app:80/reload?token=secret';
  assert.is(targetSubject({ kind: 'url', url }), 'http://app/reload');
});

test.run();
