/**
 * Makes V8 accept the stored code, and checks that it does: node fix-code-cache.cjs DIRECTORY
 *
 * V8 takes code only from a V8 with the same flags. Their hash is the fourth word of the header (SerializedCodeData in V8's
 * src/snapshot/code-serializer.h; a version, the length of the source and a checksum are compared too). The warm-up ran with
 * one more flag, the hash seed, on which no stored code depends: V8 computes hashes again when it reads the code.
 */
'use strict';
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const FLAG_HASH = 3 * Uint32Array.BYTES_PER_ELEMENT;
const [, , directory] = process.argv;
const chunks = readdirSync(directory)
  .filter((file) => file.endsWith('.code'))
  .map((file) => file.slice(0, -'.code'.length));

for (const chunk of chunks) fix(chunk);

/** Writes the hash of the current flags; throws if V8 still rejects the code. */
function fix(chunk) {
  const path = join(directory, `${chunk}.code`);
  const code = readFileSync(path);
  code.writeUInt32LE(new Script('0').createCachedData().readUInt32LE(FLAG_HASH), FLAG_HASH);
  writeFileSync(path, code);
  const script = new Script(readFileSync(join(directory, chunk), 'latin1'), {
    filename: chunk,
    cachedData: code,
  });
  if (script.cachedDataRejected) throw new Error(`V8 rejects the code that the warm-up stored for ${chunk}`);
}
