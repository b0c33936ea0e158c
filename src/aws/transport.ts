/**
 * The HTTP transport of all AWS clients.
 *
 * At most 16 requests of all clients are in flight. Connections are kept alive and shared, and the first one to a service can be
 * opened before its request. Each attempt has a timeout from its first byte to its last, each response has a size limit that
 * depends on the operation, and all responses together have a memory budget until they are parsed. Retries and logging are left to
 * the callers.
 */

import { isUtf8 } from 'node:buffer';
import type http from 'node:http';
import type { Clock } from '../core/clock.ts';
import { createSemaphore, setCancellableTimeout } from '../core/limits.ts';
import { type Authorities, authorities as ofNode } from '../http/authorities.ts';
import { freeMemory, RequestError, sendRequest } from '../http/request.ts';
import { isWithinLimits } from '../http/response-shape.ts';
import type { AwsEnvironment } from './environment.ts';
import { createRoutes, type Route } from './routes.ts';

/** The `requestHandler` of the SDK's clients. A type, because an interface does not match their index signature. */
export type Transport = {
  handle(request: WireRequest, options?: WireOptions): Promise<{ readonly response: WireResponse }>;
  /** The SDK requires these two; there is nothing to configure. */
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
  /**
   * Opens the TLS connection of the next request to this host, to save time. Resolves when its host is looked up, or after 5 ms.
   * Failures are ignored: the request reports them.
   */
  connectEarly(url: URL): Promise<void>;
};

interface WireRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

interface WireOptions {
  readonly abortSignal?: AbortSignal;
}

export interface WireResponse {
  /** `host:port`. The SDK attaches the response to its errors, so that messages can name the host. */
  readonly peer: string;
  readonly statusCode: number;
  readonly reason: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  /** Frees the body, which nothing may use afterwards. */
  readonly free?: () => void;
}

/** Proxy, trust and timeout. */
export interface TransportOptions {
  readonly environment: Pick<AwsEnvironment, 'caBundle' | 'httpsProxy' | 'noProxy'>;
  /** Milliseconds for one attempt. */
  readonly awsTimeout: number;
  readonly clock: Clock;
  /** Called after each 4 MiB of responses, when they are parsed. Default: V8 decides when. */
  readonly collectGarbage?: () => void;
  /** Without a CA bundle. Default: those of this process. */
  readonly authorities?: Authorities;
}

/**
 * Requests in flight at a time, over all services and regions, and so the most connections. Fewer would not save CPU: a start with
 * 50 secrets takes 158 to 166 ms of it with 4, 8 or 16 connections. They would cost time: at a round trip of 20 ms it takes 271 ms
 * with 16 connections, 336 with 8, 471 with 4, 1,299 with one (test/bench/few-secrets.ts).
 */
const MAX_CONCURRENT = 16;

/** Milliseconds to connect: enough for TCP to resend two lost packets; a third means that there is no route. */
const CONNECT_TIMEOUT = 2000;

/**
 * Milliseconds to wait for the lookup of a host before the SDK is loaded, which blocks the event loop: without a connection attempt
 * by then, nothing would overlap.
 */
const LOOKUP_WAIT = 5;

const KIB = 1024;

/**
 * Bytes of a response, by operation. A secret has up to 64 KiB, and JSON may escape each byte with six; a parameter has up to 8 KiB;
 * a call returns 20 secrets or 10 parameters. Responses of STS and others have 2 KiB.
 */
const MAX_RESPONSES: Readonly<Record<string, number>> = {
  GetSecretValue: 512 * KIB,
  BatchGetSecretValue: 10 * 1024 * KIB,
  GetParameters: 1024 * KIB,
};
const MAX_RESPONSE = 64 * KIB;

/** Bytes of all responses that are read at the same time: each becomes four times its size, as bytes, text, strings and values. */
const MEMORY_BUDGET = 2 * 1024 * KIB;

