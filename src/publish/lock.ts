/**
 * The two locks of a directory.
 *
 * `..lock` is held by the holder of the directory, until it ends: a second one is rejected. `..write-lock` is
 * held by the process that changes it, during the change, because a publish runs in a separate short process, and a
 * child process does not inherit a lock.
 *
 * The kernel must release the lock when its holder is killed, and it must hold between containers, which share neither
 * process ids nor, with docker-compose, a network: a lock on a file. Node has no call for that, but its SQLite locks its
 * files with fcntl(2), so the lock is a write transaction that is never committed, on an empty database. A lock cannot be
 * stale, and two processes cannot race to take one over. It costs 0.5 ms and 20 KiB of private memory (a listening socket
 * would cost half of that, and need a protocol for the takeover).
 *
 * fcntl locks belong to a process and end when it closes the file, by any descriptor: no other code may open the two.
 */

import * as nodeFs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { durationText } from '../cli/values.ts';
import type { Clock } from '../core/clock.ts';
import { Problem } from '../core/problem.ts';
import { otherKind } from '../core/regular-file.ts';
import { escapeControl } from '../core/text.ts';
import { readBounded } from './bounded-read.ts';
import { LOCK } from './layout.ts';

/** The second lock file. Both are always empty. */
const WRITE_LOCK = '..write-lock';
/** Names the holder of the lock for a process that waits. Valid only while the lock is held. */
const HOLDER = '..holder';

/** Milliseconds between two attempts. */
const PAUSE = 100;

/** How long to wait for the lock. */
export interface LockOptions {
  /** How long to wait for another process, in milliseconds. */
  readonly lockTimeout: number;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** A lock that is held. */
export interface Lock {
  release(): void;
}

/** The lock of the holder, until it is released or the process ends, by kill -9 too. */
export async function takeLock(dir: string, options: LockOptions): Promise<Lock> {
  const lock = await waitForLock(dir, LOCK, options);
  // The name of the container, not of the command: it is the same for the init and the sidecar of a pod, so the sidecar need not
  // write it again.
  writeHolder(dir, `podsecrets on ${hostname()}`);
  return lock;
}

/** The lock of a change. The holder of the directory takes it too when it changes the directory. */
export async function takeWriteLock(dir: string, options: LockOptions): Promise<Lock> {
  return await waitForLock(dir, WRITE_LOCK, options);
}

async function waitForLock(
  dir: string,
  file: string,
  { lockTimeout, clock, stop }: LockOptions,
): Promise<Lock> {
  const deadline = clock.elapsed() + lockTimeout;
  for (;;) {
    const lock = await tryLock(join(dir, file));
    if (lock !== undefined) return lock;
    const left = deadline - clock.elapsed();
    if (left <= 0) throw locked(dir, file === LOCK ? readHolder(dir) : 'another writer', lockTimeout);
    await clock.sleep(Math.min(PAUSE, left), stop);
  }
}

async function tryLock(path: string): Promise<Lock | undefined> {
  rejectOtherKinds(path);
  // Loaded here because only publishing needs it.
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // The journal stays in memory: the lock is the one file, it stays empty, and taking it again changes no mtime. The cache has
    // one page instead of 20, because the lock is held for as long as the process runs.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA cache_size = 1; BEGIN IMMEDIATE');
    // SQLite opens a file of another user for reading, without an error and without a lock: only a write fails.
    database.exec('PRAGMA user_version = 1');
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    if (database?.isOpen) database.close();
    if (isBusy(error)) return undefined;
    throw (
      systemError(path, error) ??
      new Problem({
        code: 'publish.directory',
        subject: path,
        message: `cannot lock it: ${escapeControl(error instanceof Error ? error.message : String(error))}`,
        remedy: 'Run init and sidecar as the same user, and let it write to the volume.',
        cause: error,
      })
    );
  }
}

/** Throws a Problem if the name is taken by something else: SQLite would follow a link, and report neither a pipe nor a directory. */
function rejectOtherKinds(path: string): void {
  const stat = nodeFs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isFile() && stat.size === 0)) return;
  const found = stat.isFile() ? `a file of ${stat.size} bytes` : otherKind(stat);
  throw new Problem({
    code: 'publish.directory',
    subject: path,
    message: `podsecrets did not create it: expected an empty file, got ${found}`,
    remedy: 'Remove it, and use a directory that no other program writes to.',
  });
}

/**
 * The error of the system behind an error of SQLite, which reports neither a full volume nor the limit of open files by name:
 * opening the file again fails in the same way. Undefined if it does not.
 */
function systemError(path: string, error: unknown): unknown {
  // Not for other errors: closing a file that this process has locked would release the lock.
  if (!CANNOT_OPEN.has(codeOf(error))) return undefined;
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = nodeFs.constants;
  try {
    nodeFs.closeSync(nodeFs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK));
    return undefined;
  } catch (cause) {
    return cause;
  }
}

/** SQLITE_READONLY, SQLITE_CANTOPEN. */
const CANNOT_OPEN: ReadonlySet<number> = new Set([8, 14]);

/** SQLITE_BUSY: another connection holds the lock. */
function isBusy(error: unknown): boolean {
  return codeOf(error) === 5;
}

/** The primary code of an error of SQLite; 0 for any other error. */
function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}

/** Written in place, and only if the text differs: a restart without a change updates no mtime. */
function writeHolder(dir: string, text: string): void {
  try {
    if (readHolder(dir) === text) return;
    // Not through a link and not waiting for a pipe: another writer to the volume could have put one under this name, to
    // make podsecrets overwrite one of its files.
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = nodeFs.constants;
    const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
    const file = nodeFs.openSync(join(dir, HOLDER), flags);
    try {
      nodeFs.writeFileSync(file, text);
    } finally {
      nodeFs.closeSync(file);
    }
  } catch {
    // Only for error messages. A full volume must not stop a process that has nothing to write.
  }
}

/** Bytes: the longest host name, and the words around it. */
const HOLDER_LIMIT = 512;

function readHolder(dir: string): string {
  try {
    return escapeControl(readBounded(nodeFs, join(dir, HOLDER), HOLDER_LIMIT) ?? '') || 'another process';
  } catch {
    return 'another process';
  }
}

function locked(dir: string, holder: string, lockTimeout: number): Problem {
  return new Problem({
    code: 'publish.locked',
    subject: dir,
    message: `the directory is locked by ${holder} (waited ${durationText(lockTimeout)})`,
    remedy: 'Let one container publish to a directory, or give each a directory of its own.',
    retry: true,
  });
}
