/**
 * Writes this V8's hash of flags into the stored code, and fails when it is then not accepted: node accept-code.cjs DIRECTORY
 *
 * The warm-up runs with a flag more, the seed of the hashes, on which nothing in the code depends: V8 computes hashes anew
 * when it reads it. The hash of the flags is the fourth word of the header, as SerializedCodeData in V8's
 * src/snapshot/code-serializer.h has it; V8 compares a version, the source's length and a checksum too.
 */
'use strict';
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const FLAG_HASH = 3 * Uint32Array.BYTES_PER_ELEMENT;
const [, , directory] = process.argv;
const ours = new Script('0').createCachedData().readUInt32LE(FLAG_HASH);

for (const name of readdirSync(directory).filter((file) => file.endsWith('.code'))) {
  const path = join(directory, name);
  const pack = name.slice(0, -'.code'.length);
  const code = readFileSync(path);
  code.writeUInt32LE(ours, FLAG_HASH);
  writeFileSync(path, code);
  const script = new Script(readFileSync(join(directory, pack), 'latin1'), {
    filename: pack,
    cachedData: code,
  });
  if (script.cachedDataRejected)
    throw new Error(`V8 does not accept the code that the warm-up left for ${pack}`);
}
