/**
 * One HTTP request whose answer is bounded, for every client here: AWS, the Kubernetes API, the application, the status page.
 *
 * The whole answer is read, up to a limit of bytes, so that a hang or a cut in the middle of it is an error of the request. A
 * change of protocol (101), which Node ends without an error and without an answer, is an error too. Errors name the host and
 * the port, and how far the request got. Nothing is retried and nothing logged.
 */

import http from 'node:http';
import https from 'node:https';
import { connectionState } from './early-connections.ts';

/** Where to, what, and within which limits. */
export interface RequestOptions {
  readonly protocol: 'http:' | 'https:';
  /** A name or an address; IPv6 with or without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | Uint8Array | undefined;
  /** Keeps connections; undefined: a connection of its own, which ends with the request. */
  readonly agent: http.Agent | https.Agent | undefined;
  /** Bytes of an answer's body. */
  readonly largestBody: number;
  /** Ends the request. An abort by a TimeoutError becomes a RequestError; any other reason is passed on as it is. */
  readonly signal: AbortSignal;
  /** Starts the connect timeout; returns a function that cancels it. */
  readonly limitConnecting?: (expired: () => void) => () => void;
  /** Reserves memory for an answer's body before it is read; resolves with a function that releases it. */
  readonly reserve?: (bytes: number, signal: AbortSignal) => Promise<() => void>;
  /** A failure in the body is not an error: resolves with the part that arrived. */
  readonly keepPartialBody?: boolean;
}

/** A whole answer. */
export interface HttpResponse {
  /** Who answered: `host:port`. */
  readonly peer: string;
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** How far a request got: DNS, the connection (with TLS, and a proxy), the answer. */
export type RequestPhase = 'lookup' | 'connect' | 'answer';

/** The request failed before the whole answer arrived. */
export class RequestError extends Error {
  /** Node's code, `TimeoutError`, ERR_UPGRADED (101) or ERR_ANSWER_TOO_LARGE. */
  readonly code: string;
  /** `host:port` */
  readonly peer: string;
  readonly phase: RequestPhase;

  constructor(code: string, peer: string, phase: RequestPhase) {
    super(`${code} at ${peer}`);
    // The SDK's retry strategy checks the name.
    this.name = code === 'TimeoutError' ? code : 'RequestError';
    this.code = code;
    this.peer = peer;
    this.phase = phase;
  }
}

/** The answer, whatever its status. Rejects with a RequestError, or with the reason of the signal. */
export async function sendRequest(options: RequestOptions): Promise<HttpResponse> {
  const { signal, largestBody } = options;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const secure = options.protocol === 'https:';
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  const port = options.port ?? (secure ? 443 : 80);
  const peer = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  let phase: RequestPhase = 'connect';
  let incoming: http.IncomingMessage | undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  const answered = new AbortController();
  let release = (): void => {};

  const outgoing = (secure ? https : http).request({
    agent: options.agent ?? false,
    host,
    port,
    method: options.method,
    path: options.path,
    headers: options.headers,
    // Set explicitly, because NODE_TLS_REJECT_UNAUTHORIZED changes the default.
    ...(secure ? { rejectUnauthorized: true } : {}),
  });
  const finish = (): void => {
    signal.removeEventListener('abort', abort);
    answered.abort();
    release();
    release = () => {};
  };
  const succeed = (response: http.IncomingMessage): void => {
    finish();
    resolve({
      peer,
      status: response.statusCode ?? 0,
      reason: response.statusMessage,
      headers: response.headers,
      body: joined(chunks, size),
    });
  };
  const fail = (error: unknown): void => {
    if (answered.signal.aborted) return;
    finish();
    outgoing.destroy();
    if (incoming !== undefined && options.keepPartialBody) succeed(incoming);
    else reject(error);
  };
  const failWith = (code: string): void => fail(new RequestError(code, peer, phase));
  // Not Node's own `signal`: its error hides whether a limit or the caller ended the request.
  const abort = (): void => {
    if ((signal.reason as Partial<Error> | undefined)?.name === 'TimeoutError') failWith('TimeoutError');
    else {
      incoming = undefined;
      fail(signal.reason);
    }
  };
  signal.addEventListener('abort', abort, { once: true });

  outgoing.on('error', ({ code }: NodeJS.ErrnoException) => failWith(code ?? 'ECONNRESET'));
  outgoing.on('close', () => failWith('ECONNRESET'));
  outgoing.on('upgrade', (_, socket) => {
    socket.destroy();
    failWith('ERR_UPGRADED');
  });
  outgoing.on('socket', (socket) => {
    const state = connectionState(socket, host);
    phase = state === 'connected' ? 'answer' : state;
    if (state === 'connected') return;
    socket.once('lookup', (error) => {
      if (!error) phase = 'connect';
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      phase = 'answer';
    });
    // A connection that was opened early may be at its handshake, to which only the limit of the signal applies.
    const cancel = socket.connecting ? options.limitConnecting?.(() => failWith('TimeoutError')) : undefined;
    if (cancel !== undefined) socket.once('connect', cancel).once('close', cancel);
  });
  outgoing.on('response', async (response) => {
    incoming = response;
    phase = 'answer';
    response.on('error', ({ code }: NodeJS.ErrnoException) => failWith(code ?? 'ECONNRESET'));
    const announced = Number(response.headers['content-length'] ?? Number.NaN);
    if (announced > largestBody && !options.keepPartialBody) {
      failWith('ERR_ANSWER_TOO_LARGE');
      return;
    }
    if (options.reserve !== undefined) {
      // Without a length it may be as large as the limit. Nothing is read before there is memory for it.
      const bytes = Number.isNaN(announced) ? largestBody : announced;
      const reserved = await options.reserve(bytes, answered.signal).catch(() => undefined);
      if (reserved === undefined) return;
      if (answered.signal.aborted) {
        reserved();
        return;
      }
      release = reserved;
    }
    response.on('data', (chunk: Buffer) => {
      const left = largestBody - size;
      chunks.push(chunk.length > left ? chunk.subarray(0, left) : chunk);
      size += Math.min(chunk.length, left);
      if (chunk.length > left) failWith('ERR_ANSWER_TOO_LARGE');
    });
    response.on('end', () => succeed(response));
  });
  outgoing.end(options.body);
  return promise;
}

/** One copy of the bytes, without spare memory. */
function joined(chunks: readonly Buffer[], size: number): Uint8Array {
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
