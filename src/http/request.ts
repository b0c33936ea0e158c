/**
 * One HTTP request with a bounded response, for all clients: AWS, the Kubernetes API, --notify-url, the status page.
 *
 * The whole response is read, up to a size limit, so a hang or a closed connection in the body is an error of the request. A protocol
 * upgrade (101), which Node ends without an error or a response, is an error too. Errors name the host, the port and the phase.
 * Nothing is retried or logged.
 */

import http from 'node:http';
import https from 'node:https';
import { authorities } from './authorities.ts';
import { connectionState } from './early-connections.ts';
import { isTlsCode } from './tls-code.ts';

/** A request and its limits. */
export interface RequestOptions {
  readonly protocol: 'http:' | 'https:';
  /** A name or an address; IPv6 with or without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | Uint8Array | undefined;
  /**
   * Keeps connections alive, and decides which authorities they trust; undefined: a new connection, which ends with the request and
   * trusts all authorities of this process.
   */
  readonly agent: http.Agent | https.Agent | undefined;
  /** `host:port` of the proxy that the agent connects through. Errors of its connection and its tunnel name it. */
  readonly proxy?: string | undefined;
  /** Maximum bytes of the response body. */
  readonly largestBody: number;
  /** The same for a response that is not 2xx. Default: `largestBody`. */
  readonly largestErrorBody?: number;
  /** Ends the request. An abort by a TimeoutError rejects with a RequestError, any other abort with its reason. */
  readonly signal: AbortSignal;
  /** Starts the connect timeout; returns a function that cancels it. */
  readonly limitConnecting?: (expired: () => void) => () => void;
  /** Reserves memory for the response body before it is read; resolves with a function that releases it. */
  readonly reserve?: (bytes: number, signal: AbortSignal) => Promise<() => void>;
  /** If true, a failure in the body is not an error: resolves with the part that arrived. */
  readonly keepPartialBody?: boolean;
}

/** A complete response. */
export interface HttpResponse {
  /** The server: `host:port`. */
  readonly peer: string;
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** The phase of a request: the proxy's tunnel, DNS lookup, connecting (with TLS), waiting for or reading the response. */
export type RequestPhase = 'proxy' | 'lookup' | 'connect' | 'response';

/** The request failed before the complete response arrived. */
export class RequestError extends Error {
  /** Node's code, `TimeoutError`, ERR_UPGRADED (101) or ERR_RESPONSE_TOO_LARGE; the transport adds others. */
  readonly code: string;
  /** `host:port` of the server, or of the proxy in the phase `proxy`. */
  readonly peer: string;
  readonly phase: RequestPhase;
  /** The HTTP status with which the proxy rejected the tunnel. */
  readonly status: number | undefined;

