/**
 * The one door to AWS over HTTP, shared by every client.
 *
 * At most 16 requests are in flight, whoever asks; connections are kept alive and shared; each attempt has a limit of time
 * from its first byte to its last, and its answer a limit of size. The whole answer is read here, so that a hang or a cut
 * in the middle of it is an error of the attempt, which the SDK may try again. Nothing is decided here and nothing logged.
 */

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { AwsEnvironment } from './environment.ts';
import { createSemaphore, setCancellableTimeout, withTimeout } from './limits.ts';

/** What the SDK's clients take as their `requestHandler`. Not an interface: it must fit their index signature. */
export type Transport = {
  handle(request: WireRequest, options?: WireOptions): Promise<{ readonly response: WireResponse }>;
  /** The clients may call these; there is nothing to configure. */
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
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
  /** Milliseconds to connect, before any TLS. Default: 2000. */
  readonly connectTimeout?: number;
  readonly clock: Clock;
}

/** Requests in flight at a time, over all services and regions. */
const IN_FLIGHT = 16;

/** To connect: a second lost packet is worth waiting for, a third is a route that is not there. */
const CONNECT = 2000;

/** Milliseconds an unused connection is kept: longer than a pass, shorter than AWS keeps it. */
const IDLE = 5000;

/** Twenty secrets of 64 KiB, in JSON that escapes every byte, are 8 MiB. */
const LARGEST_ANSWER = 16 * 1024 * 1024;

/** Throws a Problem when AWS_CA_BUNDLE cannot be used. */
export function openTransport(options: TransportOptions): Transport {
  const { environment, awsTimeout, connectTimeout = CONNECT, clock } = options;
  const slots = createSemaphore(IN_FLIGHT);
  const agents = openAgents(environment);
  return {
    async handle(request, { abortSignal } = {}) {
      const release = await slots.take(abortSignal);
      try {
        const response = await withTimeout(clock, awsTimeout, timedOut, (limit) =>
          exchange(
            request,
            agents,
            { clock, connectTimeout },
            abortSignal === undefined ? limit : AbortSignal.any([abortSignal, limit]),
          ),
        );
        return { response };
      } finally {
        release();
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

/** Made when first asked for: an https agent makes Node load TLS, 0.4 times its own start, which plain http does without. */
interface Agents {
  http(): http.Agent;
  https(): https.Agent;
}

function openAgents({ caBundle, httpsProxy, noProxy }: TransportOptions['environment']): Agents {
  const alive = { keepAlive: true, timeout: IDLE };
  const secureAgent = (): https.Agent =>
    new https.Agent({
      ...alive,
      // One context for all connections: parsing the authorities anew costs milliseconds each time.
      ...(caBundle === undefined ? {} : { secureContext: trusting(caBundle) }),
      ...(httpsProxy === undefined ? {} : { proxyEnv: { HTTPS_PROXY: httpsProxy, NO_PROXY: noProxy } }),
    });
  let plain: http.Agent | undefined;
  // A bundle that cannot be used is found now, not at the first request.
  let secure = caBundle === undefined ? undefined : secureAgent();
  return {
    http() {
      plain ??= new http.Agent(alive);
      return plain;
    },
    https() {
      secure ??= secureAgent();
      return secure;
    },
  };
}

function trusting(file: string): ReturnType<typeof createSecureContext> {
  try {
    const pem = readFileSync(file, 'utf8');
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate in it');
    return createSecureContext({ ca: pem });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Problem({
      code: 'usage.environment',
      subject: 'AWS_CA_BUNDLE',
      message: `expected a PEM file with certificates, got ${escapeControl(code ?? message)} for ${escapeControl(file)}`,
      remedy: 'Mount the bundle into this container, or remove the variable.',
      cause: error,
    });
  }
}

/** One attempt: out with the request, in with the whole answer. Rejects with what the SDK's retry understands. */
function exchange(
  request: WireRequest,
  agents: Agents,
  connecting: ConnectLimit,
  signal: AbortSignal,
): Promise<WireResponse> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const secure = request.protocol === 'https:';
    const outgoing = (secure ? https : http).request({
      agent: secure ? agents.https() : agents.http(),
      host: request.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: request.port ?? null,
      method: request.method,
      path: request.path,
      headers: request.headers,
    });
    // Not Node's own `signal`: its error would hide whether the limit or the caller ended the request.
    const abort = (): void => {
      outgoing.destroy();
      fail(signal.reason);
    };
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', abort);
      reject(error);
    };
    signal.addEventListener('abort', abort, { once: true });
    limitConnecting(outgoing, connecting, fail);
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('error', fail);
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > LARGEST_ANSWER) incoming.destroy(tooLarge());
      });
      incoming.on('end', () => {
        signal.removeEventListener('abort', abort);
        resolve({
          statusCode: incoming.statusCode ?? 0,
          reason: incoming.statusMessage,
          headers: flat(incoming.headers),
          body: new Uint8Array(Buffer.concat(chunks, size)),
        });
      });
    });
    outgoing.end(request.body);
  });
}

type ConnectLimit = Required<Pick<TransportOptions, 'clock' | 'connectTimeout'>>;

function limitConnecting(
  outgoing: http.ClientRequest,
  { clock, connectTimeout }: ConnectLimit,
  fail: (error: Error) => void,
): void {
  outgoing.on('socket', (socket) => {
    if (!socket.connecting) return;
    const cancel = setCancellableTimeout(clock, connectTimeout, () => {
      outgoing.destroy();
      fail(Object.assign(timedOut(), { connecting: true }));
    });
    socket.once('connect', cancel).once('close', cancel);
  });
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
}

/** The name is what the SDK's retry goes by. */
function timedOut(): Error {
  return Object.assign(new Error('no answer in time'), { name: 'TimeoutError' });
}

/** Whether it is the limit for connecting that ended an attempt, so that nothing was sent. */
export function wasConnecting(error: unknown): boolean {
  return error instanceof Error && 'connecting' in error;
}

function tooLarge(): Error {
  return Object.assign(new Error('an answer of more than 16 MiB'), { code: 'ERR_ANSWER_TOO_LARGE' });
}
