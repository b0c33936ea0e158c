/**
 * EKS Pod Identity: credentials from the agent on the node, for the pod's projected token.
 */

import { existsSync } from 'node:fs';
import { type AgentFailure, agentProblem } from './agent-error.ts';
import type { AuthMethod } from './auth-method.ts';
import type { FetchContainerCredentials } from './container-credentials.ts';
import type { AwsCredentials } from './credential-cache.ts';
import { noPodIdentityProblem } from './credential-problems.ts';
import { readToken } from './service-account-token.ts';

type PodIdentity = Extract<AuthMethod, { kind: 'pod-identity' }>;

/** Credentials from the first address that can be reached. */
export async function fetchFromPodIdentity(
  { addresses, tokenFile, injected }: PodIdentity,
  fetchFrom: FetchContainerCredentials,
): Promise<AwsCredentials> {
  if (!injected && !existsSync(tokenFile)) throw noPodIdentityProblem();
  const token = await readToken(tokenFile);
  let failure: AgentFailure = { kind: 'unreachable', code: 'no address' };
  for (const address of addresses) {
    const answer = await fetchFrom(address, token);
    if ('accessKeyId' in answer) return answer;
    failure = answer;
    if (failure.kind !== 'unreachable') throw agentProblem([address], failure);
  }
  throw agentProblem(addresses, failure);
}
