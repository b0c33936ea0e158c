import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { endProblem, type WorkerEnd } from '../../src/worker/end-problem.ts';
import { openWorkerMemory } from '../../src/worker/memory.ts';
import {
  CHECK_INTERVAL,
  isRunningWorker,
  type Requests,
  runWorker,
  type WorkerRun,
} from '../../src/worker/process.ts';
import { isAllowed } from '../support/allowed.ts';
import { startChild } from '../support/child.ts';
import { childrenOf, isRunning } from '../support/processes.ts';
import { realClock } from '../support/real-clock.ts';
import { until, within } from '../support/wait.ts';

const test = suite('the process of a worker');
const never = new AbortController().signal;
const MEBIBYTE = 1024 * 1024;

/** Begins every script: `say` writes a message, `request` is the parsed request. */
const PRELUDE = `
  const { writeSync, readFileSync } = require('node:fs');
  const say = (message) => writeSync(3, JSON.stringify(message) + '\\n');
  const request = () => JSON.parse(readFileSync(0, 'utf8'));
  const forever = () => setInterval(() => {}, 1e6);
`;

const timeouts = (progress: number, total = 60_000) => ({ progress: () => progress, total });

interface Scene extends Partial<WorkerRun> {
  readonly script: string;
  readonly memoryLimit?: number;
  readonly stop?: AbortSignal;
  readonly file?: string;
}

/** Runs a script as a worker: its messages, and its end. */
function play({ script, memoryLimit, stop = never, file = process.execPath, ...run }: Scene) {
  const messages: unknown[] = [];
  const end = runWorker(
    {
      kind: 'sync',
      request: {},
      timeouts: timeouts(60_000),
      receive: (message) => messages.push(message),
      ...run,
    },
    {
      program: { file, args: ['-e', PRELUDE + script] },
      clock: realClock,
      kill: (pid, signal) => process.kill(pid, signal),
      memory: () =>
        openWorkerMemory(
          memoryLimit === undefined ? undefined : { limit: memoryLimit, used: () => undefined },
        ),
    },
    stop,
  );
  return { messages, end: within('the end of the worker', end) };
}

async function problemOf(scene: Scene): Promise<string> {
  const { message, remedy } = endProblem(await play(scene).end, { code: 'sync.killed', subject: 'sync' });
  return `${message}. ${remedy}`;
}

test('a worker gets its request, and its messages arrive in order', async () => {
  const { messages, end } = play({
    request: { name: 'db', text: 'ä\n'.repeat(100_000) },
    script: 'const { name, text } = request(); say({ name }); say({ length: text.length });',
  });
  assert.equal(await end, { kind: 'exited', code: 0 });
  assert.equal(messages, [{ name: 'db' }, { length: 200_000 }]);
});

test('a worker counts as running until its end was reported, so that nothing else waits for it', async () => {
  const { messages, end } = play({ script: 'say(process.pid); request();' });
  await until('its pid', () => messages.length > 0);
  const pid = Number(messages[0]);
  assert.ok(isRunningWorker(pid));
  await end;
  assert.not.ok(isRunningWorker(pid));
});

test('neither the arguments nor the environment of a worker have the request', async () => {
  const { messages, end } = play({
    request: { name: 'CANARY-1' },
    script: `request(); say(readFileSync('/proc/self/cmdline', 'latin1') + readFileSync('/proc/self/environ', 'latin1'));`,
  });
  await end;
  assert.not.match(String(messages[0]), 'CANARY-1');
});

test('a worker that exits with another code than 0 did not finish', async () => {
  assert.match(
    await problemOf({ script: 'process.exit(3)' }),
    /ended with exit code 3 before its work was done/,
  );
});

