/**
 * Fetches the status of a running sidecar from the address that it listens on.
 */

import { Problem } from '../core/problem.ts';
import { parseJson } from '../core/unknown.ts';
import { sendRequest } from './request.ts';

/** Bytes; enough for thousands of files with long names. */
const LARGEST = 4 * 1024 * 1024;

/**
 * The page /status, parsed by `read`. Throws a Problem without a response within `timeout` milliseconds, or if `read` returns
 * undefined because it is another page.
 */
export async function fetchStatus<Page>(
  listen: { readonly host: string; readonly port: number },
  timeout: number,
  read: (page: unknown) => Page | undefined,
): Promise<Page> {
  const host = reachable(listen.host);
  const address = host.includes(':') ? `[${host}]:${listen.port}` : `${host}:${listen.port}`;
  const body = await fetchBody(host, listen.port, timeout).catch((error: unknown) => {
    throw noSidecar(
      address,
      reasonOf(error),
      'Run it in the container of the sidecar, with the same --listen.',
    );
  });
  const status = read(parseJson(body));
  if (status === undefined) {
    throw noSidecar(
      address,
      'it is not the status page of podsecrets',
      'Another program listens there: use the --listen of the sidecar.',
    );
  }
  return status;
}

/** The address to connect to for a server that listens on all addresses. */
function reachable(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

async function fetchBody(host: string, port: number, timeout: number): Promise<string> {
  const { body } = await sendRequest({
    protocol: 'http:',
    host,
    port,
    method: 'GET',
    path: '/status',
    headers: {},
    body: undefined,
    agent: undefined,
    largestBody: LARGEST,
    signal: AbortSignal.timeout(timeout),
  });
  return new TextDecoder().decode(body);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'TimeoutError':
      return 'no response in time';
    case 'ERR_UPGRADED':
      return 'it uses another protocol';
    case 'ERR_RESPONSE_TOO_LARGE':
      return 'the page is larger than 4 MiB';
    default:
      return code ?? message;
  }
}

function noSidecar(address: string, got: string, remedy: string): Problem {
  return new Problem({
    code: 'usage.value',
    subject: '--listen',
    message: `no sidecar responds at ${address}: ${got}`,
    remedy,
  });
}
