/**
 * The script inside the executable: runs the program's modules.
 *
 * Modules are grouped into chunks: those that are always needed together are one script, stored with the code that the
 * build's warm-up compiled. A chunk is read and compiled when the first of its modules is required. The warm-up itself
 * launches the program with the same function.
 */
'use strict';
const { getRawAsset, getAssetKeys, isSea } = require('node:sea');
const { Script } = require('node:vm');

if (isSea()) {
  const keys = new Set(getAssetKeys());
  const asset = (name) => Buffer.from(getRawAsset(name));
  launch(JSON.parse(asset('chunks.json').latin1Slice()), (chunk) => {
    const code = `${chunk}.code`;
    const options = { filename: chunk, cachedData: keys.has(code) ? asset(code) : undefined };
    return new Script(asset(chunk).latin1Slice(), options);
  });
} else {
  module.exports = { launch };
}

/** Starts main.js. `chunks` names the chunk of each module; `compile` returns the script of a chunk. */
function launch(chunks, compile) {
  const factories = new Map();
  const modules = new Map();

  function load(name) {
    const chunk = chunks[name];
    if (chunk === undefined) return require(name);
    const loaded = modules.get(name);
    if (loaded !== undefined) return loaded.exports;
    if (!factories.has(chunk)) factories.set(chunk, compile(chunk).runInThisContext());
    const module = { exports: {} };
    modules.set(name, module);
    factories.get(chunk)[name](load, module, module.exports);
    return module.exports;
  }

  load('./main.js');
}
