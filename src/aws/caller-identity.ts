/**
 * The AWS identity of the credentials, from STS GetCallerIdentity.
 *
 * For `doctor` only. The call needs no permission and cannot be denied, but it needs network access to STS, which fetching secrets
 * with Pod Identity does not. So its failure does not mean that the credentials are invalid. The SDK's client for it adds 18 KiB to
 * the bundle and uses the same settings as the others.
 */

import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Problem } from '../core/problem.ts';
import type { ChainLink } from './chain-links.ts';
import { type ClientContext, call, clientSettings, credentialProvider } from './client.ts';
import { identityProblem } from './credential-problems.ts';
import { incompleteResponse } from './error-facts.ts';
import { openCredentials, type SourceOptions } from './secret-source.ts';

/** The identity, or the Problem. */
export type CallerIdentity =
  | {
      readonly kind: 'known';
      readonly arn: string;
      /** Milliseconds since 1970; undefined: they do not expire. */
      readonly expiresAt: number | undefined;
      /** The link of the default chain that provided the credentials. */
      readonly link: ChainLink | undefined;
    }
  /** There are credentials, but STS did not return their identity. */
  | { readonly kind: 'unknown'; readonly problem: Problem }
  | { readonly kind: 'none'; readonly problem: Problem };

/** The identity, from STS in a region. Rejects only with the signal's reason. */
export async function fetchCallerIdentity(
  options: SourceOptions,
  region: string,
  signal: AbortSignal,
): Promise<CallerIdentity> {
  const context: ClientContext = { ...options, region };
  const credentials = openCredentials(options)(context);
  try {
    const { expiration, link } = await credentials.get(signal);
    const client = new STSClient({
      ...clientSettings(context, 'STS'),
      credentials: credentialProvider(credentials),
    });
    const result = await call(
      () => client.send(new GetCallerIdentityCommand({}), { abortSignal: signal }),
      credentials,
      context,
      signal,
    );
    if (result.kind === 'credentials') return { kind: 'none', problem: result.problem };
    if (result.kind === 'failure') {
      const { kind } = result.failure;
      return {
        kind: kind === 'expired' || kind === 'rejected' ? 'none' : 'unknown',
        problem: identityProblem(region, result.failure),
      };
    }
    const { Arn: arn } = result.output;
    if (typeof arn !== 'string')
      return { kind: 'unknown', problem: identityProblem(region, incompleteResponse(undefined)) };
    return { kind: 'known', arn, expiresAt: expiration?.getTime(), link };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: 'none', problem: error };
  }
}
