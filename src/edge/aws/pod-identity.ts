/**
 * EKS Pod Identity: credentials from the agent on the node, for the pod's projected token.
 *
 * The SDK's own provider asks; it is fenced in here, for it cannot be stopped, does not hold the agent to any limit of time
 * and would print a warning to the console instead. Its request is caught as Node announces it. Of its errors only the
 * HTTP status and Node's error code are used: one of them quotes the agent's answer.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { fromHttp } from '@aws-sdk/credential-provider-http';
import type { Authentication } from '../../core/aws/authentication.ts';
import { type AgentFailure, agentProblem, noPodIdentityProblem } from '../../core/aws/credentials-error.ts';
import type { Clock } from '../../ports.ts';
import { type AwsCredentials, areUsable } from './credentials.ts';
import { readToken } from './token.ts';
import { after, within } from './waiting.ts';

type PodIdentity = Extract<Authentication, { kind: 'pod-identity' }>;

/** Milliseconds to connect to an agent that is on the same node; only then is the next address tried. */
const CONNECT = 1000;

/** Credentials from the first address that can be reached; `timeout` is the limit for its answer, in milliseconds. */
export async function askPodIdentity(
  { addresses, tokenFile, injected }: PodIdentity,
  timeout: number,
  clock: Clock,
): Promise<AwsCredentials> {
  if (!injected && !existsSync(tokenFile)) throw noPodIdentityProblem();
  const token = await readToken(tokenFile);
  let failure: AgentFailure = { kind: 'unreachable', code: 'no address' };
  for (const address of addresses) {
    const asked = await askAgent(address, token, timeout, clock);
    if ('accessKeyId' in asked) return asked;
    failure = asked;
    if (failure.kind !== 'unreachable') throw agentProblem([address], failure);
  }
  throw agentProblem(addresses, failure);
}

async function askAgent(
  address: string,
  token: string,
  timeout: number,
  clock: Clock,
): Promise<AwsCredentials | AgentFailure> {
  const request = catchRequest(clock);
  try {
    const provider = fromHttp({
      awsContainerCredentialsFullUri: address,
      awsContainerAuthorizationToken: token,
      // Given, so that the provider does not look for them in the environment.
      awsContainerCredentialsRelativeUri: '',
      awsContainerAuthorizationTokenFile: '',
      // Repeating is the affair of whoever waits for the credentials.
      maxRetries: 0,
      // Past our own limit: when this one is over, the provider only prints a warning.
      timeout: timeout * 2,
    });
    const credentials = await within(clock, timeout, request.stop, () => request.during(provider));
    return areUsable(credentials) ? credentials : { kind: 'answer' };
  } catch (error) {
    if (request.stopped()) return { kind: 'timeout', ms: timeout };
    const code = request.code();
    if (code !== undefined) return { kind: 'unreachable', code };
    const [, status] = /^Server responded with status: (\d{3})$/.exec(String((error as Error).message)) ?? [];
    return status === undefined ? { kind: 'answer' } : { kind: 'status', status: Number(status) };
  } finally {
    request.letGo();
  }
}

/** The provider's request, as far as we need a hand on it. */
interface CaughtRequest {
  /** Runs what makes the request. */
  during<T>(make: () => Promise<T>): Promise<T>;
  /** Node's code for the error that ended it, if one did. */
  code(): string | undefined;
  /** Ends it, and says why. */
  stop(): Error;
  stopped(): boolean;
  letGo(): void;
}

/** Knows its own request among all of the process by the asynchronous context that it is made in. */
function catchRequest(clock: Clock): CaughtRequest {
  const own = new AsyncLocalStorage<true>();
  let code: string | undefined;
  let stopped = false;
  let request: ClientRequest | undefined;
  const failed = (error: NodeJS.ErrnoException): void => {
    code ??= error.code;
  };
  const created = (message: unknown): void => {
    const { request: outgoing } = message as { readonly request: ClientRequest };
    if (own.getStore() === undefined) return;
    request = outgoing;
    outgoing.on('error', failed);
    outgoing.on('response', (incoming) => incoming.on('error', failed));
    outgoing.on('socket', (socket) => {
      const cancel = after(clock, CONNECT, () => {
        code ??= 'ETIMEDOUT';
        outgoing.destroy();
      });
      if (socket.connecting) socket.once('connect', cancel).once('close', cancel);
      else cancel();
    });
  };
  subscribe(CREATED, created);
  return {
    during: (make) => own.run(true, make),
    code: () => code,
    stop() {
      stopped = true;
      request?.destroy();
      return new Error('stopped');
    },
    stopped: () => stopped,
    letGo: () => unsubscribe(CREATED, created),
  };
}

/** https://nodejs.org/api/diagnostics_channel.html#http */
const CREATED = 'http.client.request.created';
