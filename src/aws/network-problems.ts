/** Errors of a call to AWS that got no response: DNS, proxy, connection, TLS. Each names host and port. */

import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { escapeControl } from '../core/text.ts';
import { certificateRemedy, isHandshakeCode, isTlsCode } from '../http/tls-code.ts';
import type { AwsErrorFacts } from './error-facts.ts';

interface Texts {
  readonly message: string;
  readonly remedy: string;
}

/** `where`: the operation and region; `got`: the code. */
export function networkTexts(where: string, got: string, failure: AwsErrorFacts): Texts {
  const remedy =
    networkRemedy(failure) ??
    unreachableRemedies[failure.code ?? ''] ??
    'Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL.';
  return { message: messageOf(where, got, failure), remedy };
}

function messageOf(where: string, got: string, failure: AwsErrorFacts): string {
  const { code, phase } = failure;
  const peer = failure.peer === undefined ? 'AWS' : escapeControl(failure.peer);
  if (isOpenFilesCode(code)) return `no connection to ${peer} for ${where} (${got})`;
  if (phase === 'proxy') return `no connection through the proxy ${peer} for ${where} (${got})`;
  if (isHandshakeCode(code)) return `the TLS handshake with ${peer} for ${where} failed (${got})`;
  if (isTlsCode(code)) return `no trusted TLS connection to ${peer} for ${where} (${got})`;
  if (code !== 'TimeoutError') return `no response from ${peer} for ${where} (${got})`;
  if (phase === 'lookup') return `the DNS lookup of ${peer} for ${where} timed out`;
  return phase === 'connect'
    ? `the connection to ${peer} for ${where} timed out`
    : `no response from ${peer} for ${where} within the timeout`;
}

/** The remedy for a cause that the code names, for any service; undefined if the server is simply not reached. */
export function networkRemedy({ code, phase, status }: AwsErrorFacts): string | undefined {
  if (isOpenFilesCode(code)) return OPEN_FILES_REMEDY;
  if (code === 'ERR_PROXY_TUNNEL') return proxyRejections[status ?? 0] ?? PROXY_REJECTS;
  if (phase === 'proxy') return PROXY_UNREACHABLE;
  if (isHandshakeCode(code)) return NO_TLS;
  if (isTlsCode(code)) return certificateRemedy(code, OTHER_HOST) ?? PRIVATE_AUTHORITY;
  return code === 'EAI_AGAIN' || (code === 'TimeoutError' && phase === 'lookup') ? DNS_SERVER : undefined;
}

const PROXY_UNREACHABLE =
  'Check host and port in HTTPS_PROXY, and that this container can reach them; NO_PROXY names hosts that need no proxy.';

const PROXY_REJECTS =
  'The proxy rejects the connection: check its address and credentials in HTTPS_PROXY, and that it allows this host.';

/** By the HTTP status of the proxy. */
const proxyRejections: Readonly<Record<number, string>> = {
  403: 'The proxy does not allow this host: allow it there, or name the host in NO_PROXY if it can be reached without a proxy.',
  407: 'The proxy requires a user and a password, or rejects them: correct them in HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT).',
};

const NO_TLS =
  'Check that the endpoint uses TLS: if it is plain HTTP, write http: in AWS_ENDPOINT_URL; if a proxy or a firewall responds instead, allow TLS through it.';

const PRIVATE_AUTHORITY =
  'If a proxy or a VPC endpoint uses a private CA, set AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS to its PEM file.';

const OTHER_HOST = 'correct AWS_ENDPOINT_URL, or the DNS name of the VPC endpoint or proxy.';

const DNS_SERVER = 'Check the DNS server of this machine or cluster: it did not respond.';

const unreachableRemedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this address: check AWS_ENDPOINT_URL, HTTPS_PROXY and the port.',
  ENOTFOUND: 'Check the region, DNS, and AWS_ENDPOINT_URL.',
  TimeoutError:
    'Check routes, security groups and network policies to the endpoint; a slow endpoint may need a longer --aws-timeout.',
  ETIMEDOUT: 'Check routes, security groups and network policies to the endpoint.',
};
