/** Node's codes for failures of TLS, and the remedies that do not depend on the server. */

/** Whether the server's certificate, or the trust in it, is the cause. */
export function isTlsCode(code: string | undefined): boolean {
  return (
    code !== undefined &&
    /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/.test(
      code,
    )
  );
}

/** Whether something other than TLS responds, or another version of it. */
export function isHandshakeCode(code: string | undefined): boolean {
  return code === 'EPROTO' || code?.startsWith('ERR_SSL_') === true;
}

/**
 * The remedy for a certificate that is not valid now, or is for another host; undefined for any other code. `correctHost`: how to
 * correct the name of the host.
 */
export function certificateRemedy(code: string | undefined, correctHost: string): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return "Check the node's clock; if it is right, renew the certificate of the server.";
    case 'CERT_NOT_YET_VALID':
      return "Check the node's clock: the certificate is not valid yet.";
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `The certificate is for another host name: ${correctHost}`;
    default:
      return undefined;
  }
}
