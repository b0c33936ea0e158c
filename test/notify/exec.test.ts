import { getEventListeners } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { type ExecOptions, execNotifier } from '../../src/notify/exec.ts';
import { redact } from '../../src/notify/redact.ts';
import { processesOf } from '../support/processes.ts';
import { rejects } from '../support/rejects.ts';
import { until } from '../support/wait.ts';

const test = suite('running hooks');
const scratch = mkdtempSync(join(tmpdir(), 'podsecrets-exec-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

const never = new AbortController().signal;
const names = ['a c', 'b'];

function options(rest: Partial<ExecOptions> = {}): ExecOptions {
  return {
    environment: process.env,
    redact: (text) => text,
    onStart: () => {},
    ...rest,
  };
}

function hook(script: string, rest: Partial<ExecOptions> = {}) {
  return execNotifier(['/bin/sh', '-c', script], options(rest));
}

async function problem(notifying: Promise<void>): Promise<Problem> {
  const error = await rejects(notifying);
  if (!(error instanceof Problem)) throw error;
  assert.is(error.code, 'notify.exec');
  return error;
}

const ends = (command: string) => until(`the end of ${command}`, () => processesOf(command).length === 0);

/** A duration for `sleep` that no other process uses, so that the process can be found by it. */
let lastSleep = process.pid * 100;
const someSleep = () => String(++lastSleep);

test('exit code 0 is success, and the hook gets its arguments and the changed names', async () => {
  const file = join(scratch, 'output');
  const words = ['a b', '$HOME', '"; rm -rf x', ''];
  const script = 'printf "%s|" "$@" "$PODSECRETS_FILES" > "$0"';
  await execNotifier(['/bin/sh', '-c', script, file, ...words], options()).notify(names, never);
  assert.is(readFileSync(file, 'utf8'), `${words.join('|')}|["a c","b"]|`);
});

test('passes only the listed variables of the environment to a hook', async () => {
  const file = join(scratch, 'environment');
  const environment = { PATH: process.env.PATH, AWS_SESSION_TOKEN: 'canary', FOO: 'canary' };
  await execNotifier(['/usr/bin/env', 'sh', '-c', 'env > "$0"', file], options({ environment })).notify(
    names,
    never,
  );
  assert.not.match(readFileSync(file, 'utf8'), 'canary');
});

test('a failure shows the exit code and the last lines, escaped', async () => {
  const error = await problem(
    hook('seq 1 1000; echo "no such host" >&2; printf "\\033[31m"; exit 3').notify(names, never),
  );
  assert.is(error.subject, 'hook "/bin/sh"');
  assert.match(error.message, /^exit code 3; last output: 99\d\\n/);
  assert.match(error.message, 'no such host');
  assert.not.match(error.message, /[\x00-\x1f]/);
  assert.ok(error.retry);
});

test('a failure without output is reported as one', async () => {
  const error = await problem(hook('exit 9').notify(names, never));
  assert.is(error.message, 'exit code 9; no output');
});

test('a failure names the signal that ended the hook', async () => {
  assert.match((await problem(hook('kill -SEGV $$').notify(names, never))).message, /^ended by SIGSEGV;/);
});

test('redacts a value that the hook prints, even a long one that is truncated', async () => {
  const long = 'L0ng'.repeat(16_000);
  const values = [new Secret('hunter22'), new Secret(long)];
  const file = join(scratch, 'long');
  writeFileSync(file, long);
  const error = await problem(
    hook(`seq 1 50000; cat "${file}"; echo; echo login hunter22 failed; exit 1`, {
      redact: (text) => redact(text, values),
    }).notify(names, never),
  );
  assert.match(error.message, /50000\\n\[secret\]\\nlogin \[secret\] failed$/);
});

test('a program that is missing, not executable, without interpreter or too long has its own remedy', async () => {
  const text = join(scratch, 'text');
  writeFileSync(text, '#!/nowhere/interpreter');
  const failureOf = (program: string) => problem(execNotifier([program], options()).notify(names, never));
  const missing = await failureOf(join(scratch, 'missing'));
  assert.match(missing.message, '(ENOENT)');
  assert.match(missing.remedy, 'the image has no shell');
  assert.not(missing.retry);
  assert.match((await failureOf(text)).message, '(EACCES)');
  chmodSync(text, 0o755);
  assert.match((await failureOf(text)).message, '(ENOENT)');
  for (const program of [join(text, 'x'), join(scratch, 'x'.repeat(300))]) {
    const { message, remedy, retry } = await failureOf(program);
    assert.match(message, /\((ENOTDIR|ENAMETOOLONG)\)$/);
    assert.match(remedy, 'Use the path');
    assert.not(retry);
  }
  const long = execNotifier(['/bin/true', 'x'.repeat(3_000_000)], options());
  assert.match((await problem(long.notify(names, never))).message, '(E2BIG)');
});

test('ends a hook that hangs after its timeout, with its descendants', async () => {
  const sleep = someSleep();
  const late = (timeout: number) =>
    problem(hook(`echo waiting; sleep ${sleep} & sleep ${sleep}`, { timeout }).notify(names, never));
  let error = await late(100);
  // On a slow machine the timeout may come before the output.
  for (let timeout = 1000; error.message.endsWith('nothing'); timeout *= 10) error = await late(timeout);
  assert.match(error.message, /^did not end within \d+m?s; last output: waiting$/);
  assert.ok(error.retry);
  await ends(`sleep ${sleep}`);
});

test('kills a hook that ignores SIGTERM', async () => {
  const sleep = someSleep();
  const script = `trap '' TERM; sleep ${sleep}; sleep ${sleep}`;
  const error = await problem(hook(script, { timeout: 50, grace: 50 }).notify(names, never));
  assert.match(error.message, 'did not end within');
  await ends(`sleep ${sleep}`);
});

test('an abort ends the hook and its descendants, and is not a failure of the hook', async () => {
  const sleep = someSleep();
  const stop = new AbortController();
  const ready = join(scratch, 'ready');
  const notifying = rejects(
    hook(`sleep ${sleep} & touch "${ready}"; sleep ${sleep}`).notify(names, stop.signal),
  );
  await until('a hook', () => existsSync(ready));
  stop.abort('SIGTERM');
  assert.is(await notifying, 'SIGTERM');
  await ends(`sleep ${sleep}`);
  assert.is(await rejects(hook('exit 0').notify(names, stop.signal)), 'SIGTERM');
});

test('processes that a successful hook leaves in its group end with it, and do not delay it', async () => {
  const sleep = someSleep();
  await hook(`sleep ${sleep} & exit 0`).notify(names, never);
  await ends(`sleep ${sleep}`);
});

test('a process that left the group and keeps the output open does not delay the hook', async () => {
  const sleep = someSleep();
  const hasLeft = join(scratch, 'has-left');
  try {
    const script = `touch "${hasLeft}"; exec sleep ${sleep}`;
    await hook(`setsid sh -c '${script}' & until [ -e "${hasLeft}" ]; do sleep 0.01; done`).notify(
      names,
      never,
    );
    assert.is(processesOf(`sleep ${sleep}`).length, 1);
  } finally {
    for (const pid of processesOf(`sleep ${sleep}`)) process.kill(pid, 'SIGKILL');
  }
});

test('reads a flood of output to its end without keeping it', async () => {
  await hook('head -c 50000000 /dev/zero; exit 0').notify(names, never);
  const error = await problem(hook('yes | head -c 5000000; echo the end; exit 1').notify(names, never));
  assert.match(error.message, /y\\nthe end$/);
});

test('hooks leave neither descriptors nor timers nor listeners behind', async () => {
  const stop = new AbortController();
  const left = async (runs: number) => {
    for (let times = 0; times < runs; times++) await hook('exit 0').notify(names, stop.signal);
    // Handles are closed a turn of the event loop after their last event.
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    const descriptors = readdirSync('/proc/self/fd').length;
    return { descriptors, resources: process.getActiveResourcesInfo() };
  };
  const before = await left(1);
  assert.equal(await left(10), before);
  assert.equal(getEventListeners(stop.signal, 'abort'), []);
});

test('output that may contain unavailable values is not shown, but the exit code is', async () => {
  const unknown = { redact: () => undefined };
  const { message } = await problem(hook('echo secret; exit 3', unknown).notify(names, never));
  assert.is(
    message,
    'exit code 3; last output: not shown, because values that were published are no longer available for redaction',
  );
  assert.is((await problem(hook('exit 3', unknown).notify(names, never))).message, 'exit code 3; no output');
});

test('values are read only when a hook that failed has output', async () => {
  let reads = 0;
  const redact = (text: string) => {
    reads++;
    return text;
  };
  await hook('echo text', { redact }).notify(names, never);
  await problem(hook('exit 1', { redact }).notify(names, never));
  assert.is(reads, 0);
  await problem(hook('echo text; exit 1', { redact }).notify(names, never));
  assert.is(reads, 1);
});

test('the id of its process group is reported at its start', async () => {
  const groups: number[] = [];
  const output = join(scratch, 'group');
  await hook(`echo $$ > ${output}`, { onStart: (group) => groups.push(group) }).notify(names, never);
  assert.equal(groups, [Number(readFileSync(output, 'utf8'))]);
});

test.run();
