/**
 * The SDK's default chain: static keys, profiles, SSO, an ECS task role. For work outside EKS.
 *
 * The one place where the SDK reads the environment and `~/.aws` by itself: that is what the chain is. Loaded only when it
 * is asked for. Its errors are not shown: a credential process or a profile may put anything into them.
 */

import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { chainProblem } from '../../core/aws/credentials-error.ts';
import { clientSettings, type Surroundings } from './client.ts';
import { type AwsCredentials, areUsable } from './credentials.ts';
import { within } from './waiting.ts';

/** Milliseconds for the whole chain: a profile's process or a role behind a role takes a few requests. */
const LIMIT = 30_000;

/** Credentials of the chain, built anew each time, so that renewed keys and profiles are seen. */
export async function askDefaultChain(surroundings: Surroundings): Promise<AwsCredentials> {
  const chain = defaultProvider({ clientConfig: clientSettings(surroundings, 'STS'), logger: silent });
  try {
    const credentials = await within(surroundings.clock, LIMIT, chainProblem, () => chain());
    if (areUsable(credentials)) return credentials;
  } catch {
    // What failed may have quoted a profile: the Problem names what can be done instead.
  }
  throw chainProblem();
}

/** Without one, the chain writes its warnings to the console, between our lines. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
