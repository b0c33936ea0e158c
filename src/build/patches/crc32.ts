/**
 * The SDK's CRC-32 looks for a native one in zlib as soon as it is loaded. No request here carries such a checksum: the
 * patch leaves only the implementation in JavaScript, which esbuild drops because nothing uses it.
 */

import type { Patch } from './patch.ts';

export const crc32: Patch = {
  file: '@smithy/core/dist-es/submodules/checksum/crc32/Crc32Node.js',
  changes: [
    ['import * as zlib from "node:zlib";', ''],
    ['const zlibCrc32 = typeof zlib.crc32 === "function" ? zlib.crc32 : undefined;', ''],
    ['zlibCrc32 ? buildNativeClass(zlibCrc32) : Crc32Js', 'Crc32Js'],
  ],
};
