/**
 * One writer for a directory.
 *
 * The lock must be one that the kernel takes back when its holder is killed, and that holds between containers, which share
 * neither process ids nor, with docker-compose, a network: a lock on a file. Node has no call for that, but its SQLite locks
 * its files with fcntl(2), so the lock is a write transaction, never to be committed, on an empty database. There is nothing
 * stale to detect and no takeover to race for. It costs 0.5 ms and 20 KiB of private memory (a socket to listen on would
 * cost half of that, and a protocol for the takeover).
 *
 * fcntl locks belong to a process and go when it closes the file, by whatever descriptor: nothing else may open `..lock`.
 */

import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { durationText } from '../cli/values.ts';
import type { Clock } from '../core/clock.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';

/** The file that is locked; always empty. */
const LOCK = '..lock';
/** Says who holds the lock, for whoever waits. What it says counts only while the lock is held. */
const HOLDER = '..holder';

/** Milliseconds between two tries. */
const PAUSE = 100;

/** Who wants the lock, and how much patience he has. */
export interface LockOptions {
  /** `init` or `sidecar`: what the others are told. */
  readonly holder: string;
  /** How long to wait for another holder to end, in milliseconds. */
  readonly lockTimeout: number;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** A lock that is held. */
export interface Lock {
  release(): void;
}

/** The lock on the directory, held until it is released or the process ends, whatever ends it. */
export async function takeLock(
  dir: string,
  { holder, lockTimeout, clock, stop }: LockOptions,
): Promise<Lock> {
  const deadline = clock.elapsed() + lockTimeout;
  for (;;) {
    const lock = await tryLock(dir);
    if (lock !== undefined) {
      writeHolder(dir, `podsecrets ${holder} on ${hostname()}`);
      return lock;
    }
    const left = deadline - clock.elapsed();
    if (left <= 0) throw locked(dir, lockTimeout);
    await clock.sleep(Math.min(PAUSE, left), stop);
  }
}

async function tryLock(dir: string): Promise<Lock | undefined> {
  // Loaded here because only publishing needs it.
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(join(dir, LOCK), { timeout: 0 });
    // The journal stays in memory: the lock is the one file, it stays empty, and taking it again changes no mtime.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
    // A file of another user is opened for reading, without a word and without a lock: only a write finds out.
    database.exec('PRAGMA user_version = 1');
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    if (database?.isOpen) database.close();
    if (isBusy(error)) return undefined;
    throw new Problem({
      code: 'publish.directory',
      subject: join(dir, LOCK),
      message: `expected to lock it, got ${escapeControl(error instanceof Error ? error.message : String(error))}`,
      remedy: 'Run init and sidecar as the same user, and let it write to the volume.',
      cause: error,
    });
  }
}

/** SQLITE_BUSY, the lower byte of the code, is the answer when another connection holds the lock. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
}

/** Written in place, and only if it says something new: a restart that changes nothing moves no mtime. */
function writeHolder(dir: string, text: string): void {
  try {
    if (readHolder(dir) === text) return;
    withNote(dir, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, (note) =>
      writeFileSync(note, text),
    );
  } catch {
    // A courtesy to others. A full volume must not keep a writer from starting that has nothing to write.
  }
}

function readHolder(dir: string): string {
  try {
    const text = withNote(dir, constants.O_RDONLY, (note) => readFileSync(note, 'utf8'));
    return escapeControl(text) || 'another process';
  } catch {
    return 'another process';
  }
}

/**
 * Neither through a link nor waiting for a pipe: whoever else may write to the volume could put one into the note's place,
 * to have us overwrite a file of ours, or print the beginning of one.
 */
function withNote<Result>(dir: string, flags: number, work: (note: number) => Result): Result {
  const note = openSync(join(dir, HOLDER), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return work(note);
  } finally {
    closeSync(note);
  }
}

function locked(dir: string, lockTimeout: number): Problem {
  return new Problem({
    code: 'publish.locked',
    subject: dir,
    message: `expected to be the only one who publishes here, got ${readHolder(dir)}, which did not end within ${durationText(lockTimeout)}`,
    remedy: 'Let one container publish to a directory, or give each a directory of its own.',
    retry: true,
  });
}
