/**
 * Asks a running sidecar for its status, at the address it listens on.
 */

import { get } from 'node:http';
import { Problem } from '../core/problem.ts';
import { parseJson } from '../core/unknown.ts';

/** Bytes: a thousand files with long names. */
const LARGEST = 4 * 1024 * 1024;

/**
 * The page /status, as `read` takes it from its JSON. Throws a Problem when there is no answer within `timeout` milliseconds,
 * or when `read` says with undefined that it is another page.
 */
export async function fetchStatus<Page>(
  listen: { readonly host: string; readonly port: number },
  timeout: number,
  read: (page: unknown) => Page | undefined,
): Promise<Page> {
  const host = reachable(listen.host);
  const address = host.includes(':') ? `[${host}]:${listen.port}` : `${host}:${listen.port}`;
  const body = await fetchBody(host, listen.port, timeout).catch((error: unknown) => {
    throw unexpected(
      address,
      codeOf(error),
      'Run it in the container of the sidecar, with the --listen it has.',
    );
  });
  const status = read(parseJson(body));
  if (status === undefined) {
    throw unexpected(
      address,
      'another page',
      'Something else listens there: give the --listen of the sidecar.',
    );
  }
  return status;
}

/** The address at which a server that listens everywhere can be reached from here. */
function reachable(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

function fetchBody(host: string, port: number, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeout);
    const request = get({ host, port, path: '/status', agent: false, signal }, async (response) => {
      try {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) {
          body += chunk;
          if (body.length > LARGEST) throw new Error('a page without end');
        }
        resolve(body);
      } catch (error) {
        reject(error);
      }
    });
    request.on('error', reject);
    // Unheard, it would end the connection without an error, and without an answer.
    request.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error('another protocol'));
    });
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ABORT_ERR' ? 'no answer in time' : (code ?? message);
}

function unexpected(address: string, got: string, remedy: string): Problem {
  return new Problem({
    code: 'usage.value',
    subject: '--listen',
    message: `expected a sidecar that answers at ${address}, got ${got}`,
    remedy,
  });
}
