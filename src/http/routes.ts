/**
 * Maps a request to a response, both as values.
 *
 * /livez, /readyz, /metrics and /status are for every client that can reach the port, POST /refresh only for this pod. No
 * response contains a secret, and request bodies are never read.
 */

import { escapedJson } from '../core/text.ts';

/** The contents of the endpoints, and the effect of POST /refresh. */
export interface Endpoints {
  readonly status: () => StatusPage;
  /** In Prometheus' text format. */
  readonly metrics: () => string;
  /** Schedules a sync; calls are coalesced. */
  readonly refresh: () => void;
}

/** The part of /status that /readyz needs; the page shows all of it. */
interface StatusPage {
  readonly ready: boolean;
  readonly configs: readonly { readonly ready: boolean; readonly directory: string }[];
}

/** The part of a request that the response depends on. */
export interface HttpRequest {
  readonly method: string;
  /** As sent, with its query. */
  readonly target: string;
  /** The address of the client. */
  readonly peer: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Whether a header shows that a proxy forwards the request of another client. */
  readonly forwarded: boolean;
}

/** A response without its content-length. */
export interface RouteResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The response to a request. HEAD is treated as GET; the server omits the body. */
export function route(request: HttpRequest, endpoints: Endpoints): RouteResponse {
  const path = request.target.split('?', 1)[0] ?? '';
  if (!isPath(path)) return text(404, `not found: the endpoints are ${Object.keys(paths).join(', ')}`);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== paths[path]) {
    return text(405, `method not allowed: use ${paths[path]}`, {
      allow: paths[path] === 'GET' ? 'GET, HEAD' : paths[path],
    });
  }
  switch (path) {
    case '/livez':
      // A response shows that the event loop runs. It never depends on AWS, because an AWS outage must not restart a pod.
      return text(200, 'ok');
    case '/readyz': {
      const { ready, configs } = endpoints.status();
      if (ready) return text(200, 'ok');
      const waiting = configs.filter((config) => !config.ready).map(({ directory }) => directory);
      // A config of exec may have no directory.
      const place = waiting.includes('') ? '' : ` to ${waiting.join(', ')}`;
      return text(503, `waiting for the first publish${place}`);
    }
    case '/metrics':
      return { status: 200, headers: { 'content-type': EXPOSITION_TYPE }, body: endpoints.metrics() };
    case '/status':
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: `${escapedJson(endpoints.status(), 2)}\n`,
      };
    case '/refresh': {
      const reason = rejection(request);
      if (reason !== undefined) return text(403, reason);
      endpoints.refresh();
      return text(202, 'refresh scheduled');
    }
    default:
      return path satisfies never;
  }
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const paths = {
  '/livez': 'GET',
  '/readyz': 'GET',
  '/metrics': 'GET',
  '/status': 'GET',
  '/refresh': 'POST',
} as const;

function isPath(path: string): path is keyof typeof paths {
  return Object.hasOwn(paths, path);
}

/**
 * Why a request may not trigger a sync. A sync costs money, so only this pod may trigger one. A web page in a browser on the same
 * machine is rejected: it sends an Origin, or a Host name that resolves to loopback (DNS rebinding). So is a client behind the
 * proxy of a service mesh, whose requests come from this pod's own addresses.
 */
function rejection({ peer, host, origin, forwarded }: HttpRequest): string | undefined {
  if (forwarded || !isLoopback(peer.replace(/^::ffff:/, '')))
    return 'forbidden: only this pod may trigger a sync';
  if (origin !== undefined) return 'forbidden: a request with an Origin comes from a web page';
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (name !== 'localhost' && !isLoopback(name)) return 'forbidden: the Host is not localhost';
  return undefined;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

function text(status: number, line: string, headers: Readonly<Record<string, string>> = {}): RouteResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: `${line}\n` };
}
