/** One writer for a directory, in one process and among many. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import { takeLock } from '../../src/publish/lock.ts';
import { startChild } from '../support/child.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';
import { until, WAIT_LIMIT } from '../support/wait.ts';

const test = suite('the lock of a directory');

/** The lock options of a writer, with a fake clock. */
function options() {
  const stop = new AbortController();
  return {
    lockTimeout: 1000,
    clock: fakeClock(),
    stop: stop.signal,
    abort: (reason: unknown) => stop.abort(reason),
  };
}

test('a second writer waits, and fails with an error that names the first', async () => {
  const dir = scratch();
  const first = await takeLock(dir, options());
  const second = options();
  const outcome = rejects(takeLock(dir, second));
  await second.clock.advance(1000);
  const problem = (await outcome) as Problem;
  assert.is(problem.code, 'publish.locked');
  assert.is(problem.subject, dir);
  assert.ok(problem.message.includes(`podsecrets on ${hostname()} (waited 1s)`), problem.message);
  first.release();
});

test('a second writer that waits gets the lock when the first releases it', async () => {
  const dir = scratch();
  const first = await takeLock(dir, options());
  const second = options();
  const waiting = takeLock(dir, second);
  await second.clock.advance(500);
  first.release();
  await second.clock.advance(100);
  const lock = await waiting;
  const third = { ...options(), lockTimeout: 0 };
  assert.is(((await rejects(takeLock(dir, third))) as Problem).code, 'publish.locked');
  lock.release();
});

test('an abort ends the wait', async () => {
  const dir = scratch();
  const first = await takeLock(dir, options());
  const second = options();
  const waiting = rejects(takeLock(dir, second));
  await second.clock.settle();
  second.abort('SIGTERM');
  assert.is(await waiting, 'SIGTERM');
  first.release();
});

test('taking the lock again writes nothing; only two hidden files without values remain', async () => {
  const dir = scratch();
  const times = () =>
    ['.', '..lock', '..holder']
      .map((name) => statSync(join(dir, name), { bigint: true }))
      .map((stat) => stat.mtimeNs);
  (await takeLock(dir, options())).release();
  const before = times();
  (await takeLock(dir, options())).release();
  assert.equal(times(), before);
  assert.equal(readdirSync(dir).sort(), ['..holder', '..lock']);
  assert.is(statSync(join(dir, '..lock')).size, 0);
});

test('a lock file of another kind is an error with a remedy, and is not waited for', async () => {
  const dir = scratch();
  writeFileSync(join(dir, '..lock'), 'something that is no database'.repeat(100));
  const problem = (await rejects(takeLock(dir, options()))) as Problem;
  assert.is(problem.code, 'publish.directory');
  assert.is(problem.subject, join(dir, '..lock'));
});

test('a lock that podsecrets did not create is named, and nothing is opened', async () => {
  const elsewhere = join(scratch(), 'elsewhere');
  for (const [make, found] of [
    [(path: string) => mkdirSync(path), 'a directory'],
    [(path: string) => execFileSync('mkfifo', [path]), 'a named pipe'],
    [(path: string) => symlinkSync(elsewhere, path), 'a symbolic link'],
    [(path: string) => writeFileSync(path, 'x'), 'a file of 1 bytes'],
  ] as const) {
    const dir = scratch();
    make(join(dir, '..lock'));
    const problem = (await rejects(takeLock(dir, options()))) as Problem;
    assert.is(problem.code, 'publish.directory');
    assert.is(problem.message, `podsecrets did not create it: expected an empty file, got ${found}`);
  }
  assert.is(existsSync(elsewhere), false);
});

