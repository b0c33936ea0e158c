/**
 * Credentials over HTTP, from the EKS Pod Identity agent or the ECS agent.
 *
 * The SDK's own provider sends the request. It has no timeout once a response has started and no size limit, it cannot be aborted,
 * and it discards the body of an error response unless that is JSON, while the EKS agent sends plain text. So the request is
 * observed through Node's diagnostics channel, which reports every request that the process creates. The provider's errors are not
 * used: one of them quotes the response.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { fromHttp } from '@aws-sdk/credential-provider-http';
import type { Clock } from '../core/clock.ts';
import { abortable, setCancellableTimeout } from '../core/limits.ts';
import { trustByDefault } from '../http/authorities.ts';
import { type AgentFailure, agentProblem } from './agent-problems.ts';
import type { AuthMethod } from './auth-method.ts';
import { internalError } from './client.ts';
import { type AwsCredentials, areUsable } from './credential-cache.ts';
import { noPodIdentityProblem } from './credential-problems.ts';
import { readToken } from './service-account-token.ts';

/** Fetches credentials from one URL; `authorization` is the value of the Authorization header. */
export type FetchContainerCredentials = (
  address: string,
  authorization: string | undefined,
) => Promise<AwsCredentials | AgentFailure>;

/** Milliseconds to connect to a process on the same machine; after that the next address is tried. */
const CONNECT_TIMEOUT = 1000;

/** Bytes of a response. Credentials are 2 KiB. */
const MAX_RESPONSE = 64 * 1024;

/** Bytes of an error response that are kept, to read its code. */
const MAX_ERROR_BODY = 4 * 1024;

/** Credentials from the first address that can be reached. */
export async function fetchFromPodIdentity(
  { addresses, tokenFile, injected }: Extract<AuthMethod, { kind: 'pod-identity' }>,
  fetchFrom: FetchContainerCredentials,
): Promise<AwsCredentials> {
  if (!injected && !existsSync(tokenFile)) throw noPodIdentityProblem();
  const token = await readToken(tokenFile);
  let failure: AgentFailure = { kind: 'unreachable', code: 'no address' };
  for (const address of addresses) {
    const result = await fetchFrom(address, token);
    if ('accessKeyId' in result) return result;
    failure = result;
    if (failure.kind !== 'unreachable') throw agentProblem([address], failure);
  }
  throw agentProblem(addresses, failure);
}

/** `timeout`: milliseconds for one whole response. */
export function createContainerClient(timeout: number, clock: Clock): FetchContainerCredentials {
  return async (address, authorization) => {
    if (new URL(address).protocol === 'https:') trustByDefault();
    const provider = fromHttp({
      awsContainerCredentialsFullUri: address,
      awsContainerAuthorizationToken: authorization ?? '',
      // Set, so that the provider does not read them from the environment.
      awsContainerCredentialsRelativeUri: '',
      awsContainerAuthorizationTokenFile: '',
      // The caller retries.
      maxRetries: 0,
      // No timeout of its own: the provider would only print a warning then, and do so after a suspension of the machine too.
      timeout: 0,
    });
    const request = observeRequest(clock);
    const cancel = setCancellableTimeout(clock, timeout, () => request.end({ kind: 'timeout', ms: timeout }));
    try {
      const credentials = await abortable(request.run(provider), request.ended);
      return areUsable(credentials) ? credentials : { kind: 'response' };
    } catch (error) {
      const failure = request.failure();
      if (failure === undefined) throw internalError(error);
      return failure;
    } finally {
      cancel();
      request.release();
    }
  };
}

/** The provider's request while it is in flight. */
interface ObservedRequest {
  /** Calls a function that sends the request. */
  run<T>(send: () => Promise<T>): Promise<T>;
  /** Destroys the request; `failure` is why. */
  end(failure: AgentFailure): void;
  /** Aborted by `end`. */
  readonly ended: AbortSignal;
  /** Why there are no credentials; undefined if nothing was sent. */
  failure(): AgentFailure | undefined;
  release(): void;
}

/** Identifies the request among all of the process by its asynchronous context. */
function observeRequest(clock: Clock): ObservedRequest {
  const context = new AsyncLocalStorage<true>();
  const ended = new AbortController();
  let outgoing: ClientRequest | undefined;
  let failure: AgentFailure | undefined;

  const end = (reason: AgentFailure): void => {
    if (ended.signal.aborted) return;
    failure = reason;
    ended.abort();
    outgoing?.destroy();
  };
  const onError = ({ code }: NodeJS.ErrnoException): void => {
    // HPE_*: something responded, but not with HTTP.
    if (failure?.kind !== 'rejected')
      failure ??= code?.startsWith('HPE_')
        ? { kind: 'response' }
        : { kind: 'unreachable', code: code ?? 'none' };
  };
  const onCreated = (message: unknown): void => {
    if (context.getStore() === undefined) return;
    const { request } = message as { readonly request: ClientRequest };
    outgoing = request;
    request.on('error', onError);
    request.on('socket', (socket) => {
      if (!socket.connecting) return;
      const cancel = setCancellableTimeout(clock, CONNECT_TIMEOUT, () =>
        end({ kind: 'unreachable', code: 'ETIMEDOUT' }),
      );
      socket.once('connect', cancel).once('close', cancel);
    });
    request.on('upgrade', (incoming, socket) => {
      end({ kind: 'rejected', status: incoming.statusCode ?? 0, body: '' });
      socket.destroy();
      // Node emits no error after a protocol upgrade (101), so the provider would wait and then print a warning.
      request.emit('error', new Error('another protocol'));
    });
    request.on('response', (incoming) => {
      incoming.on('error', onError);
      const rejected = incoming.statusCode === 200 ? undefined : { status: incoming.statusCode ?? 0 };
      const body = limitBody(incoming, () =>
        end(rejected === undefined ? { kind: 'response' } : { kind: 'rejected', ...rejected, body: body() }),
      );
      incoming.once('end', () => {
        failure ??=
          rejected === undefined ? { kind: 'response' } : { kind: 'rejected', ...rejected, body: body() };
      });
    });
  };
  subscribe(REQUEST_CREATED, onCreated);
  return {
    run: (send) => context.run(true, send),
    end,
    ended: ended.signal,
    failure: () => failure,
    release: () => unsubscribe(REQUEST_CREATED, onCreated),
  };
}

/**
 * Counts a response's bytes as Node's parser pushes them, and returns a function that reads the start of an error response. A
 * `data` listener or a pipe would take the bytes from the provider, which reads the stream later.
 */
function limitBody(incoming: IncomingMessage, exceeded: () => void): () => string {
  const push = incoming.push.bind(incoming);
  const prefix: Buffer[] = [];
  let size = 0;
  incoming.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk !== null) {
      if (incoming.statusCode !== 200 && size < MAX_ERROR_BODY)
        prefix.push(chunk.subarray(0, MAX_ERROR_BODY - size));
      size += chunk.length;
      if (size > MAX_RESPONSE) {
        exceeded();
        return false;
      }
    }
    return push(chunk, encoding);
  };
  return () => Buffer.concat(prefix).toString('utf8');
}

/** https://nodejs.org/api/diagnostics_channel.html#http */
const REQUEST_CREATED = 'http.client.request.created';
