/**
 * Tells the application by a POST to a URL of its own: `{"files":[names that changed]}`.
 *
 * Any 2xx is success, a redirect is not followed: a reload endpoint that moved is a mistake to be seen. One connection for
 * each try, with a time limit over all of it. Of an answer's body, or of where it redirects to, at most 200 characters are
 * shown, only when it is no 2xx, and only after every published value was taken out.
 */

import type { IncomingMessage, RequestOptions } from 'node:http';
import { durationText } from '../cli/values.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { Notifier } from './notifier.ts';
import { changedPaths } from './pending-names.ts';

/** What may be shown of an answer, and how long it may take. */
export interface UrlOptions {
  /** Takes published values out of what was answered. */
  readonly scrub: (text: string) => string;
  /** Milliseconds for the whole of a try; default 10 s. */
  readonly timeout?: number;
}

/** POSTs the names of the files that changed. */
export function urlNotifier(url: string, { scrub, timeout = 10_000 }: UrlOptions): Notifier {
  // A query may hold a token of the application's, and so is not shown.
  const { origin, pathname } = new URL(url);
  const subject = escapeControl(`${origin}${pathname}`);
  return {
    kind: 'url',
    async notify(change, signal) {
      signal.throwIfAborted();
      const body = JSON.stringify({ files: changedPaths(change) });
      try {
        const { response, text } = await post(new URL(url), body, signal, timeout);
        signal.throwIfAborted();
        const status = response.statusCode ?? 0;
        if (status < 200 || status > 299) throw refusal(subject, status, response, text, scrub);
      } catch (error) {
        signal.throwIfAborted();
        throw connectionFailure(subject, error) ?? error;
      }
    },
  };
}

interface Answer {
  readonly response: IncomingMessage;
  readonly text: string;
}

class Late extends Error {
  readonly code = 'LATE';
}

/** One request, on a connection that ends with it. */
async function post(url: URL, body: string, signal: AbortSignal, timeout: number): Promise<Answer> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    signal,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'podsecrets',
      connection: 'close',
    },
  };
  return new Promise((resolve, reject) => {
    let answered = false;
    const outgoing = request(url, options, (response) => {
      answered = true;
      readBody(response).then((text) => resolve({ response, text }));
    });
    const timer = setTimeout(() => outgoing.destroy(new Late(durationText(timeout))), timeout);
    // Once there is a status, an error is only about the rest of the body.
    outgoing.on('error', (error) => answered || reject(error));
    outgoing.on('close', () => {
      clearTimeout(timer);
      // An answer of another protocol (101) ends the connection without an error, and without an answer.
      if (!answered) reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    });
    outgoing.end(body);
  });
}

/** Bytes of an answer that are read: more than the largest secret (64 KiB), so that none is cut before it can be recognised. */
const BODY_LIMIT = 128 * 1024;

/** The body, or as much of it as came before its limit or its end; never rejects, for the status is known by then. */
async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > BODY_LIMIT) break;
    }
  } catch {
    // Cut off by the other side, by the time limit or by a stop.
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(
  subject: string,
  status: number,
  response: IncomingMessage,
  text: string,
  scrub: UrlOptions['scrub'],
): Problem {
  const { location = 'nowhere', 'retry-after': retryAfter } = response.headers;
  const moved = status >= 300 && status < 400;
  const body = scrub(text).trim();
  const said = moved
    ? ` to ${escapeControl(scrub(openPart(location)))}`
    : body === ''
      ? ''
      : `: ${escapeControl(body)}`;
  return new Problem({
    code: 'notify.url',
    subject,
    message: `expected a 2xx answer, got ${status}${said}`,
    remedy: moved
      ? 'Give the URL that answers itself; redirects are not followed.'
      : 'Correct what it complains of; see the log of the application.',
    retry: status >= 500 || status === 408 || status === 425 || status === 429,
    ...(/^\d{1,6}$/.test(retryAfter ?? '') ? { retryAfter: Number(retryAfter) * 1000 } : {}),
  });
}

/** A location without its query, which often is our own with its token, and without a password. */
function openPart(location: string): string {
  return location.replace(/[?#].*$/s, '').replace(/^([a-z+.-]*:?\/\/)[^/]*@/i, '$1');
}

/** What an error of a connection means; undefined when it is no such error. */
function connectionFailure(subject: string, error: unknown): Problem | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof Problem || code === undefined) return undefined;
  const { expected, got, remedy, retry } = meaningOf(code, message);
  return new Problem({
    code: 'notify.url',
    subject,
    message: `expected ${expected}, got ${got}`,
    remedy,
    retry,
  });
}

interface Meaning {
  readonly expected: string;
  readonly got: string;
  readonly remedy: string;
  readonly retry: boolean;
}

function meaningOf(code: string, message: string): Meaning {
  switch (code) {
    case 'LATE':
      return {
        expected: `an answer within ${message}`,
        got: 'none',
        remedy: 'Let the endpoint answer at once and reload afterwards.',
        retry: true,
      };
    case 'ECONNREFUSED':
      return {
        expected: 'a connection',
        got: code,
        remedy: 'Nobody listens there: correct the port, or wait until the application has started.',
        retry: true,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        expected: 'a host name that resolves',
        got: code,
        remedy: 'Containers of a pod reach each other as localhost: correct the name, or mend the DNS.',
        retry: true,
      };
    case 'EPROTO':
      return {
        expected: 'TLS',
        got: 'something else',
        remedy: 'If the endpoint speaks plain HTTP, write http: instead of https:.',
        retry: false,
      };
    default:
      if (code.startsWith('HPE_')) {
        return {
          expected: 'HTTP/1.1',
          got: code,
          remedy: 'Name an HTTP endpoint; if it speaks TLS, write https: instead of http:.',
          retry: false,
        };
      }
      if (/CERT|SIGNATURE|_TLS_|ISSUER/.test(code)) {
        return {
          expected: 'a certificate that can be verified',
          got: code,
          remedy:
            'Name its CA with NODE_EXTRA_CA_CERTS and the host that it is for, or use http: within the pod.',
          retry: false,
        };
      }
      return {
        expected: 'an answer',
        got: code,
        remedy: 'See the log of the application.',
        retry: true,
      };
  }
}
