/**
 * Asks a running sidecar for its status, at the address it listens on.
 */

import { get } from 'node:http';
import { Problem } from '../core/problem.ts';
import type { SidecarStatus } from '../sidecar/status.ts';

/** Bytes: a thousand files with long names. */
const LARGEST = 4 * 1024 * 1024;

/** The page /status. Throws a Problem when nobody, or somebody else, answers within `timeout` milliseconds. */
export async function fetchStatus(
  listen: { readonly host: string; readonly port: number },
  timeout: number,
): Promise<SidecarStatus> {
  const host = reachable(listen.host);
  const address = host.includes(':') ? `[${host}]:${listen.port}` : `${host}:${listen.port}`;
  const body = await fetchBody(host, listen.port, timeout).catch((error: unknown) => {
    throw unexpected(
      address,
      codeOf(error),
      'Run it in the container of the sidecar, with the --listen it has.',
    );
  });
  const status = parsed(body);
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

/** The page, if it is one of ours. */
function parsed(body: string): SidecarStatus | undefined {
  try {
    const value = JSON.parse(body);
    return typeof value?.version === 'string' &&
      Array.isArray(value.configs) &&
      Array.isArray(value.notifiers)
      ? value
      : undefined;
  } catch {
    return undefined;
  }
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
