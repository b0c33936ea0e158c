/**
 * Notifies the application by a POST to its URL: `{"files":[names that changed]}`.
 *
 * Any 2xx is success. A redirect is not followed: a reload endpoint that moved is a mistake that must be reported. Each
 * attempt has its own connection and one time limit over all of it. Of the response's body, or of a redirect's target, at
 * most 200 characters are shown, only when the status is not 2xx, and only with every published value redacted.
 */

import type { IncomingMessage, RequestOptions } from 'node:http';
import { durationText } from '../cli/values.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { Notifier } from './notifier.ts';

/** How responses are redacted, and how long they may take. */
export interface UrlOptions {
  /** Replaces published values in a response. */
  readonly redact: (text: string) => string;
  /** Milliseconds for the whole of an attempt; default 10 s. */
  readonly timeout?: number;
}

/** POSTs the names of the files that changed. */
export function urlNotifier(url: string, { redact, timeout = 10_000 }: UrlOptions): Notifier {
  // A query may hold a token of the application's, and so is not shown.
  const { origin, pathname } = new URL(url);
  const subject = escapeControl(`${origin}${pathname}`);
  return {
    kind: 'url',
    async notify(names, signal) {
      signal.throwIfAborted();
      const body = JSON.stringify({ files: names });
      try {
        const { response, text } = await post(new URL(url), body, signal, timeout);
        signal.throwIfAborted();
        const status = response.statusCode ?? 0;
        if (status < 200 || status > 299) throw refusal(subject, status, response, text, redact);
      } catch (error) {
        signal.throwIfAborted();
        throw connectionFailure(subject, error) ?? error;
      }
    },
  };
}

interface Response {
  readonly response: IncomingMessage;
  readonly text: string;
}

class Timeout extends Error {
  readonly code = 'TIMEOUT';
}

/** One request, on a connection that ends with it. */
async function post(url: URL, body: string, signal: AbortSignal, timeout: number): Promise<Response> {
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
    const timer = setTimeout(() => outgoing.destroy(new Timeout(durationText(timeout))), timeout);
    // Once there is a status, an error is only about the rest of the body.
    outgoing.on('error', (error) => answered || reject(error));
    outgoing.on('close', () => {
      clearTimeout(timer);
      // A switch of protocols (101) ends the connection without an error and without a response.
      if (!answered) reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    });
    outgoing.end(body);
  });
}

/** Bytes of a response that are read: more than the largest secret (64 KiB), so that none is cut before it can be redacted. */
const BODY_LIMIT = 128 * 1024;

/** The body, or as much of it as arrived before its limit or its end; never rejects, because the status is known by then. */
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
    // Ended by the other side, by the time limit or by a stop.
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(
  subject: string,
  status: number,
  response: IncomingMessage,
  text: string,
  redact: UrlOptions['redact'],
): Problem {
  const { location = 'nowhere', 'retry-after': retryAfter } = response.headers;
  const moved = status >= 300 && status < 400;
  const body = redact(text).trim();
  const said = moved
    ? ` to ${escapeControl(redact(withoutQuery(location)))}`
    : body === ''
      ? ''
      : `: ${escapeControl(body)}`;
  return new Problem({
    code: 'notify.url',
    subject,
    message: moved ? `redirects (${status})${said}` : `responded with ${status}${said}`,
    remedy: moved
      ? 'Give the URL that it redirects to; redirects are not followed.'
      : 'Correct the error that it reports; see the log of the application.',
    retry: status >= 500 || status === 408 || status === 425 || status === 429,
    ...(/^\d{1,6}$/.test(retryAfter ?? '') ? { retryAfter: Number(retryAfter) * 1000 } : {}),
  });
}

/** A location without its query, which often is our own with its token, and without a password. */
function withoutQuery(location: string): string {
  return location.replace(/[?#].*$/s, '').replace(/^([a-z+.-]*:?\/\/)[^/]*@/i, '$1');
}

/** The Problem of a connection error; undefined for any other error. */
function connectionFailure(subject: string, error: unknown): Problem | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof Problem || code === undefined) return undefined;
  const { text, remedy, retry } = meaningOf(code, message);
  return new Problem({
    code: 'notify.url',
    subject,
    message: text,
    remedy,
    retry,
  });
}

interface Meaning {
  readonly text: string;
  readonly remedy: string;
  readonly retry: boolean;
}

function meaningOf(code: string, message: string): Meaning {
  switch (code) {
    case 'TIMEOUT':
      return {
        text: `no response within ${message}`,
        remedy: 'Let the endpoint respond at once and reload afterwards.',
        retry: true,
      };
    case 'ECONNREFUSED':
      return {
        text: `connection refused (${code})`,
        remedy: 'No process listens there: correct the port, or wait until the application has started.',
        retry: true,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        text: `the host name does not resolve (${code})`,
        remedy: 'Containers of a pod reach each other as localhost: correct the name, or repair the DNS.',
        retry: true,
      };
    case 'EPROTO':
      return {
        text: `the endpoint does not speak TLS (${code})`,
        remedy: 'If the endpoint speaks plain HTTP, write http: instead of https:.',
        retry: false,
      };
    default:
      if (code.startsWith('HPE_')) {
        return {
          text: `the endpoint does not speak HTTP/1.1 (${code})`,
          remedy: 'Give an HTTP endpoint; if it speaks TLS, write https: instead of http:.',
          retry: false,
        };
      }
      if (/CERT|SIGNATURE|_TLS_|ISSUER/.test(code)) {
        return {
          text: `the certificate cannot be verified (${code})`,
          remedy:
            'Give its CA in NODE_EXTRA_CA_CERTS and the host that it is for, or use http: within the pod.',
          retry: false,
        };
      }
      return {
        text: `no response (${code})`,
        remedy: 'See the log of the application.',
        retry: true,
      };
  }
}
