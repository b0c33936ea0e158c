/**
 * Compiles Node's own modules: node compile-builtins.cjs FILE NAME…
 *
 * Writes JSON into FILE: the hash of the flags of this process, and the compiled code of each module in base64, with that hash and
 * with all functions of the module.
 */
'use strict';
const { writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { compileFunction, Script } = require('node:vm');

/** The fourth word of the header. */
const FLAG_HASH = 3 * Uint32Array.BYTES_PER_ELEMENT;
/** The parameters that Node compiles its modules with (BuiltinLoader::LookupAndCompile in its src/node_builtins.cc). */
const PARAMETERS = ['exports', 'require', 'module', 'process', 'internalBinding', 'primordials'];

const [, , file, ...names] = process.argv;
const hash = new Script('0').createCachedData().readUInt32LE(FLAG_HASH);
const sources = process.binding('natives');
// With functions that were not called. The flag changes the hash, and nothing else of the code.
setFlagsFromString('--no-lazy');

const code = {};
for (const name of names) {
  const options = { filename: `node:${name}`, produceCachedData: true };
  const { cachedData } = compileFunction(sources[name], PARAMETERS, options);
  cachedData.writeUInt32LE(hash, FLAG_HASH);
  code[name] = cachedData.toString('base64');
}
writeFileSync(file, JSON.stringify({ hash, code }));
