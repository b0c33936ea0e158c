/**
 * Credentials, asked for once and kept.
 *
 * They are renewed 5 minutes before they expire, by one request however many wait for it. When a renewal fails, the old
 * ones serve while they live. Nothing can turn this into a hot loop: short-lived credentials are renewed at half their
 * life, and a failed request is repeated only after a pause, with the same Problem for all who ask meanwhile.
 */

import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { nodeRoleProblem } from './chain-error.ts';
import type { ChainLink } from './chain-links.ts';
import { expiredProblem } from './credential-problems.ts';
import { abortable } from './limits.ts';

/** As the SDK signs with them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
  /** Which link of the default chain served; undefined without a chain. */
  readonly link?: ChainLink;
}

/** Whether they can sign: what goes into headers is visible ASCII, and an expiry is a date. */
export function areUsable({
  accessKeyId,
  secretAccessKey,
  sessionToken = 'none',
  expiration,
}: AwsCredentials): boolean {
  const fits = [accessKeyId, sessionToken].every((text) => /^[\x21-\x7e]+$/.test(text));
  return fits && secretAccessKey !== '' && !Number.isNaN(expiration?.getTime());
}

/** Where credentials come from: `ask` throws a Problem when there are none. */
export interface CredentialSource {
  /** As errors name it. */
  readonly name: string;
  ask(): Promise<AwsCredentials>;
}

/** Credentials for as long as they are asked for, renewed as needed. */
export interface Credentials {
  /** Valid credentials; throws the Problem that explains why there are none, or the reason of the signal. */
  get(signal?: AbortSignal): Promise<AwsCredentials>;
  /** AWS did not take these: the next `get` asks for others. Has no effect once they were replaced. */
  refuse(credentials: AwsCredentials | undefined): void;
  /** When those that are held expire: milliseconds since 1970; undefined when there are none, or they never do. */
  expiry(): number | undefined;
  /** Which link of the default chain served those that are held. */
  link(): ChainLink | undefined;
}

/** Milliseconds before the expiry at which a renewal is due. */
const EARLY = 5 * 60_000;

/** Milliseconds after a failed renewal until the next, while the old credentials live. */
const PAUSE_ALIVE = 30_000;

/** The same when there are none: the requests of one sync share one failure; the next sync, 100 ms later, asks again. */
const PAUSE_DEAD = 50;

interface Held {
  readonly credentials: AwsCredentials;
  /** Wall clock, milliseconds. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** The credentials of a source, none asked for yet. */
export function createCredentialCache(source: CredentialSource, clock: Clock, log: Log): Credentials {
  let held: Held | undefined;
  let pending: Promise<void> | undefined;
  let failure: { readonly problem: Problem; readonly at: number } | undefined;
  let announced: string | undefined;
  const never = new AbortController().signal;

  const alive = (): Held | undefined =>
    held !== undefined && clock.now() < held.expiresAt ? held : undefined;

  async function renew(): Promise<void> {
    try {
      held = withExpiry(await source.ask(), source.name, clock.now());
      failure = undefined;
      announce(held.credentials.link);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failure = { problem: error, at: clock.elapsed() };
      if (alive() !== undefined)
        log.problem('credentials.renewal', error, {
          expires: new Date(held?.expiresAt ?? 0).toISOString(),
        });
    }
  }

  /** Says which link of the default chain serves, when it is another one than before. */
  function announce(link: ChainLink | undefined): void {
    if (link === undefined || link.name === announced) return;
    announced = link.name;
    log.write('credentials.source', `authenticating with ${escapeControl(link.name)}`);
    if (link.nodeRole) log.problem('credentials.nodeRole', nodeRoleProblem());
  }

  return {
    async get(signal = never) {
      const usable = alive();
      if (usable !== undefined && clock.now() < usable.renewAt) return usable.credentials;
      const pause = usable === undefined ? PAUSE_DEAD : PAUSE_ALIVE;
      if (failure === undefined || clock.elapsed() - failure.at >= pause) {
        pending ??= renew().finally(() => {
          pending = undefined;
        });
        await abortable(pending, signal);
      }
      const now = alive();
      if (now !== undefined) return now.credentials;
      throw failure?.problem ?? expired(source.name, held, clock.now());
    },
    refuse(credentials) {
      if (held !== undefined && held.credentials === credentials) held = undefined;
    },
    expiry: () => held?.credentials.expiration?.getTime(),
    link: () => held?.credentials.link,
  };
}

/** When they are to be renewed, and when they end. Credentials without an expiry are kept for good. */
function withExpiry(credentials: AwsCredentials, source: string, now: number): Held {
  const expiresAt = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
  const held = { credentials, expiresAt, renewAt: Math.max(expiresAt - EARLY, now + (expiresAt - now) / 2) };
  if (expiresAt <= now) throw expired(source, held, now);
  return held;
}

function expired(source: string, held: Held | undefined, now: number): Problem {
  return expiredProblem(source, Math.round((now - (held?.expiresAt ?? now)) / 1000));
}