test('a lock that cannot be created has the error of the system', async () => {
  const dir = scratch();
  const module = new URL('../../src/publish/lock.ts', import.meta.url).href;
  const script = `
    import { closeSync, openSync } from 'node:fs';
    import 'node:sqlite';
    const { takeLock } = await import(${JSON.stringify(module)});
    const open = [];
    try { for (;;) open.push(openSync('/dev/null')); } catch {}
    const end = await takeLock(${JSON.stringify(dir)}, { lockTimeout: 0, clock: { elapsed: () => 0 } }).catch((error) => error);
    for (const file of open) closeSync(file);
    console.log(end.code, end.syscall);`;
  const { stdout, stderr } = spawnSync(
    'prlimit',
    ['--nofile=64', process.execPath, '--no-warnings', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  assert.is(stdout, 'EMFILE open\n', stderr);
});

test('..holder is neither written nor read through a link', async () => {
  const dir = scratch();
  const value = join(scratch(), 'password');
  writeFileSync(value, 'hunter22');
  symlinkSync(value, join(dir, '..holder'));
  const first = await takeLock(dir, options());
  assert.is(readFileSync(value, 'utf8'), 'hunter22');
  const second = options();
  const outcome = rejects(takeLock(dir, second));
  await second.clock.advance(1000);
  assert.match(((await outcome) as Problem).message, /locked by another process \(waited/);
  first.release();
});

test('a pipe named ..holder does not block', async () => {
  const dir = scratch();
  execFileSync('mkfifo', [join(dir, '..holder')]);
  const first = await takeLock(dir, options());
  const second = options();
  const outcome = rejects(takeLock(dir, second));
  await second.clock.advance(1000);
  assert.match(((await outcome) as Problem).message, /locked by another process \(waited/);
  first.release();
  // While the pipe exists no holder is recorded; after its removal the next holder writes the file again.
  unlinkSync(join(dir, '..holder'));
  (await takeLock(dir, options())).release();
  assert.is(readFileSync(join(dir, '..holder'), 'utf8'), `podsecrets on ${hostname()}`);
});

test('kill -9 of the holder releases the lock at once', async () => {
  const dir = scratch();
  const holder = startChild('publisher.ts', JSON.stringify({ dir, from: 1 }));
  await holder.prints('open');
  const withoutWait = { ...options(), lockTimeout: 0 };
  assert.is(((await rejects(takeLock(dir, withoutWait))) as Problem).code, 'publish.locked');
  holder.kill('SIGKILL');
  await holder.ended();
  (await takeLock(dir, withoutWait)).release();
});

test('the second of two processes names the first one, and publishes when that has ended', async () => {
  const dir = scratch();
  const first = startChild('publisher.ts', JSON.stringify({ dir, from: 1 }));
  await first.prints('open');
  const [rejected = ''] = await startChild('publisher.ts', JSON.stringify({ dir, from: 1, to: 1 })).ended();
  assert.match(rejected, /"code":"publish\.locked".*podsecrets on /);
  const waiting = startChild(
    'publisher.ts',
    JSON.stringify({ dir, from: 5, to: 5, lockTimeout: WAIT_LIMIT }),
  );
  first.kill('SIGKILL');
  await waiting.prints('done');
  assert.match(readFileSync(join(dir, 'db-password'), 'utf8'), /^generation 5 of /);
});

test('six processes, some of them killed, never hold the lock at the same time, and each gets it', async () => {
  const dir = scratch();
  const journal = join(scratch(), 'journal');
  writeFileSync(journal, '');
  const turns = 25;
  const start = () => startChild('lock-stress.ts', JSON.stringify({ dir, journal, turns }));
  const entered = (count: number) =>
    until(`${count} turns`, () => readFileSync(journal, 'utf8').split('enter').length > count);

  const staying = [start(), start(), start()];
  const doomed = [start(), start(), start()];
  for (const [index, victim] of doomed.entries()) {
    await entered(15 * (index + 1));
    victim.kill('SIGKILL');
  }
  await Promise.all([...staying, ...doomed].map((process) => process.ended()));

  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
  let inside = '';
  for (const line of lines) {
    const [event, pid = ''] = line.split(' ');
    // A process that was killed while it held the lock never leaves; one that leaves must be the last that entered.
    if (event === 'enter') inside = pid;
    else assert.is(pid, inside, `${pid} left while ${inside} was inside`);
  }
  assert.ok(lines.filter((line) => line.startsWith('leave')).length >= staying.length * turns);
});

test.run();
