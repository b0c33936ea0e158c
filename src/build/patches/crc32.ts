/**
 * The SDK's CRC-32 asks zlib, when it is loaded, whether it has one. No request here carries such a checksum. Its own
 * implementation in JavaScript takes the place of the native one, and is dropped because nothing uses it.
 */

import type { Patch } from './patch.ts';

export const crc32: Patch = {
  file: '@smithy/core/dist-es/submodules/checksum/crc32/Crc32Node.js',
  saves: '0.1 times the start of Node',
  changes: [
    ['import * as zlib from "node:zlib";', ''],
    ['const zlibCrc32 = typeof zlib.crc32 === "function" ? zlib.crc32 : undefined;', ''],
    ['zlibCrc32 ? buildNativeClass(zlibCrc32) : Crc32Js', 'Crc32Js'],
  ],
};
