/** Node's codes for failures of TLS. */

/** Whether the server's certificate, or the trust in it, is the cause. */
export function isTlsCode(code: string | undefined): boolean {
  return (
    code !== undefined &&
    /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/.test(
      code,
    )
  );
}
