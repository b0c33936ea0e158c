/**
 * IRSA: exchanges the service account token for credentials of an IAM role, at STS.
 *
 * Each region uses its own STS, so that a failover region does not depend on the primary. The requests use the same transport,
 * settings and metrics as all others.
 */

import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';
import type { Problem } from '../core/problem.ts';
import type { WebIdentity } from './chain-links.ts';
import { type ClientContext, clientSettings, countAttempts, internalError } from './client.ts';
import { type AwsCredentials, areUsable } from './credential-cache.ts';
import { stsProblem } from './credential-problems.ts';
import { globalStsEndpoint } from './environment.ts';
import { type AwsErrorFacts, errorFacts, incompleteResponse } from './error-facts.ts';
import { readToken } from './service-account-token.ts';

/** Credentials from STS in the context's region. */
export async function fetchFromWebIdentity(
  { roleArn, sessionName, tokenFile }: WebIdentity,
  context: ClientContext,
): Promise<AwsCredentials> {
  const { region, environment, clock } = context;
  const globalEndpoint = globalStsEndpoint(environment, region);
  const problem = (failure: AwsErrorFacts): Problem => stsProblem(roleArn, region, failure);
  const webIdentityToken = await readToken(tokenFile);
  const assume = fromWebToken({
    roleArn,
    roleSessionName: sessionName,
    webIdentityToken,
    clientConfig: {
      ...clientSettings(context, 'STS'),
      // Not the SDK's `useGlobalEndpoint`, which requires credentials in order to get credentials.
      ...(globalEndpoint === undefined ? {} : { endpoint: globalEndpoint }),
    },
    clientPlugins: [countAttempts('sts', context)],
  });
  const credentials = await assume().catch((error: unknown) => {
    const incomplete = error instanceof Error && error.message.startsWith('Invalid response from STS');
    const failure = incomplete ? incompleteResponse(undefined) : errorFacts(error, clock.now());
    throw failure === undefined ? internalError(error) : problem(failure);
  });
  if (!credentials.sessionToken || credentials.expiration === undefined || !areUsable(credentials))
    throw problem(incompleteResponse(undefined));
  return credentials;
}
