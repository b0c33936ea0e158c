/**
 * What is answered to a request: values in, a value out.
 *
 * /livez, /readyz, /metrics and /status for anyone who can reach the port; POST /refresh for this pod alone. No answer holds
 * a secret, and no request can hold anything that is needed: bodies are never read.
 */

/** What the pages show and do. */
export interface Pages {
  readonly status: () => StatusPage;
  /** In Prometheus' text format. */
  readonly metrics: () => string;
  /** Asks for a sync; any number of calls are one. */
  readonly refresh: () => void;
}

/** As much of /status as /readyz needs; the page shows all of it. */
interface StatusPage {
  readonly ready: boolean;
  readonly configs: readonly { readonly ready: boolean; readonly directory: string }[];
}

/** As much of a request as an answer depends on. */
export interface HttpRequest {
  readonly method: string;
  /** As sent, with its query. */
  readonly target: string;
  /** The address of the other end. */
  readonly peer: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** A proxy says that it passes on what somebody else sent. */
  readonly forwarded: boolean;
}

/** An answer, complete but for its length. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to a request. HEAD is answered as GET; whoever sends it leaves out the body. */
export function route(request: HttpRequest, pages: Pages): HttpAnswer {
  const path = request.target.split('?', 1)[0] ?? '';
  if (!isPath(path)) return text(404, `expected one of ${Object.keys(paths).join(', ')}`);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== paths[path]) {
    return text(405, `expected ${paths[path]}`, { allow: paths[path] === 'GET' ? 'GET, HEAD' : paths[path] });
  }
  switch (path) {
    case '/livez':
      // That it is answered is the answer: the event loop turns. AWS must never restart a pod.
      return text(200, 'ok');
    case '/readyz': {
      const { ready, configs } = pages.status();
      const waiting = configs.filter((config) => !config.ready).map(({ directory }) => directory);
      return ready ? text(200, 'ok') : text(503, `waiting for the first publish to ${waiting.join(', ')}`);
    }
    case '/metrics':
      return { status: 200, headers: { 'content-type': EXPOSITION_TYPE }, body: pages.metrics() };
    case '/status':
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: `${JSON.stringify(pages.status(), undefined, 2)}\n`,
      };
    case '/refresh': {
      const refused = refusal(request);
      if (refused !== undefined) return text(403, refused);
      pages.refresh();
      return text(202, 'a sync was asked for');
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
 * Why a request may not ask for a sync: it costs money, so only this pod may. A web page that is open on the same machine is
 * not this pod: it sends an Origin, or a Host that was made to resolve to us. Neither is whoever comes in by the proxy of a
 * service mesh, which has the addresses of this pod.
 */
function refusal({ peer, host, origin, forwarded }: HttpRequest): string | undefined {
  if (forwarded || !isLoopback(peer.replace(/^::ffff:/, ''))) return 'expected a request from this pod';
  if (origin !== undefined) return 'expected a request without Origin';
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (name !== 'localhost' && !isLoopback(name)) return 'expected localhost as Host';
  return undefined;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

function text(status: number, line: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: `${line}\n` };
}
