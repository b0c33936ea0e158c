/**
 * Credentials over HTTP, from the EKS Pod Identity agent or the ECS agent.
 *
 * The SDK's own provider makes the request. It has no limit of time for an answer that has begun and none of size, it cannot
 * be aborted, and it throws the body of a refusal away unless it is JSON, while the EKS agent explains itself in plain text.
 * So its request is caught as Node announces it, and watched. Of the provider's errors nothing is used: one of them quotes
 * the answer.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { fromHttp } from '@aws-sdk/credential-provider-http';
import type { Clock } from '../core/clock.ts';
import type { AgentFailure } from './agent-error.ts';
import { bugOf } from './client.ts';
import { type AwsCredentials, areUsable } from './credential-cache.ts';
import { abortable, setCancellableTimeout } from './limits.ts';

/** Fetches from one address; `authorization` is the header that proves the container's identity. */
export type FetchContainerCredentials = (
  address: string,
  authorization: string | undefined,
) => Promise<AwsCredentials | AgentFailure>;

/** Milliseconds to connect to a process on the same machine; only then is another address tried. */
const CONNECT_TIMEOUT = 1000;

/** Bytes of an answer. Credentials are 2 KiB. */
const LARGEST_ANSWER = 64 * 1024;

/** Bytes of a refusal that are kept to read its code. */
const REFUSAL_PREFIX = 4 * 1024;

/** `timeout`: milliseconds for one whole answer. */
export function createContainerClient(timeout: number, clock: Clock): FetchContainerCredentials {
  return async (address, authorization) => {
    const provider = fromHttp({
      awsContainerCredentialsFullUri: address,
      awsContainerAuthorizationToken: authorization ?? '',
      // Given, so that the provider does not look for them in the environment.
      awsContainerCredentialsRelativeUri: '',
      awsContainerAuthorizationTokenFile: '',
      // The caller retries.
      maxRetries: 0,
      // Later than our own limit: at this one the provider only prints a warning.
      timeout: timeout * 2,
    });
    const request = watchRequest(clock);
    const cancel = setCancellableTimeout(clock, timeout, () => request.end({ kind: 'timeout', ms: timeout }));
    try {
      const credentials = await abortable(request.run(provider), request.ended);
      return areUsable(credentials) ? credentials : { kind: 'answer' };
    } catch (error) {
      const failure = request.failure();
      if (failure === undefined) throw bugOf(error);
      return failure;
    } finally {
      cancel();
      request.release();
    }
  };
}

/** The provider's request while it runs. */
interface WatchedRequest {
  /** Runs what makes the request. */
  run<T>(make: () => Promise<T>): Promise<T>;
  /** Destroys the request; `failure` is why. */
  end(failure: AgentFailure): void;
  /** Aborted by `end`. */
  readonly ended: AbortSignal;
  /** What came instead of credentials; undefined when nothing was sent. */
  failure(): AgentFailure | undefined;
  release(): void;
}

/** Recognizes its own request among all of the process by the asynchronous context that it is made in. */
function watchRequest(clock: Clock): WatchedRequest {
  const context = new AsyncLocalStorage<true>();
  const ended = new AbortController();
  let outgoing: ClientRequest | undefined;
  let failure: AgentFailure | undefined;

  const end = (why: AgentFailure): void => {
    if (ended.signal.aborted) return;
    failure = why;
    ended.abort();
    outgoing?.destroy();
  };
  const failed = ({ code }: NodeJS.ErrnoException): void => {
    // What is no HTTP is an answer all the same.
    if (failure?.kind !== 'refused')
      failure ??= code?.startsWith('HPE_')
        ? { kind: 'answer' }
        : { kind: 'unreachable', code: code ?? 'none' };
  };
  const created = (message: unknown): void => {
    if (context.getStore() === undefined) return;
    const { request } = message as { readonly request: ClientRequest };
    outgoing = request;
    request.on('error', failed);
    request.on('socket', (socket) => {
      if (!socket.connecting) return;
      const cancel = setCancellableTimeout(clock, CONNECT_TIMEOUT, () =>
        end({ kind: 'unreachable', code: 'ETIMEDOUT' }),
      );
      socket.once('connect', cancel).once('close', cancel);
    });
    request.on('upgrade', (incoming, socket) => {
      end({ kind: 'refused', status: incoming.statusCode ?? 0, body: '' });
      socket.destroy();
      // After a change of protocol (101) Node reports no error, so the provider would wait and then print a warning.
      request.emit('error', new Error('another protocol'));
    });
    request.on('response', (incoming) => {
      incoming.on('error', failed);
      const refusal = incoming.statusCode === 200 ? undefined : { status: incoming.statusCode ?? 0 };
      const body = limitBody(incoming, () =>
        end(refusal === undefined ? { kind: 'answer' } : { kind: 'refused', ...refusal, body: body() }),
      );
      incoming.once('end', () => {
        failure ??=
          refusal === undefined ? { kind: 'answer' } : { kind: 'refused', ...refusal, body: body() };
      });
    });
  };
  subscribe(CREATED, created);
  return {
    run: (make) => context.run(true, make),
    end,
    ended: ended.signal,
    failure: () => failure,
    release: () => unsubscribe(CREATED, created),
  };
}

/**
 * Counts an answer's bytes as Node's parser pushes them, and keeps the first of a refusal's. A `data` listener or a pipe would
 * take them from the provider, which reads the stream later; nothing else sees them.
 */
function limitBody(incoming: IncomingMessage, exceeded: () => void): () => string {
  const push = incoming.push.bind(incoming);
  const prefix: Buffer[] = [];
  let size = 0;
  incoming.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk !== null) {
      if (incoming.statusCode !== 200 && size < REFUSAL_PREFIX)
        prefix.push(chunk.subarray(0, REFUSAL_PREFIX - size));
      size += chunk.length;
      if (size > LARGEST_ANSWER) {
        exceeded();
        return false;
      }
    }
    return push(chunk, encoding);
  };
  return () => Buffer.concat(prefix).toString('utf8');
}

/** https://nodejs.org/api/diagnostics_channel.html#http */
const CREATED = 'http.client.request.created';
