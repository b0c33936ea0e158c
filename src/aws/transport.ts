/**
 * The transport of every AWS client here.
 *
 * At most 16 requests are in flight, whichever client sends them; connections are kept alive and shared, and the first to a
 * service can be opened before its request. Each attempt has a
 * limit of time from its first byte to its last, its answer a limit of size that fits the operation, and all answers together
 * one budget of memory. Nothing is decided here and nothing logged.
 */

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { type ConnectEarly, openEarlyConnections } from '../http/early-connections.ts';
import { RequestError, sendRequest } from '../http/request.ts';
import type { AwsEnvironment, CaBundle } from './environment.ts';
import { createSemaphore, setCancellableTimeout } from './limits.ts';
import { bypassesProxy, proxyUrl } from './proxy.ts';

/** What the SDK's clients take as their `requestHandler`. Not an interface: it must fit their index signature. */
export type Transport = {
  handle(request: WireRequest, options?: WireOptions): Promise<{ readonly response: WireResponse }>;
  /** The clients may call these; there is nothing to configure. */
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
  /** Opens the TLS connection of the next request to this host. Only saves time: what fails, the request reports. */
  connectEarly(url: URL): void;
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

interface WireResponse {
  /** `host:port`. The SDK keeps the response with its errors, so that they can name it. */
  readonly peer: string;
  readonly statusCode: number;
  readonly reason: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** Where to, and for how long. */
export interface TransportOptions {
  readonly environment: Pick<AwsEnvironment, 'caBundle' | 'httpsProxy' | 'noProxy'>;
  /** Milliseconds for one attempt. */
  readonly awsTimeout: number;
  readonly clock: Clock;
}

/** Requests in flight at a time, over all services and regions. */
const IN_FLIGHT = 16;

/** Milliseconds to connect: a second lost packet is worth waiting for, a third is a route that is not there. */
const CONNECT_TIMEOUT = 2000;

/** Milliseconds an unused connection is kept: longer than a sync, shorter than AWS keeps it. */
const IDLE_TIMEOUT = 5000;

const KIB = 1024;

/**
 * Bytes of an answer, by operation. A secret has 64 KiB, of which JSON may escape every byte as six; a parameter has 8 KiB;
 * calls take 20 secrets or 10 parameters. STS and others answer with 2 KiB.
 */
const LARGEST_ANSWERS: Readonly<Record<string, number>> = {
  GetSecretValue: 512 * KIB,
  BatchGetSecretValue: 10 * 1024 * KIB,
  GetParameters: 1024 * KIB,
};
const LARGEST_ANSWER = 64 * KIB;

/** Bytes of all answers that are read at the same time: a pod has 128 MiB for everything. */
const MEMORY_BUDGET = 20 * 1024 * KIB;

/** Throws a Problem when the file of authorities cannot be used. */
export function openTransport(options: TransportOptions): Transport {
  const { environment, awsTimeout, clock } = options;
  const slots = createSemaphore(IN_FLIGHT);
  const memory = createSemaphore(MEMORY_BUDGET);
  const agents = openAgents(environment);
  return {
    connectEarly({ protocol, hostname, port }) {
      if (protocol === 'https:')
        agents.connectEarly(hostname.replace(/^\[(.*)\]$/, '$1'), Number(port || 443));
    },
    async handle(request, { abortSignal } = {}) {
      const release = await slots.take(abortSignal);
      const limit = new AbortController();
      const cancel = setCancellableTimeout(clock, awsTimeout, () =>
        limit.abort(new DOMException('no answer in time', 'TimeoutError')),
      );
      try {
        const protocol = request.protocol === 'https:' ? 'https:' : 'http:';
        const { peer, status, reason, headers, body } = await sendRequest({
          ...request,
          protocol,
          host: request.hostname,
          port: request.port,
          body: request.body as string | Uint8Array | undefined,
          agent: agents.agentFor(protocol, request.hostname, request.port ?? 443),
          largestBody: LARGEST_ANSWERS[operationOf(request)] ?? LARGEST_ANSWER,
          signal: abortSignal === undefined ? limit.signal : AbortSignal.any([abortSignal, limit.signal]),
          limitConnecting: (expired) => setCancellableTimeout(clock, CONNECT_TIMEOUT, expired),
          reserve: (bytes, signal) => memory.take(signal, bytes),
        });
        // The SDK would put U+FFFD in the place of what is no UTF-8, and a file would hold another value than AWS does.
        if (!isUtf8(body)) throw new RequestError('ERR_ANSWER_NOT_UTF8', peer, 'answer');
        return { response: { peer, statusCode: status, reason, headers: flat(headers), body } };
      } finally {
        cancel();
        release();
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

/** `GetSecretValue`: the JSON protocols name the operation in a header. */
function operationOf({ headers }: WireRequest): string {
  const target = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-amz-target')?.[1];
  return target?.split('.').at(-1) ?? '';
}

interface Agents {
  agentFor(protocol: 'http:' | 'https:', host: string, port: number): http.Agent | https.Agent;
  /** Not through a proxy, which accepts a connection with a request of its own. */
  connectEarly(host: string, port: number): void;
}

/** Agents are made when they are needed: one for https makes Node load TLS, 0.4 times its own start. */
function openAgents({ caBundle, httpsProxy, noProxy }: TransportOptions['environment']): Agents {
  const alive = { keepAlive: true, timeout: IDLE_TIMEOUT };
  // One context for all connections: parsing the authorities again costs milliseconds each time. A file that cannot be used is
  // found now, not at the first request.
  const secureContext = caBundle === undefined ? undefined : trusting(caBundle);
  const proxy = httpsProxy === undefined ? undefined : proxyUrl(httpsProxy)?.href;
  const secureAgent = (through: string | undefined): https.Agent =>
    new https.Agent({
      ...alive,
      ...(secureContext === undefined ? {} : { secureContext }),
      ...(through === undefined ? {} : { proxyEnv: { HTTPS_PROXY: through } }),
    });
  let plain: http.Agent | undefined;
  let direct: { readonly agent: https.Agent; readonly connectEarly: ConnectEarly } | undefined;
  let proxied: https.Agent | undefined;
  const isDirect = (host: string, port: number): boolean =>
    proxy === undefined || bypassesProxy(noProxy, host, port);
  const openDirect = () => {
    if (direct !== undefined) return direct;
    const agent = secureAgent(undefined);
    direct = { agent, connectEarly: openEarlyConnections(agent) };
    return direct;
  };
  return {
    agentFor(protocol, host, port) {
      if (protocol === 'http:') {
        plain ??= new http.Agent(alive);
        return plain;
      }
      if (isDirect(host, port)) return openDirect().agent;
      proxied ??= secureAgent(proxy);
      return proxied;
    },
    connectEarly(host, port) {
      if (isDirect(host, port)) openDirect().connectEarly(host, port);
    },
  };
}

function trusting({ variable, file }: CaBundle): ReturnType<typeof createSecureContext> {
  try {
    const pem = readFileSync(file, 'utf8');
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate in it');
    return createSecureContext({ ca: pem });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Problem({
      code: 'usage.environment',
      subject: variable,
      message: `expected a PEM file with certificates, got ${escapeControl(code ?? message)} for ${escapeControl(file)}`,
      remedy: 'Mount the bundle into this container, or remove the variable.',
      cause: error,
    });
  }
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
}
