/** The process that fetches a set and becomes the command, as the process that starts it sees it: a script in its place. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/core/clock.ts';
import { type Candidate, type Child, createCommandFetcher } from '../../src/exec/fetch-worker.ts';
import type { SyncMessage } from '../../src/worker/report.ts';
import { fakeClock } from '../support/clock.ts';
import { childrenOf } from '../support/processes.ts';
import { realClock } from '../support/real-clock.ts';
import { rejects } from '../support/rejects.ts';
import { until, within } from '../support/wait.ts';

const test = suite('the process that becomes the command');

const PRELUDE = `
  const { writeSync, readSync } = require('node:fs');
  const say = (message) => writeSync(3, JSON.stringify(message) + '\\n');
  const next = () => readSync(3, Buffer.alloc(65536));
  const log = { kind: 'log', event: 'exec.starting', message: 'x', fields: {} };
  const prepared = () => { next(); say({ kind: 'prepared', digest: 'a' }); };
`;

/** Runs a script with this time in all. */
function play(script: string, total: number, clock: Clock = realClock) {
  const messages: SyncMessage[] = [];
  const host = {
    program: { file: process.execPath, args: ['-e', PRELUDE + script] },
    clock,
    kill: process.kill,
    memory: () => () => ({ used: 0, limit: 1 }),
  };
  const fetcher = createCommandFetcher({
    host: () => host,
    shared: undefined,
    timeouts: { progress: () => 60_000, total },
  });
  const receive = (message: SyncMessage) => void messages.push(message);
  const fetch = () => within('a set', fetcher.fetch({ request: {}, receive }, new AbortController().signal));
  return { messages, candidate: fetch(), fetch };
}

const messageOf = async (failing: Promise<unknown>): Promise<string> =>
  String(((await rejects(within('the failure', failing))) as Error).message);

test('messages do not extend the time that it has in all', async () => {
  const { candidate } = play('next(); setInterval(() => say(log), 1);', 100);
  assert.match(await messageOf(candidate), 'did not end within 100ms and was killed');
});

test('one that sends messages without end is killed, while it waits for a step too', async () => {
  const flood = 'for (;;) say(log);';
  const { candidate, messages } = play(`next(); ${flood}`, 600_000);
  assert.match(await messageOf(candidate), 'a report that cannot be used (more than 100000 messages)');
  assert.is(messages.length, 100_000);
  const prepared = (await play(`prepared(); ${flood}`, 600_000).candidate) as Candidate;
  assert.match(await messageOf(prepared.publish()), 'more than 100000 messages');
});

test('one that gets the step to start and does not become the command is killed', async () => {
  const script = `prepared(); next(); say({ kind: 'ready', changed: true }); next(); setInterval(() => say(log), 1);`;
  const candidate = (await play(script, 2000).candidate) as Candidate;
  assert.is(await candidate.publish(), true);
  let end: Child['ended'] | undefined;
  const started = candidate.start((child) => {
    end = child.ended;
  });
  assert.match(await messageOf(started), 'did not end within 2s and was killed');
  assert.equal(await end, { code: 137, signal: 'SIGKILL' });
});

test('each attempt of a start has the whole of its limits, and the time between two attempts has none', async () => {
  const clock = fakeClock();
  const reject = `next(); for (let n = 0; n < 60_000; n++) say(log); say({ kind: 'rejected', problems: [], waits: true });`;
  const { candidate, fetch } = play(`${reject} ${reject} prepared(); next();`, 2000, clock);
  assert.is(await candidate, undefined);
  await clock.advance(5000);
  assert.is(await fetch(), undefined);
  const found = await fetch();
  assert.is(found?.digest, 'a');
  found?.discard();
});

test('a process that ends between two attempts of a start is replaced', async () => {
  const script = `next(); say({ ...log, message: String(process.pid) }); say({ kind: 'rejected', problems: [], waits: true });`;
  const { candidate, fetch, messages } = play(script, 600_000);
  assert.is(await candidate, undefined);
  const pids = () => messages.flatMap((message) => (message.kind === 'log' ? Number(message.message) : []));
  await until('its end', () => !childrenOf(process.pid).includes(pids()[0] ?? 0));
  assert.is(await fetch(), undefined);
  assert.is(new Set(pids()).size, 2);
});

test('the time between two steps is not limited', async () => {
  const clock = fakeClock();
  const script = `prepared(); next(); say({ kind: 'ready', changed: true }); next();`;
  const candidate = (await play(script, 2000, clock).candidate) as Candidate;
  await clock.advance(5000);
  assert.is(await within('the publish', candidate.publish()), true);
  candidate.discard();
});

test.run();
