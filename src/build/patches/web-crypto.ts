/**
 * The SDK takes its random ids from the web's crypto, which Node then loads beside its own, and asks for it while it is
 * itself loaded, before a request is on its way. Node's own has the same function.
 */

import type { Patch } from './patch.ts';

export const webCrypto: Patch = {
  file: '@smithy/core/dist-es/submodules/serde/uuid/v4.js',
  saves: '0.05 times the start of Node',
  changes: [
    [
      'if (typeof crypto !== "undefined" && typeof crypto.randomUUID === "function") {',
      'if (typeof getRandomValues === "function") {',
    ],
    ['return () => crypto.randomUUID();', 'return () => randomUUID();'],
    ['const decimalToHex =', 'import { randomUUID } from "node:crypto"; const decimalToHex ='],
  ],
};
