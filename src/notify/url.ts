/**
 * Notifies the application by a POST to its URL: `{"files":[names that changed]}`.
 *
 * Any 2xx is success. A redirect is not followed: a reload endpoint that moved is a mistake that must be reported. Each
 * attempt has its own connection and one time limit over all of it. Of the response's body, or of a redirect's target, at
 * most 200 characters are shown, only when the status is not 2xx, and only with every published value redacted.
 */

import { durationText } from '../cli/values.ts';
import { OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { type HttpResponse, sendRequest } from '../http/request.ts';
import { certificateRemedy, isHandshakeCode, isTlsCode } from '../http/tls-code.ts';
import { NOT_SHOWN, type Notifier, type Redact } from './notifier.ts';
import { targetSubject } from './request.ts';

/** How responses are redacted, and how long they may take. */
export interface UrlOptions {
  /** Replaces published values in a response; undefined if it may show a value that is unavailable. */
  readonly redact: Redact;
  /** Milliseconds for the whole of an attempt; default 10 s. */
  readonly timeout?: number;
}

/** POSTs the names of the files that changed. */
export function urlNotifier(url: string, { redact, timeout = 10_000 }: UrlOptions): Notifier {
  const subject = targetSubject({ kind: 'url', url });
  return {
    kind: 'url',
    async notify(names, signal) {
      signal.throwIfAborted();
      const body = JSON.stringify({ files: names });
      try {
        const response = await post(new URL(url), body, signal, timeout);
        signal.throwIfAborted();
        if (response.status < 200 || response.status > 299) throw rejection(subject, response, redact);
      } catch (error) {
        signal.throwIfAborted();
        throw connectionFailure(subject, error, timeout) ?? error;
      }
    },
  };
}

/** Bytes of a response that are read: more than the largest secret (64 KiB), so that none is cut before it can be redacted. */
const BODY_LIMIT = 128 * 1024;

/** One request, on a connection that ends with it. The body may be incomplete, because the status alone decides. */
function post(url: URL, body: string, signal: AbortSignal, timeout: number): Promise<HttpResponse> {
  const { username, password } = url;
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return sendRequest({
    protocol: url.protocol === 'https:' ? 'https:' : 'http:',
    host: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'podsecrets',
      connection: 'close',
      host: url.host,
      ...(user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
    },
    body,
    agent: undefined,
    largestBody: BODY_LIMIT,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    keepPartialBody: true,
  });
}

function rejection(subject: string, { status, headers, body: bytes }: HttpResponse, redact: Redact): Problem {
  const { location = 'nowhere', 'retry-after': retryAfter } = headers;
  const moved = status >= 300 && status < 400;
  const text = moved ? withoutQuery(location) : new TextDecoder().decode(bytes).trim();
  const shown = text === '' ? '' : escapeControl(redact(text) ?? NOT_SHOWN);
  const details = moved ? ` to ${shown}` : shown === '' ? '' : `: ${shown}`;
  return new Problem({
    code: 'notify.url',
    subject,
    message: moved ? `redirects (${status})${details}` : `responded with ${status}${details}`,
    remedy: moved
      ? 'Use the URL that it redirects to; redirects are not followed.'
      : 'Correct the error that it reports; see the log of the application.',
    retry: status >= 500 || status === 408 || status === 425 || status === 429,
    ...(/^\d{1,6}$/.test(retryAfter ?? '') ? { retryAfter: Number(retryAfter) * 1000 } : {}),
  });
}

/** A location without its query, which is often the request's own query with a token, and without a password. */
function withoutQuery(location: string): string {
  return location.replace(/[?#].*$/s, '').replace(/^([a-z+.-]*:?\/\/)[^/]*@/i, '$1');
}

/** The Problem of a connection error; undefined for any other error. */
function connectionFailure(subject: string, error: unknown, timeout: number): Problem | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof Problem || code === undefined) return undefined;
  const { text, remedy, retry } = meaningOf(code, timeout);
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

function meaningOf(code: string, timeout: number): Meaning {
  switch (code) {
    case 'TimeoutError':
      return {
        text: `no response within ${durationText(timeout)}`,
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
    case 'EMFILE':
    case 'ENFILE':
      return { text: `no connection (${code})`, remedy: OPEN_FILES_REMEDY, retry: true };
    case 'ERR_UPGRADED':
      return {
        text: `the endpoint changed to another protocol (${code})`,
        remedy: 'Use an HTTP endpoint that responds to a POST.',
        retry: true,
      };
    default:
      if (code.startsWith('HPE_')) {
        return {
          text: `the endpoint does not use HTTP/1.1 (${code})`,
          remedy: 'Use an HTTP endpoint; if it uses TLS, write https: instead of http:.',
          retry: false,
        };
      }
      if (isHandshakeCode(code)) {
        return {
          text: `the endpoint does not use TLS (${code})`,
          remedy: 'If the endpoint uses plain HTTP, write http: instead of https:.',
          retry: false,
        };
      }
      if (isTlsCode(code)) {
        return {
          text: `the certificate cannot be verified (${code})`,
          remedy:
            certificateRemedy(code, 'use the host name in it, or http: within the pod.') ??
            'Set NODE_EXTRA_CA_CERTS to its CA, or use http: within the pod.',
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
