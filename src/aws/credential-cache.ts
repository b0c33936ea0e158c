/**
 * Caches credentials and renews them.
 *
 * They are renewed 5 minutes before they expire, by one request for all callers that wait. If a renewal fails, the old credentials
 * are used until they expire. There is no hot loop: short-lived credentials are renewed after half their lifetime, and a failed
 * request is repeated only after a pause, during which all callers get the same Problem.
 */

import type { Clock } from '../core/clock.ts';
import { abortable } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { ChainLink } from './chain-links.ts';
import { nodeRoleProblem, type UnusablePart } from './chain-problems.ts';
import { expiredProblem } from './credential-problems.ts';

/** Credentials in the shape that the SDK signs with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
  /** The link of the default chain that provided them; undefined without a chain. */
  readonly link?: ChainLink;
}

/** Whether they can sign. */
export function areUsable(credentials: AwsCredentials): boolean {
  return unusablePart(credentials) === undefined;
}

/**
 * The first part that prevents signing: a header value that is not visible ASCII, a secret access key that is not text or that has a line
 * break or space at its end, or a date that is none. The SDK replaces bytes that are not UTF-8 with U+FFFD.
 */
export function unusablePart({
  accessKeyId,
  secretAccessKey,
  sessionToken = 'none',
  expiration,
}: AwsCredentials): UnusablePart | undefined {
  const isHeader = (text: string) => /^[\x21-\x7e]+$/.test(text);
  if (!isHeader(accessKeyId)) return 'access key id';
  if (!/^[^\ufffd\p{Surrogate}\p{Control}]+$/u.test(secretAccessKey) || /^\s|\s$/.test(secretAccessKey))
    return 'secret access key';
  if (!isHeader(sessionToken)) return 'session token';
  return Number.isNaN(expiration?.getTime()) ? 'expiration date' : undefined;
}

/** Where credentials come from. */
export interface CredentialSource {
  /** The name in error messages. */
  readonly name: string;
  /** Throws a Problem if there are none. */
  fetch(): Promise<AwsCredentials>;
}

/** Cached credentials, renewed when needed. */
export interface Credentials {
  /** Valid credentials; throws the Problem that explains why there are none, or the signal's reason. */
  get(signal?: AbortSignal): Promise<AwsCredentials>;
  /** AWS rejected these: the next `get` fetches new ones. Has no effect if they were replaced already. */
  invalidate(credentials: AwsCredentials | undefined): void;
  /** When the cached credentials expire: milliseconds since 1970; undefined if there are none, or they do not expire. */
  expiry(): number | undefined;
  /** The link of the default chain that provided the cached credentials. */
  link(): ChainLink | undefined;
}

/** Milliseconds before the expiry at which credentials are renewed. */
const RENEW_BEFORE_EXPIRY = 5 * 60_000;

/** Milliseconds from a failed renewal to the next, while the old credentials are valid. */
const PAUSE_WHILE_VALID = 30_000;

/** The same without valid credentials: the requests of one sync share one failure; the next sync, 100 ms later, fetches again. */
const PAUSE_WITHOUT_VALID = 50;

/** Credentials, with the times that decide when they are used. */
export interface CachedCredentials {
  readonly credentials: AwsCredentials;
  /** Wall clock, milliseconds. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** Keeps credentials for the next process. */
export interface CredentialStore {
  /** Those that an earlier process kept. */
  readonly kept: CachedCredentials | undefined;
  /** undefined: AWS rejected them. */
  readonly keep: (credentials: CachedCredentials | undefined) => void;
}

/** A cache for the credentials of a source; the first `get` fetches them, unless an earlier process kept some. */
export function createCredentialCache(
  source: CredentialSource,
  clock: Clock,
  log: Log,
  store: CredentialStore = { kept: undefined, keep() {} },
): Credentials {
  let cached = store.kept;
  let pending: Promise<void> | undefined;
  let failure: { readonly problem: Problem; readonly at: number } | undefined;
  let loggedLink: string | undefined;
  const never = new AbortController().signal;

  const validCredentials = (): CachedCredentials | undefined =>
    cached !== undefined && clock.now() < cached.expiresAt ? cached : undefined;

  async function renew(): Promise<void> {
    try {
      cached = withExpiry(await source.fetch(), source.name, clock.now());
      store.keep(cached);
      failure = undefined;
      logLink(cached.credentials.link);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failure = { problem: error, at: clock.elapsed() };
      if (validCredentials() !== undefined)
        log.problem('credentials.renewal', error, {
          expires: new Date(cached?.expiresAt ?? 0).toISOString(),
        });
    }
  }

  /** Logs the link of the default chain that provided the credentials, if it has changed. */
  function logLink(link: ChainLink | undefined): void {
    if (link === undefined || link.name === loggedLink) return;
    loggedLink = link.name;
    log.write('credentials.source', `authenticating with ${escapeControl(link.name)}`);
    if (link.nodeRole) log.problem('credentials.nodeRole', nodeRoleProblem());
  }

  logLink(cached?.credentials.link);
  return {
    async get(signal = never) {
      const usable = validCredentials();
      if (usable !== undefined && clock.now() < usable.renewAt) return usable.credentials;
      const pause = usable === undefined ? PAUSE_WITHOUT_VALID : PAUSE_WHILE_VALID;
      if (failure === undefined || clock.elapsed() - failure.at >= pause) {
        pending ??= renew().finally(() => {
          pending = undefined;
        });
        await abortable(pending, signal);
      }
      const renewed = validCredentials();
      if (renewed !== undefined) return renewed.credentials;
      throw failure?.problem ?? expired(source.name, cached, clock.now());
    },
    invalidate(credentials) {
      if (cached === undefined || cached.credentials !== credentials) return;
      cached = undefined;
      store.keep(undefined);
    },
    expiry: () => cached?.credentials.expiration?.getTime(),
    link: () => cached?.credentials.link,
  };
}

/** The credentials with their renewal and expiry times. Credentials without an expiration are never renewed. */
function withExpiry(credentials: AwsCredentials, source: string, now: number): CachedCredentials {
  const expiresAt = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
  const renewAt = Math.max(expiresAt - RENEW_BEFORE_EXPIRY, now + (expiresAt - now) / 2);
  const cached = { credentials, expiresAt, renewAt };
  if (expiresAt <= now) throw expired(source, cached, now);
  return cached;
}

function expired(source: string, cached: CachedCredentials | undefined, now: number): Problem {
  return expiredProblem(source, Math.round((now - (cached?.expiresAt ?? now)) / 1000));
}
