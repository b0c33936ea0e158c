/**
 * Reads PKCS#12 with an empty password, for a `kubernetes.io/tls` Secret, like the CSI driver.
 *
 * node-forge parses it, because Node can load a PKCS#12 into a TLS context but cannot export the key from it. It adds 206 KiB
 * to the bundle and is loaded only for a file without PEM. The library's errors are dropped, because they may quote the file.
 */

import type forge from 'node-forge';

/** The contents of a PKCS#12 file, as DER. */
export interface Pkcs12 {
  /** DER of the certificates, in the order of the file. */
  readonly certificates: readonly Uint8Array[];
  /** DER of the last private key, PKCS#1 or PKCS#8 according to `keyForm`. */
  readonly key: Uint8Array | undefined;
  readonly keyForm: 'pkcs1' | 'pkcs8';
}

/** The certificates and the key; undefined if the bytes are not PKCS#12 with an empty password. */
export async function openPkcs12(content: Uint8Array): Promise<Pkcs12 | undefined> {
  const { default: library } = await import('node-forge/lib/forge.js');
  await import('node-forge/lib/pkcs12.js');
  try {
    const der = library.util.createBuffer(Buffer.from(content).toString('latin1'));
    const store = library.pkcs12.pkcs12FromAsn1(library.asn1.fromDer(der), false, '');
    const bags = store.safeContents.flatMap((safe) => safe.safeBags);
    const { oids } = library.pki;
    const key = bags
      .filter((bag) => bag.type === oids.keyBag || bag.type === oids.pkcs8ShroudedKeyBag)
      .at(-1);
    return {
      certificates: bags
        .filter((bag) => bag.type === oids.certBag)
        .map((bag) => bytes(library, bag.cert ? library.pki.certificateToAsn1(bag.cert) : bag.asn1)),
      // The library understands RSA keys and writes them as PKCS#1; any other key it returns unchanged, as PKCS#8.
      key:
        key === undefined
          ? undefined
          : bytes(library, key.key ? library.pki.privateKeyToAsn1(key.key) : key.asn1),
      keyForm: key?.key ? 'pkcs1' : 'pkcs8',
    };
  } catch {
    return undefined;
  }
}

function bytes(library: typeof forge, value: forge.asn1.Asn1): Uint8Array {
  return Buffer.from(library.asn1.toDer(value).getBytes(), 'latin1');
}
