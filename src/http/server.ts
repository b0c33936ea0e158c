/**
 * The sidecar's HTTP server.
 *
 * One request per connection, ten seconds per connection, at most 64 connections; a further one closes the oldest, so that a flood
 * cannot block a probe. It reads no body, sets no timer without a connection, does not keep the process alive, and closes at once.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { type Endpoints, route } from './routes.ts';

/** A listening server. */
export interface HttpServer {
  /** Its address, with the port that the system chose for port 0. */
  readonly address: { readonly host: string; readonly port: number };
  /** Resolves when every connection is closed, within milliseconds; may be called again. */
  close(): Promise<void>;
}

/** Limits for clients. */
export interface HttpLimits {
  /** Connections at a time; default 64: probes, scrapers and people need a handful. */
  readonly connections?: number;
  /** Milliseconds from the start of a connection to its end, whatever the client does; default 10 s. */
  readonly lifetime?: number;
}

/** Listens and serves the endpoints. Throws a Problem if it cannot listen on the address. */
export async function openHttpServer(
  listen: { readonly host: string; readonly port: number },
  endpoints: Endpoints,
  { connections = 64, lifetime = 10_000 }: HttpLimits = {},
): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: 8192,
      // Node checks for slow requests with a timer that never stops; the limit on a connection's lifetime makes it unnecessary.
      connectionsCheckingInterval: NEVER,
    },
    (request, response) => respond(request, response, endpoints),
  );
  // Otherwise Node serves every request that a client pipelines on one connection.
  server.maxRequestsPerSocket = 1;
  /** Oldest first. */
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    const [oldest] = open;
    if (oldest !== undefined && open.size >= connections) {
      open.delete(oldest);
      oldest.destroy();
    }
    open.add(socket);
    const end = setTimeout(() => socket.destroy(), lifetime).unref();
    socket.once('close', () => {
      clearTimeout(end);
      open.delete(socket);
    });
  });
  await listening(server, listen);
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Node's longest timer, 24.8 days. */
const NEVER = 2 ** 31 - 1;

function respond(request: IncomingMessage, response: ServerResponse, endpoints: Endpoints): void {
  const { method = '', url = '', headers, socket } = request;
  const {
    status,
    headers: own,
    body,
  } = route(
    {
      method,
      target: url,
      peer: socket.remoteAddress ?? '',
      host: headers.host,
      origin: headers.origin,
      forwarded: PROXY_HEADERS.some((name) => headers[name] !== undefined),
    },
    endpoints,
  );
  response.writeHead(status, {
    ...own,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  // Node omits it for HEAD.
  response.end(body);
}

/** Headers that proxies set: RFC 7239, its predecessors, nginx's documentation, Envoy. A proxy may set none: see SECURITY.md. */
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'x-envoy-external-address',
];

function listening(
  server: ReturnType<typeof createServer>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Never removed: later errors are about connections that could not be accepted because file descriptors ran out.
    server.on('error', (error: NodeJS.ErrnoException) => reject(listenFailure(`${host}:${port}`, error)));
    // 0.0.0.0 means every address. Without a host Node listens on IPv6 too, if the machine has it: in an IPv6 cluster a pod
    // has no other addresses, and its probes would fail.
    server.listen(host === '0.0.0.0' ? { port } : { host, port }, resolve);
  });
}

function listenFailure(address: string, { code = 'an error' }: NodeJS.ErrnoException): Problem {
  return new Problem({
    code: 'usage.value',
    subject: '--listen',
    message: `cannot listen on ${address} (${code})`,
    remedy: isOpenFilesCode(code)
      ? OPEN_FILES_REMEDY
      : (listenRemedies[code] ?? 'Use an address of this pod, such as 0.0.0.0:8181, or off.'),
  });
}

const listenRemedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Containers of a pod share their ports: use another port, or off.',
  EACCES: 'Use a port above 1023, or off.',
};
