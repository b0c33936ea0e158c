/**
 * Passes session credentials from one worker to the next.
 *
 * A refresh must work while the agent or STS is unavailable and the credentials are valid, so a worker passes them to the next one:
 * in an unnamed file on the volume of the secrets. The process that starts the workers opens it and passes its descriptor, and
 * never reads it, so no credential is in its memory. The kernel frees the file when that process ends.
 */

import * as nodeFs from 'node:fs';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { ChainLink } from '../aws/chain-links.ts';
import type { CachedCredentials } from '../aws/credential-cache.ts';
import { asObject, numberOf, parseJson, textOf } from '../core/unknown.ts';
import { isInMemory } from '../publish/filesystem-check.ts';

/**
 * Opens an unnamed file in the first of the directories that is in memory and supports it (O_TMPFILE); undefined: nothing is
 * passed to the next worker.
 */
export function openCredentialsFile(directories: readonly string[]): number | undefined {
  for (const directory of directories) {
    try {
      if (isInMemory(nodeFs, directory)) return openSync(directory, constants.O_RDWR | O_TMPFILE, 0o600);
    } catch {
      // No such directory, a file system without O_TMPFILE, or a full one.
    }
  }
  return undefined;
}

/** linux/fcntl.h, with O_DIRECTORY; the same on x64 and arm64 in both words. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** The descriptor that a worker inherits. */
const INHERITED = 4;

/** Bytes: the credentials of a dozen identities. */
const LIMIT = 256 * 1024;

/** Credentials by the name of their source. */
export type KeptCredentials = Map<string, CachedCredentials>;

/** The credentials of the previous worker; empty if there are none. */
export function readCredentials(file = INHERITED): KeptCredentials {
  const kept: KeptCredentials = new Map();
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > LIMIT) return kept;
    const bytes = Buffer.alloc(stats.size);
    const read = readSync(file, bytes, 0, bytes.length, 0);
    for (const [name, value] of Object.entries(asObject(parseJson(bytes.toString('utf8', 0, read))))) {
      const credentials = credentialsOf(value);
      if (credentials !== undefined) kept.set(name, credentials);
    }
  } catch {
    // No file was passed.
  }
  return kept;
}

/** Writes credentials for the next worker. Those without an expiry come from this container, and are not written. */
export function writeCredentials(kept: KeptCredentials, file = INHERITED): void {
  const expiring = [...kept].filter(([, { expiresAt }]) => Number.isFinite(expiresAt));
  const bytes = Buffer.from(JSON.stringify(Object.fromEntries(expiring)));
  try {
    if (!fstatSync(file).isFile()) return;
    ftruncateSync(file);
    for (let written = 0; written < bytes.length; )
      written += writeSync(file, bytes, written, bytes.length - written, written);
  } catch {
    // No file was passed, or the volume is full: the next worker fetches credentials.
  }
}

/** Releases the file. */
export function closeCredentialsFile(file: number): void {
  closeSync(file);
}

function credentialsOf(value: unknown): CachedCredentials | undefined {
  const { credentials, renewAt: renewal, expiresAt: expiry } = asObject(value);
  const {
    accessKeyId: id,
    secretAccessKey: key,
    sessionToken: token,
    expiration,
    link,
  } = asObject(credentials);
  const [renewAt, expiresAt, end] = [
    numberOf(renewal),
    numberOf(expiry),
    Date.parse(textOf(expiration) ?? ''),
  ];
  const [accessKeyId, secretAccessKey, sessionToken] = [textOf(id), textOf(key), textOf(token)];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  if (renewAt === undefined || expiresAt === undefined || Number.isNaN(end)) return undefined;
  return {
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      expiration: new Date(end),
      ...linkOf(link),
    },
    renewAt,
    expiresAt,
  };
}

function linkOf(value: unknown): { readonly link?: ChainLink } {
  const { name, nodeRole } = asObject(value);
  return typeof name === 'string' ? { link: { name, nodeRole: nodeRole === true } } : {};
}