test('a worker that is silent for too long is killed, however busy it is', async () => {
  const scene = { script: 'for (;;);', timeouts: timeouts(100) };
  assert.equal(await play(scene).end, { kind: 'stalled', timeout: 100, sentNothing: true });
  assert.match(await problemOf(scene), /made no progress for 100ms and was killed.*podPidsLimit/);
  // Once it has sent something, its threads have started.
  const { messages, end } = play({ script: 'say({}); for (;;);', timeouts: timeouts(500) });
  assert.equal(await end, { kind: 'stalled', timeout: 500, sentNothing: messages.length === 0 });
});

test('a worker gets further requests, until their end', async () => {
  const messages: unknown[] = [];
  const { end } = play({
    script: `
      const { createReadStream } = require('node:fs');
      const { createInterface } = require('node:readline');
      const lines = createInterface(createReadStream('', { fd: 3 }));
      lines.on('line', say).on('close', () => { say('closed'); process.exit(0); });
      say('waiting');
    `,
    receive(message, requests) {
      messages.push(message);
      if (message === 'waiting') requests.send({ number: 2 });
      else requests.end();
    },
  });
  assert.equal(await end, { kind: 'exited', code: 0 });
  assert.equal(messages, ['waiting', '{"number":2}', 'closed']);
});

test('each request of a worker has the whole time, and its wait for a request does not count', async () => {
  let requests: Requests | undefined;
  let checks = 0;
  let counted = 0;
  const total = 8 * CHECK_INTERVAL;
  const { end } = play({
    script: `say('started'); forever();`,
    receive(_message, more) {
      requests = more;
    },
    isWaiting() {
      if (requests === undefined) return true;
      checks += 1;
      if (checks === 20) requests.send({});
      // It works for 5 checks, waits for 14, and works.
      return checks > 5 && checks < 20;
    },
    timeouts: {
      progress() {
        counted += 1;
        return 60_000;
      },
      total,
    },
  });
  assert.equal(await end, { kind: 'overdue', timeout: total });
  assert.is(counted, 5 + 8);
});

test('a worker that is stopped, or does not read its request, is killed', async () => {
  const stopped = { script: `process.kill(process.pid, 'SIGSTOP')`, timeouts: timeouts(100) };
  assert.equal(await play(stopped).end, { kind: 'stalled', timeout: 100, sentNothing: true });
  const request = { text: 'x'.repeat(5e6) };
  assert.equal(await play({ request, script: 'forever()', timeouts: timeouts(100) }).end, {
    kind: 'stalled',
    timeout: 100,
    sentNothing: true,
  });
});

test('messages do not extend the time that a worker has in all', async () => {
  const scene = { script: 'setInterval(() => say({}), 1);', timeouts: timeouts(60_000, 100) };
  assert.equal(await play(scene).end, { kind: 'overdue', timeout: 100 });
  assert.match(await problemOf(scene), /did not end within 100ms and was killed. .* raise --aws-timeout/);
});

test('a worker that sends messages without end is killed, and what it sends after the limit is not used', async () => {
  const { messages, end } = play({
    script: `const many = '{}\\n'.repeat(1000); for (;;) writeSync(3, many);`,
  });
  assert.equal(await end, { kind: 'report', reason: 'more than 100000 messages' });
  assert.is(messages.length, 100_000);
});

test('a worker that reports too many bytes is killed', async () => {
  const { messages, end } = play({ script: `const text = 'x'.repeat(1e6); for (;;) say({ text });` });
  assert.equal(await end, { kind: 'report', reason: 'more than 32 MiB' });
  assert.is(messages.length, 33);
});

test('a worker whose memory comes close to the limit is killed, and the problem names the limit', async () => {
  const text = await problemOf({
    script: 'const held = []; setInterval(() => held.push(Buffer.alloc(1e7, 1)), 1);',
    memoryLimit: 400 * MEBIBYTE,
  });
  assert.match(
    text,
    /used \d+ of the \d+ MiB that the memory limit of the container leaves, and was killed. Raise the memory limit/,
  );
});

