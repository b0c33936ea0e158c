import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../src/core/log.ts';
import { Problem } from '../../src/core/problem.ts';
import type { NotificationQueue } from '../../src/notify/queue.ts';
import { createStatusTracker } from '../../src/sidecar/status.ts';
import { fakeClock } from '../support/clock.ts';

test('a failed sync logs each cause once, with the other affected objects; so does the same failure again', () => {
  const logged: unknown[] = [];
  const log: Log = {
    write() {},
    problem: (event, { subject }, fields) => logged.push([event, subject, fields?.alsoAffected]),
  };
  const tracker = createStatusTracker({
    targets: [],
    queue: {} as NotificationQueue,
    credentials: () => undefined,
    clock: fakeClock(),
    log,
  });
  const failures = (request: string) =>
    ['a', 'b', 'c'].map(
      (subject) =>
        new Problem({
          code: 'fetch.server',
          subject,
          message: `got HTTP status 500, request id ${request}-${subject}`,
          remedy: 'Wait.',
        }),
    );
  tracker.failed(failures('r1'), 1, 1000);
  tracker.failed(failures('r2'), 2, 1000);
  assert.equal(logged, [
    ['sync.failed', 'a', 'b, c'],
    ['sync.failedAgain', 'a', 'b, c'],
  ]);
});

test.run();
