/**
 * IRSA: credentials of an IAM role from STS, for the service account's projected token.
 *
 * Each region asks its own STS, so that a failover region does not depend on the region it stands in for. The requests go
 * through the same transport, settings and count as all others.
 */

import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';
import type { Problem } from '../core/problem.ts';
import type { WebIdentity } from './chain-links.ts';
import { bugOf, type ClientContext, clientSettings, countAttempts } from './client.ts';
import { type AwsCredentials, areUsable } from './credential-cache.ts';
import { stsProblem } from './credential-problems.ts';
import { globalStsEndpoint } from './environment.ts';
import { type AwsErrorFacts, errorFacts, incompleteAnswer } from './error-facts.ts';
import { readToken } from './service-account-token.ts';

/** Credentials from the STS of the surroundings' region. */
export async function fetchFromWebIdentity(
  { roleArn, sessionName, tokenFile }: WebIdentity,
  surroundings: ClientContext,
): Promise<AwsCredentials> {
  const { region, environment, clock } = surroundings;
  const elsewhere = globalStsEndpoint(environment, region);
  const problem = (failure: AwsErrorFacts): Problem => stsProblem(roleArn, region, failure);
  const webIdentityToken = await readToken(tokenFile);
  const assume = fromWebToken({
    roleArn,
    roleSessionName: sessionName,
    webIdentityToken,
    clientConfig: {
      ...clientSettings(surroundings, 'STS'),
      // Not the SDK's `useGlobalEndpoint`, with which it asks for credentials to get credentials.
      ...(elsewhere === undefined ? {} : { endpoint: elsewhere }),
    },
    clientPlugins: [countAttempts('sts', surroundings)],
  });
  const credentials = await assume().catch((error: unknown) => {
    const incomplete = error instanceof Error && error.message.startsWith('Invalid response from STS');
    const failure = incomplete ? incompleteAnswer(undefined) : errorFacts(error, clock.now());
    throw failure === undefined ? bugOf(error) : problem(failure);
  });
  if (!credentials.sessionToken || credentials.expiration === undefined || !areUsable(credentials))
    throw problem(incompleteAnswer(undefined));
  return credentials;
}