test('a worker that a signal ends did not finish, and the problem names the signal', async () => {
  assert.match(
    await problemOf({ script: `process.kill(process.pid, 'SIGKILL')` }),
    /ended by SIGKILL, perhaps by the kernel because memory ran out/,
  );
  assert.match(await problemOf({ script: 'process.abort()' }), /SIGABRT.*pids limit/);
});

test('an invalid message ends the worker', async () => {
  const end = await play({
    script: 'say({ kind: "unknown" }); forever();',
    receive() {
      throw new Error('unknown message');
    },
  }).end;
  assert.equal(end, { kind: 'report', reason: 'unknown message' });
});

test('a line that is not JSON, and one without an end, arrive as undefined', async () => {
  const { messages, end } = play({
    script: `writeSync(3, 'no json\\n'); writeSync(3, Buffer.alloc(9e6, 'a')); writeSync(3, '\\n'); say({});`,
  });
  assert.equal(await end, { kind: 'exited', code: 0 });
  assert.equal(messages, [undefined, undefined, {}]);
});

test('a program that cannot be started is a problem that names the reason', async () => {
  assert.equal(await play({ script: '', file: '/nonexistent' }).end, { kind: 'notStarted', code: 'ENOENT' });
  const rejected: WorkerEnd = { kind: 'notStarted', code: 'EAGAIN' };
  const { message, remedy } = endProblem(rejected, { code: 'sync.killed', subject: 'sync' });
  assert.is(message, 'its process cannot be started (EAGAIN)');
  assert.match(remedy, 'podPidsLimit');
});

test('a worker for which the kernel has no memory is a problem that names the reason', async () => {
  if (!isAllowed('a fork without memory', ['unshare', '--pid', '--fork', 'true'])) return;
  const end = JSON.parse(await startChild('no-more-processes.ts', []).line(1)) as WorkerEnd;
  assert.equal(end, { kind: 'notStarted', code: 'ENOMEM' });
  assert.match(endProblem(end, { code: 'sync.killed', subject: 'sync' }).remedy, 'memory limit');
});

test('at the stop a worker gets SIGTERM and may finish', async () => {
  const stop = new AbortController();
  const { messages, end } = play({
    stop: stop.signal,
    script: `process.on('SIGTERM', () => { say('finished'); process.exit(0); }); say('began'); forever();`,
  });
  await until('its first message', () => messages.length > 0);
  stop.abort();
  assert.equal(await end, { kind: 'exited', code: 0 });
  assert.equal(messages, ['began', 'finished']);
});

test('a worker that ignores SIGTERM is killed', async () => {
  const stop = new AbortController();
  const { messages, end } = play({
    stop: stop.signal,
    script: `process.on('SIGTERM', () => {}); say('began'); forever();`,
  });
  await until('its first message', () => messages.length > 0);
  stop.abort();
  assert.equal(await end, { kind: 'signal', signal: 'SIGKILL' });
});

test('nothing of the process group of a worker is left', async () => {
  const { messages, end } = play({
    script: `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['1000'], { stdio: 'inherit' });
      child.once('spawn', () => { say(child.pid); process.exit(0); });
    `,
  });
  assert.equal(await end, { kind: 'exited', code: 0 });
  const [pid = 0] = messages as number[];
  assert.ok(pid > 0);
  await until('the end of its child', () => !isRunning(pid));
});

test('a process that a worker left in another group, with its pipe open, does not hold up the end', async () => {
  const { messages, end } = play({
    script: `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', 3], detached: true });
      child.once('spawn', () => { say(child.pid); process.exit(0); });
    `,
  });
  try {
    assert.equal(await end, { kind: 'exited', code: 0 });
  } finally {
    process.kill(Number(messages[0]), 'SIGKILL');
  }
});

test('a worker in an endless loop ends with the process that started it', async () => {
  const parent = startChild('worker-parent.ts', []);
  const { request, pid } = JSON.parse(await parent.line(1));
  assert.equal(childrenOf(request.parent), [pid]);
  parent.kill('SIGKILL');
  await until('the end of the worker', () => !isRunning(pid));
});

test.run();
