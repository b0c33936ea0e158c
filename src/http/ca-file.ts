/** A PEM file of certificate authorities, which a variable of the environment names. */

import { Problem } from '../core/problem.ts';
import { readRegularFile } from '../core/regular-file.ts';
import { escapeControl } from '../core/text.ts';

/** Bytes. The certificates that Node itself contains have 200 KiB. */
const MAX_SIZE = 4 * 1024 * 1024;

/** The text of a file that has a certificate; otherwise what was found instead, like `a directory` or `ENOENT`. */
export function readCaFile(file: string): { readonly pem: string } | { readonly found: string } {
  const content = readRegularFile(file, MAX_SIZE);
  if (content.kind === 'failed') return { found: content.found ?? content.code };
  const pem = new TextDecoder().decode(content.bytes);
  const begun = pem.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) return { found: 'a file without one' };
  const isWhole = pem.match(CERTIFICATE)?.length === begun;
  return isWhole ? { pem } : { found: 'a damaged or indented one' };
}

/** OpenSSL ends at a truncated or indented certificate, without an error and without the certificates after it. */
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----\s[a-zA-Z0-9+/=\s]+^-----END CERTIFICATE-----/gm;

/** `found`: what is there instead of certificates. */
export function caFileProblem(variable: string, file: string, found: string, cause?: unknown): Problem {
  return new Problem({
    code: 'usage.environment',
    subject: variable,
    message: `expected a PEM file with certificates, got ${escapeControl(found)} for ${escapeControl(file)}`,
    remedy: 'Mount the file into this container, or remove the variable.',
    cause,
  });
}
