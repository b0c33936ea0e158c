/** What `exec --on-change` does, and when. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../src/core/log.ts';
import { Problem } from '../../src/core/problem.ts';
import type { Candidate, Child } from '../../src/exec/fetch-worker.ts';
import { type SuperviseOptions, supervise } from '../../src/exec/supervise.ts';
import { createTriggers } from '../../src/sidecar/triggers.ts';
import { fakeClock } from '../support/clock.ts';

const test = suite('supervise');

const rejection = new Problem({
  code: 'fetch.content',
  subject: 'db',
  message: 'rejected',
  remedy: 'Correct it.',
  retry: true,
});

interface Overrides extends Partial<SuperviseOptions> {
  /** Whether the command ends at the stop signal. */
  readonly endsAtStopSignal?: boolean;
}

/** A secret whose value is the digest, and commands that end when the test ends them. */
async function begin({ endsAtStopSignal = true, ...overrides }: Overrides = {}) {
  const clock = fakeClock();
  const events: string[] = [];
  const steps: string[] = [];
  const alive = new Set<string>();
  const published: (() => Promise<void>)[] = [];
  const starting: (() => Promise<void>)[] = [];
  const restarts: string[] = [];
  let value = 'a';
  let failure: Problem | undefined;
  let fetches = 0;
  let signal: (signal: NodeJS.Signals) => void = () => {};
  let end: (code: number) => void = () => {};
  const log: Log = {
    write: (event) => void events.push(event),
    problem: (event) => void events.push(event),
  };

  function candidate(digest: string): Candidate {
    alive.add(digest);
    return {
      digest,
      isAlive: () => alive.has(digest),
      async publish() {
        steps.push(`publish ${digest}`);
        await published.shift()?.();
        return true;
      },
      async start(onChild) {
        const ended = Promise.withResolvers<{ code: number; signal: string | undefined }>();
        const child: Child = {
          pid: 1,
          ended: ended.promise,
          signal(sent) {
            steps.push(`${sent} ${digest}`);
            if (sent === 'SIGKILL' || endsAtStopSignal) ended.resolve({ code: 3, signal: undefined });
          },
        };
        end = (code) => ended.resolve({ code, signal: undefined });
        void ended.promise.then(() => steps.push(`end ${digest}`));
        onChild(child);
        steps.push(`start ${digest}`);
        await starting.shift()?.();
      },
      discard() {
        alive.delete(digest);
        steps.push(`discard ${digest}`);
      },
    };
  }

  const options: SuperviseOptions = {
    onChange: 'restart',
    stopSignal: 'SIGTERM',
    stopTimeout: 10_000,
    interval: 60_000,
    splay: 0,
    startTimeout: 0,
    hasTerminal: false,
    clock,
    log,
    triggers: createTriggers(clock),
    async fetch(known) {
      fetches++;
      if (failure !== undefined) throw failure;
      return known === value ? undefined : candidate(value);
    },
    handleSignals(listener) {
      signal = listener;
    },
    onRetry() {},
    onReady: () => void events.push('ready'),
    onSuccess() {},
    onFailure: () => void events.push('failed'),
    countRestart: (result) => void restarts.push(result),
    exitCodeOf: () => 143,
    ...overrides,
  };
  let result: unknown;
  supervise(options, new AbortController().signal).then(
    (code) => {
      result = code;
    },
    (error) => {
      result = error;
    },
  );
  await clock.settle();
  return {
    clock,
    events,
    steps,
    alive,
    published,
    starting,
    restarts,
    set(next: string | Problem) {
      if (next instanceof Problem) failure = next;
      else {
        failure = undefined;
        value = next;
      }
    },
    signal: (sent: NodeJS.Signals) => signal(sent),
    end: (code: number) => end(code),
    result: () => result,
    fetches: () => fetches,
  };
}

test('a change publishes, stops the old command, and starts the new one when it is gone', async () => {
  const { clock, steps, set, events, restarts } = await begin();
  assert.equal(steps.splice(0), ['publish a', 'start a']);
  set('b');
  await clock.advance(61_000);
  assert.equal(steps, ['publish b', 'SIGTERM a', 'end a', 'start b']);
  assert.ok(events.includes('restart.succeeded'));
  assert.equal(restarts, ['success']);
});

test('nothing happens without a change', async () => {
  const { clock, steps, fetches } = await begin();
  await clock.advance(600_000);
  assert.equal(steps, ['publish a', 'start a']);
  assert.ok(fetches() > 5);
});

test('a set that fails restarts nothing, and the next sync tries again', async () => {
  const { clock, steps, events, set } = await begin();
  set(rejection);
  await clock.advance(61_000);
  assert.equal([steps, events.includes('failed')], [['publish a', 'start a'], true]);
  set('b');
  await clock.advance(120_000);
  assert.is(steps.at(-1), 'start b');
});

test('a set that cannot be published stops nothing, and the next sync tries again', async () => {
  const { clock, steps, events, set, published, restarts } = await begin();
  published.push(async () => {
    throw rejection;
  });
  set('b');
  await clock.advance(61_000);
  assert.ok(events.includes('restart.failed'));
  assert.not.ok(steps.includes('SIGTERM a'));
  assert.equal(restarts, ['error']);
  await clock.advance(61_000);
  assert.is(steps.at(-1), 'start b');
});

