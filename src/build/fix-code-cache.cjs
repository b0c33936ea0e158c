/**
 * Makes the stored code one that the program's V8 accepts, and sees that it does: node accept-code.cjs DIRECTORY
 *
 * V8 takes code only from a V8 of the same flags, whose hash is the fourth word of the header (SerializedCodeData in V8's
 * src/snapshot/code-serializer.h; a version, the source's length and a checksum are compared too). The warm-up had a flag
 * more, the seed of the hashes, on which nothing in the code depends: V8 computes hashes anew when it reads it. And the
 * program changes flags as its first act, when only the pack of main.js is loaded.
 */
'use strict';
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');
const { disableJit } = require('../v8/disable-jit.ts');

const FLAG_HASH = 3 * Uint32Array.BYTES_PER_ELEMENT;
const [, , directory] = process.argv;
const first = JSON.parse(readFileSync(join(directory, 'packs.json'), 'utf8'))['./main.js'];
const packs = readdirSync(directory)
  .filter((file) => file.endsWith('.code'))
  .map((file) => file.slice(0, -'.code'.length));

accept(first);
disableJit('http:');
for (const pack of packs.filter((name) => name !== first)) accept(pack);

/** Writes the hash of the flags that are set now. */
function accept(pack) {
  const path = join(directory, `${pack}.code`);
  const code = readFileSync(path);
  code.writeUInt32LE(new Script('0').createCachedData().readUInt32LE(FLAG_HASH), FLAG_HASH);
  writeFileSync(path, code);
  const script = new Script(readFileSync(join(directory, pack), 'latin1'), {
    filename: pack,
    cachedData: code,
  });
  if (script.cachedDataRejected)
    throw new Error(`V8 does not accept the code that the warm-up left for ${pack}`);
}