/**
 * Bytes of parsed responses after which garbage is collected. The memory limit of the container is 128 MiB, and a sidecar needs it for
 * two generations of files and two processes. With 200 secrets of 64 KiB the peak of a worker is 41 MiB, without collections 83. With
 * 2 MiB here it would be 39, but each collection takes 25 ms of CPU.
 */
const MAX_GARBAGE = 4 * 1024 * KIB;

/** Throws a Problem if the CA bundle cannot be used. */
export function createTransport(options: TransportOptions): Transport {
  const { environment, awsTimeout, clock, collectGarbage = () => {}, authorities = ofNode } = options;
  const slots = createSemaphore(MAX_CONCURRENT);
  const memory = createSemaphore(MEMORY_BUDGET);
  const routes = createRoutes(environment, authorities);
  let uncollected = 0;
  const collect = (): void => {
    if (uncollected < MAX_GARBAGE) return;
    uncollected = 0;
    collectGarbage();
  };
  return {
    async connectEarly({ protocol, hostname, port }) {
      if (protocol !== 'https:') return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = setCancellableTimeout(clock, LOOKUP_WAIT, resolve);
      routes.connectEarly(hostname.replace(/^\[(.*)\]$/, '$1'), Number(port || 443), resolve);
      await promise;
      cancel();
    },
    async handle(request, { abortSignal } = {}) {
      const release = await slots.take(abortSignal);
      const limit = new AbortController();
      const cancel = setCancellableTimeout(clock, awsTimeout, () =>
        limit.abort(new DOMException('timed out', 'TimeoutError')),
      );
      try {
        const operation = operationOf(request);
        const protocol = request.protocol === 'https:' ? 'https:' : 'http:';
        const send = ({ agent, proxy }: Route): ReturnType<typeof sendRequest> =>
          sendRequest({
            ...request,
            protocol,
            host: request.hostname,
            port: request.port,
            body: request.body as string | Uint8Array | undefined,
            agent,
            proxy,
            largestBody: MAX_RESPONSES[operation] ?? MAX_RESPONSE,
            largestErrorBody: MAX_RESPONSE,
            signal: abortSignal === undefined ? limit.signal : AbortSignal.any([abortSignal, limit.signal]),
            limitConnecting: (expired) => setCancellableTimeout(clock, CONNECT_TIMEOUT, expired),
            async reserve(bytes, signal) {
              const release = await memory.take(signal, bytes);
              // The SDK parses a response in the iteration of the event loop in which it arrives.
              return () =>
                setImmediate(() => {
                  collect();
                  release();
                });
            },
          });
        const route = routes.routeTo(protocol, request.hostname, request.port ?? 443);
        const { peer, status, reason, headers, body } = await send(route).catch((error) => {
          const other = routes.routeAfter(error, route, request.hostname, request.port ?? 443);
          if (other === undefined) throw error;
          return send(other);
        });
        uncollected += body.length;
        try {
          checkBody(operation, peer, body);
        } catch (error) {
          freeMemory(body);
          throw error;
        }
        const free = (): void => freeMemory(body);
        return { response: { peer, statusCode: status, reason, headers: flatHeaders(headers), body, free } };
      } finally {
        cancel();
        release();
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

/** Throws a RequestError for a body that must not reach the SDK's parser. `operation`: '' for STS, which responds in XML. */
export function checkBody(operation: string, peer: string, body: Uint8Array): void {
  if (operation !== '' && !isWithinLimits(body))
    throw new RequestError('ERR_RESPONSE_TOO_COMPLEX', peer, 'response');
  // The SDK would replace invalid UTF-8 with U+FFFD, and a file would get another value than AWS has.
  if (!isUtf8(body)) throw new RequestError('ERR_RESPONSE_NOT_UTF8', peer, 'response');
}

/** `GetSecretValue`: the JSON protocols name the operation in a header. */
export function operationOf({ headers }: WireRequest): string {
  const target = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-amz-target')?.[1];
  return target?.split('.').at(-1) ?? '';
}

function flatHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
}