test('changes during a stop are one restart, with the newest set', async () => {
  const { clock, steps, set } = await begin({ endsAtStopSignal: false, stopTimeout: 600_000 });
  steps.length = 0;
  set('b');
  await clock.advance(61_000);
  set('c');
  await clock.advance(61_000);
  set('d');
  await clock.advance(61_000);
  assert.not.ok(steps.some((step) => step.startsWith('start')));
  await clock.advance(600_000);
  assert.equal(
    steps.filter((step) => !step.startsWith('publish')),
    ['SIGTERM a', 'discard b', 'discard c', 'SIGKILL a', 'end a', 'start d'],
  );
  assert.ok(steps.includes('publish d'));
  assert.ok(steps.indexOf('publish d') < steps.indexOf('start d'));
});

test('a change while the next command starts is one more restart', async () => {
  const { clock, steps, set, starting } = await begin();
  set('b');
  starting.push(async () => {
    set('c');
    await clock.sleep(120_000, new AbortController().signal);
  });
  await clock.advance(61_000);
  assert.is(steps.at(-1), 'start b');
  await clock.advance(600_000);
  assert.equal(steps.slice(-4), ['publish c', 'SIGTERM b', 'end b', 'start c']);
});

test('an older set is never published after a newer one', async () => {
  const { clock, steps, set, published } = await begin();
  set('b');
  published.push(async () => {
    await clock.sleep(120_000, new AbortController().signal);
    steps.push('published b');
  });
  await clock.advance(61_000);
  set('c');
  await clock.advance(600_000);
  assert.equal(
    steps.filter((step) => /publish/.test(step)),
    ['publish a', 'publish b', 'published b', 'publish c'],
  );
  assert.is(steps.at(-1), 'start c');
});

test('there is one restart in 10 s at most', async () => {
  const { clock, steps, set } = await begin({ interval: 1000 });
  for (const value of ['b', 'c', 'd', 'e']) {
    set(value);
    await clock.advance(2000);
  }
  assert.equal(
    steps.filter((step) => step.startsWith('start')),
    ['start a'],
  );
  await clock.advance(2500);
  assert.equal(
    steps.filter((step) => step.startsWith('start')),
    ['start a', 'start e'],
  );
});

test('a change that is reverted before it takes effect restarts nothing', async () => {
  const { clock, steps, set, alive } = await begin({ interval: 1000, splay: 60_000 });
  set('b');
  await clock.advance(2000);
  set('a');
  await clock.advance(100_000);
  assert.not.ok(steps.includes('SIGTERM a'));
  assert.equal([...alive], []);
});

test('a command that ends by itself is the end: its exit code, and no restart', async () => {
  const { clock, steps, set, end, result } = await begin({ splay: 60_000 });
  set('b');
  await clock.advance(61_000);
  end(9);
  await clock.advance(600_000);
  assert.is(result(), 9);
  assert.not.ok(steps.includes('start b'));
  assert.ok(steps.includes('discard b'));
});

test('a signal that ends podsecrets is forwarded, each time, and prevents a restart', async () => {
  const { clock, steps, set, signal, end, result } = await begin({ endsAtStopSignal: false });
  set('b');
  await clock.advance(54_500);
  signal('SIGTERM');
  signal('SIGTERM');
  await clock.advance(600_000);
  assert.equal(steps.filter((step) => step.endsWith(' a')).slice(2), ['SIGTERM a', 'SIGTERM a']);
  assert.is(result(), undefined, 'it waits as long as the command takes');
  end(0);
  await clock.settle();
  assert.is(result(), 0);
  assert.not.ok(steps.includes('publish b'));
});

test('SIGTERM during a stop is the end once the command is gone', async () => {
  const { clock, steps, set, signal, result } = await begin({ endsAtStopSignal: false });
  set('b');
  await clock.advance(67_000);
  assert.is(steps.at(-1), 'SIGTERM a');
  signal('SIGTERM');
  await clock.advance(10_000);
  assert.is(result(), 3);
  assert.not.ok(steps.includes('start b'));
});

test('a process that ended while it waited is replaced by another with the newest set', async () => {
  const { clock, steps, set, alive } = await begin({
    endsAtStopSignal: false,
    interval: 3_600_000,
    stopTimeout: 60_000,
  });
  set('b');
  while (steps.at(-1) !== 'SIGTERM a') assert.ok(await clock.next());
  alive.delete('b');
  set('c');
  await clock.advance(61_000);
  assert.equal(steps.slice(-2), ['publish c', 'start c']);
});

test('without a set for the next command, podsecrets ends with the cause', async () => {
  const { clock, steps, set, alive, result } = await begin({ endsAtStopSignal: false, interval: 3_600_000 });
  set('b');
  while (steps.at(-1) !== 'SIGTERM a') assert.ok(await clock.next());
  alive.delete('b');
  set(rejection);
  await clock.advance(61_000);
  assert.is(result(), rejection);
});

test('keys of the terminal are not forwarded, other signals are', async () => {
  const { steps, signal } = await begin({ endsAtStopSignal: false, hasTerminal: true });
  for (const one of ['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGHUP', 'SIGTERM'] as const) signal(one);
  assert.equal(steps.slice(2), ['SIGHUP a', 'SIGTERM a']);
});

test('exit: the command is stopped, and the exit code is 0', async () => {
  const { clock, set, result, steps } = await begin({ onChange: 'exit' });
  set('b');
  await clock.advance(67_000);
  assert.is(result(), 0);
  assert.ok(steps.indexOf('publish b') < steps.indexOf('SIGTERM a'));
});

test('a signal: sent after the publish, once for each change', async () => {
  const { clock, set, steps } = await begin({ onChange: 'SIGHUP', endsAtStopSignal: false });
  set('b');
  await clock.advance(600_000);
  assert.equal(steps.slice(2), ['publish b', 'discard b', 'SIGHUP a']);
});

test.run();
