/**
 * The certificate authorities that TLS connections trust: Node's own, and those of NODE_EXTRA_CA_CERTS.
 *
 * OpenSSL parses every certificate of a TLS context, which takes a seventh of the instructions of a start for Node's 118. AWS uses
 * a few authorities of Amazon. So its endpoints get a context of these, and one of all only if they do not suffice. For any context
 * Node parses its own certificates too, unless it runs with --use-openssl-ca, as the program does (src/build/executable.ts). A
 * connection without a context would then trust what OpenSSL does, which SSL_CERT_FILE and SSL_CERT_DIR name, and none of Node's:
 * `trustByDefault` must precede every such connection.
 */

import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** Certificates in PEM, in arrays that Node's functions accept. */
export interface Authorities {
  /** Those of Amazon; empty if more than Node's own must be trusted. */
  amazon(): string[];
  all(): string[];
}

/** How the PEM of each begins, up to its serial number and more: https://www.amazontrust.com/repository */
const AMAZON: readonly string[] = [
  // Amazon Root CA 1 to 4.
  'MIIDQTCCAimgAwIBAgITBmyfz5m/jAo54vB4ikPmljZbyjANBgkqhkiG9w0BAQsFADA5MQsw',
  'MIIFQTCCAymgAwIBAgITBmyf0pY1hp8KD+WGePhbJruKNzANBgkqhkiG9w0BAQwFADA5MQsw',
  'MIIBtjCCAVugAwIBAgITBmyf1XSXNmY/Owua2eiedgPySjAKBggqhkjOPQQDAjA5MQswCQYD',
  'MIIB8jCCAXigAwIBAgITBmyf18G7EEwpQ+Vxe3ssyBrBDjAKBggqhkjOPQQDAzA5MQswCQYD',
  // Starfield Services Root Certificate Authority - G2, which signed the first four.
  'MIID7zCCAtegAwIBAgIBADANBgkqhkiG9w0BAQsFADCBmDELMAkGA1UEBhMCVVMxEDAOBgNV',
];

/** The authorities of this process. */
export const authorities: Authorities = {
  amazon: () => (getCACertificates('extra').length > 0 ? [] : amazonAmong(getCACertificates('bundled'))),
  all: () => [...getCACertificates('bundled'), ...getCACertificates('extra')],
};

/**
 * For connections whose context the program cannot choose: Node's to a proxy over TLS, the SDK's to a container's endpoint over TLS.
 * They trust all authorities of this process, and `more`, PEM with one or more certificates, from then on.
 */
export function trustByDefault(...more: readonly string[]): void {
  // Node's default contains those of earlier calls.
  setDefaultCACertificates([...getCACertificates('default'), ...authorities.all(), ...more]);
}

/** Only what Node contains itself: an authority that a new Node no longer trusts is not trusted here either. */
export function amazonAmong(bundled: readonly string[]): string[] {
  return bundled.filter((pem) => AMAZON.some((beginning) => pem.includes(beginning)));
}

/** Whether Amazon issues the certificate of this endpoint. In China and in the European Sovereign Cloud others may. */
export function isAmazonHost(host: string): boolean {
  return /\.(amazonaws\.com|api\.aws)$/.test(host);
}
