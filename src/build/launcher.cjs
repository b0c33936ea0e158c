/**
 * The script inside the executable: runs the program's texts.
 *
 * Texts lie in packs: those that are always needed together are one script, with the code that the build's warm-up left for
 * it. A pack is read and compiled when the first of its texts is asked for. The warm-up itself launches the program so.
 */
'use strict';
const { getRawAsset, getAssetKeys, isSea } = require('node:sea');
const { Script } = require('node:vm');

if (isSea()) {
  const keys = new Set(getAssetKeys());
  const asset = (name) => Buffer.from(getRawAsset(name));
  launch(JSON.parse(asset('packs.json').latin1Slice()), (pack) => {
    const code = `${pack}.code`;
    const options = { filename: pack, cachedData: keys.has(code) ? asset(code) : undefined };
    return new Script(asset(pack).latin1Slice(), options);
  });
} else {
  module.exports = { launch };
}

/** Starts main.js. `packs` names the pack of each text; `compiled` gives the script of a pack. */
function launch(packs, compiled) {
  const makers = new Map();
  const modules = new Map();

  function load(name) {
    const pack = packs[name];
    if (pack === undefined) return require(name);
    const known = modules.get(name);
    if (known !== undefined) return known.exports;
    if (!makers.has(pack)) makers.set(pack, compiled(pack).runInThisContext());
    const module = { exports: {} };
    modules.set(name, module);
    makers.get(pack)[name](load, module, module.exports);
    return module.exports;
  }

  load('./main.js');
}
