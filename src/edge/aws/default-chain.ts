/**
 * The SDK's default chain: static keys, profiles, SSO, an ECS task role. For work outside EKS.
 *
 * The one place where the SDK reads the environment and `~/.aws` by itself: that is what the chain is. Loaded only when it
 * is asked for. Its errors are not shown: a credential process or a profile may put anything into them.
 */

import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { chainProblem } from '../../core/credentials-error.ts';
import { clientSettings, type Surroundings } from './client.ts';
import type { AwsCredentials } from './credentials.ts';
import { within } from './waiting.ts';

/** Milliseconds for the whole chain: a profile's process or a role behind a role takes a few requests. */
const LIMIT = 30_000;

/** Credentials of the chain, built anew each time, so that renewed keys and profiles are seen. */
export async function askDefaultChain(surroundings: Surroundings): Promise<AwsCredentials> {
  try {
    return await within(surroundings.clock, LIMIT, chainProblem, () =>
      defaultProvider({ clientConfig: clientSettings(surroundings, 'STS'), logger: silent })(),
    );
  } catch {
    throw chainProblem();
  }
}

/** Without one, the chain writes its warnings to the console, between our lines. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