  constructor(code: string, peer: string, phase: RequestPhase, status?: number) {
    super(`${code} at ${peer}`);
    // The SDK's retry strategy checks the name.
    this.name = code === 'TimeoutError' ? code : 'RequestError';
    this.code = code;
    this.peer = peer;
    this.phase = phase;
    this.status = status;
  }
}

/** Resolves with the response, whatever its status. Rejects with a RequestError, or with the signal's reason. */
export async function sendRequest(options: RequestOptions): Promise<HttpResponse> {
  const { signal } = options;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const secure = options.protocol === 'https:';
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  const port = options.port ?? (secure ? 443 : 80);
  const peer = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  // Node assigns the socket to the request once TLS through the tunnel is ready.
  let phase: RequestPhase = options.proxy === undefined ? 'connect' : 'proxy';
  let incoming: http.IncomingMessage | undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  const settled = new AbortController();
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
    ...(secure && options.agent === undefined ? { ca: authorities.all() } : {}),
  });
  const finish = (): void => {
    signal.removeEventListener('abort', abort);
    settled.abort();
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
    if (settled.signal.aborted) return;
    finish();
    outgoing.destroy();
    if (incoming !== undefined && options.keepPartialBody) {
      succeed(incoming);
      return;
    }
    for (const chunk of chunks.splice(0)) freeMemory(chunk);
    reject(error);
  };
  const failWith = (code: string, status?: number): void => {
    if (phase !== 'proxy' || options.proxy === undefined) fail(new RequestError(code, peer, phase));
    // TLS with the host begins inside the tunnel, before Node assigns the socket.
    else if (isTlsCode(code)) fail(new RequestError(code, peer, 'connect'));
    else fail(new RequestError(code, options.proxy, phase, status));
  };
  // Not Node's own `signal`: its error hides whether a limit or the caller ended the request.
  const abort = (): void => {
    if ((signal.reason as Partial<Error> | undefined)?.name === 'TimeoutError') failWith('TimeoutError');
    else {
      incoming = undefined;
      fail(signal.reason);
    }
  };
  signal.addEventListener('abort', abort, { once: true });

  outgoing.on('error', ({ code, statusCode }: NodeJS.ErrnoException & { statusCode?: number }) =>
    failWith(code ?? 'ECONNRESET', statusCode),
  );
  outgoing.on('close', () => failWith('ECONNRESET'));
  outgoing.on('upgrade', (_, socket) => {
    socket.destroy();
    failWith('ERR_UPGRADED');
  });
  outgoing.on('socket', (socket) => {
    const state = connectionState(socket, host);
    phase = state === 'connected' ? 'response' : state;
    if (state === 'connected') return;
    socket.once('lookup', (error) => {
      if (!error) phase = 'connect';
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      phase = 'response';
    });
    // An early connection may be in its TLS handshake, to which only the signal's timeout applies.
    const cancel = socket.connecting ? options.limitConnecting?.(() => failWith('TimeoutError')) : undefined;
    if (cancel !== undefined) socket.once('connect', cancel).once('close', cancel);
  });
  outgoing.on('response', async (response) => {
    incoming = response;
    phase = 'response';
    response.on('error', ({ code }: NodeJS.ErrnoException) => failWith(code ?? 'ECONNRESET'));
    const { statusCode = 0 } = response;
    const isSuccess = statusCode >= 200 && statusCode < 300;
    const largestBody = isSuccess ? options.largestBody : (options.largestErrorBody ?? options.largestBody);
    const announced = Number(response.headers['content-length'] ?? Number.NaN);
    if (announced > largestBody && !options.keepPartialBody) {
      failWith('ERR_RESPONSE_TOO_LARGE');
      return;
    }
    if (options.reserve !== undefined) {
      // Without a content-length the body may be as large as the limit. Nothing is read before its memory is reserved.
      const bytes = Number.isNaN(announced) ? largestBody : announced;
      const reserved = await options.reserve(bytes, settled.signal).catch(() => undefined);
      if (reserved === undefined) return;
      if (settled.signal.aborted) {
        reserved();
        return;
      }
      release = reserved;
    }
    response.on('data', (chunk: Buffer) => {
      const left = largestBody - size;
      chunks.push(chunk.length > left ? chunk.subarray(0, left) : chunk);
      size += Math.min(chunk.length, left);
      if (chunk.length > left) failWith('ERR_RESPONSE_TOO_LARGE');
    });
    response.on('end', () => succeed(response));
  });
  outgoing.end(options.body);
  return promise;
}

/** One copy of the bytes, without spare memory. The memory of the chunks is freed. */
function joined(chunks: readonly Buffer[], size: number): Uint8Array {
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
    freeMemory(chunk);
  }
  return body;
}

/**
 * Frees the memory of bytes that nothing uses any more. V8 alone frees memory outside its heap once there are 64 MiB of it: with
 * a few responses of 10 MiB a process would exceed a memory limit of 128 MiB.
 */
export function freeMemory({ buffer, byteLength }: Uint8Array): void {
  // A slice of a buffer that others use is left alone.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
