/**
 * The parts of node-forge that `pkcs12.ts` loads. The published types describe the whole package only, and the whole is
 * 90 KiB more of bundle than PKCS#12 needs.
 */

declare module 'node-forge/lib/forge.js' {
  import forge = require('node-forge');
  export = forge;
}

declare module 'node-forge/lib/pkcs12.js' {}
