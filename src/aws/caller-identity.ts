/**
 * Who AWS takes us for: credentials as the config gets them, and STS's answer to whose they are.
 *
 * For `doctor` only. GetCallerIdentity needs no permission and cannot be denied, but it needs a way to STS, which reading
 * secrets with Pod Identity does not; so a failure of it says nothing about the credentials. The SDK's client for it adds
 * 18 KiB to the bundle and follows the same variables as the others.
 */

import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Problem } from '../core/problem.ts';
import type { ChainLink } from './chain-links.ts';
import { type ClientContext, call, clientSettings, credentialProvider } from './client.ts';
import { identityProblem } from './credential-problems.ts';
import { incompleteResponse } from './error-facts.ts';
import { openCredentials, type SourceOptions } from './secret-source.ts';

/** What STS says of the credentials; both failures come with their Problem. */
export type CallerIdentity =
  | {
      readonly kind: 'known';
      readonly arn: string;
      readonly account: string;
      /** Milliseconds since 1970; undefined: they do not expire. */
      readonly expiresAt: number | undefined;
      /** Which link of the default chain served. */
      readonly link: ChainLink | undefined;
    }
  /** Credentials that nobody could name. */
  | { readonly kind: 'unknown'; readonly problem: Problem }
  | { readonly kind: 'none'; readonly problem: Problem };

/** The identity in a region. Rejects only with the reason of the signal. */
export async function fetchCallerIdentity(
  options: SourceOptions,
  region: string,
  signal: AbortSignal,
): Promise<CallerIdentity> {
  const surroundings: ClientContext = { ...options, region };
  const credentials = openCredentials(options)(surroundings);
  try {
    const { expiration, link } = await credentials.get(signal);
    const client = new STSClient({
      ...clientSettings(surroundings, 'STS'),
      credentials: credentialProvider(credentials),
    });
    const answer = await call(
      () => client.send(new GetCallerIdentityCommand({}), { abortSignal: signal }),
      credentials,
      surroundings,
      signal,
    );
    if (answer.kind === 'credentials') return { kind: 'none', problem: answer.problem };
    if (answer.kind === 'failure') {
      const { kind } = answer.failure;
      return {
        kind: kind === 'expired' || kind === 'refused' ? 'none' : 'unknown',
        problem: identityProblem(region, answer.failure),
      };
    }
    const { Arn: arn, Account: account } = answer.output;
    if (typeof arn !== 'string' || typeof account !== 'string')
      return { kind: 'unknown', problem: identityProblem(region, incompleteResponse(undefined)) };
    return { kind: 'known', arn, account, expiresAt: expiration?.getTime(), link };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: 'none', problem: error };
  }
}
