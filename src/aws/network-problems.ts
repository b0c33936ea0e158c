/** Errors of a call to AWS that got no response: DNS, proxy, connection, TLS. Each names host and port. */

import { escapeControl } from '../core/text.ts';
import { isTlsCode } from '../http/tls-code.ts';
import type { AwsErrorFacts } from './error-facts.ts';

interface Texts {
  readonly message: string;
  readonly remedy: string;
}

/** `where`: the operation and region; `got`: the code. */
export function networkTexts(where: string, got: string, failure: AwsErrorFacts): Texts {
  const { code, phase } = failure;
  const peer = failure.peer === undefined ? 'AWS' : escapeControl(failure.peer);
  if (phase === 'proxy')
    return {
      message: `no connection through the proxy ${peer} for ${where} (${got})`,
      remedy: code === 'ERR_PROXY_TUNNEL' ? PROXY_REJECTS : PROXY_UNREACHABLE,
    };
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL_'))
    return {
      message: `the TLS handshake with ${peer} for ${where} failed (${got})`,
      remedy:
        'Check that the endpoint uses TLS: if it is plain HTTP, write http: in AWS_ENDPOINT_URL; if a proxy or a firewall responds instead, allow TLS through it.',
    };
  if (isTlsCode(code))
    return {
      message: `no trusted TLS connection to ${peer} for ${where} (${got})`,
      remedy: tlsRemedies[code ?? ''] ?? PRIVATE_AUTHORITY,
    };
  if (code === 'TimeoutError' && phase === 'lookup')
    return {
      message: `the DNS lookup of ${peer} for ${where} timed out`,
      remedy: 'Check the DNS server of this machine or cluster: it does not respond.',
    };
  const message =
    code !== 'TimeoutError'
      ? `no response from ${peer} for ${where} (${got})`
      : phase === 'connect'
        ? `the connection to ${peer} for ${where} timed out`
        : `no response from ${peer} for ${where} within the timeout`;
  return {
    message,
    remedy: networkRemedies[code ?? ''] ?? 'Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL.',
  };
}

const PROXY_UNREACHABLE =
  'Check host and port in HTTPS_PROXY, and that this container can reach them; NO_PROXY names hosts that need no proxy.';

const PROXY_REJECTS =
  'The proxy rejects the connection: check its address and credentials in HTTPS_PROXY, and that it allows this host.';

const PRIVATE_AUTHORITY =
  'If a proxy or a VPC endpoint uses a private CA, set AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS to its PEM file.';

const tlsRemedies: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "Check the node's clock; if it is right, renew the certificate of the server.",
  CERT_NOT_YET_VALID: "Check the node's clock: the certificate is not valid yet.",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for another host name: correct AWS_ENDPOINT_URL, or the DNS name of the VPC endpoint or proxy.',
};

const networkRemedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this address: check AWS_ENDPOINT_URL, HTTPS_PROXY and the port.',
  ENOTFOUND: 'Check the region, DNS, and AWS_ENDPOINT_URL.',
  EAI_AGAIN: 'Check the DNS server of this machine or cluster: it did not respond.',
  EMFILE: 'Raise the limit of open files (ulimit -n) of the container: it is reached.',
  ERR_PROXY_TUNNEL: PROXY_REJECTS,
  TimeoutError:
    'Check routes, security groups and network policies to the endpoint; a slow endpoint may need a longer --aws-timeout.',
  ETIMEDOUT: 'Check routes, security groups and network policies to the endpoint.',
};
