/**
 * Runs the program's texts as the executable's launcher does, and writes down what they used:
 * node recorder.cjs TEXTS RECORD ARGUMENTS...
 *
 * TEXTS is dist/bundle.json. RECORD becomes JSON: { texts, builtins, opened }: the texts that were evaluated, the modules of
 * Node that were loaded for them, and [function, path] of every call of `fs` with a path.
 */
'use strict';
const fs = require('node:fs');
const { Script } = require('node:vm');
const { launch } = require('../build/launcher.cjs');

const [bundle, record] = process.argv.splice(2, 2);
const texts = JSON.parse(fs.readFileSync(bundle, 'utf8')).texts;
const write = fs.writeFileSync;
const opened = [];
for (const functions of [fs, fs.promises]) {
  for (const [name, original] of Object.entries(functions)) {
    // Constructors, and what takes no path.
    if (typeof original !== 'function' || /^[A-Z_]/.test(name)) continue;
    functions[name] = Object.assign((path, ...others) => {
      // The first path of a symlink is its text.
      const named = name.startsWith('symlink') ? others[0] : path;
      if (typeof named === 'string' || named instanceof URL) opened.push([name, String(named)]);
      return original.call(functions, path, ...others);
    }, original);
  }
}

const evaluated = [];
const before = new Set(process.moduleLoadList);
process.on('exit', () => {
  const builtins = process.moduleLoadList
    .filter((entry) => entry.startsWith('NativeModule ') && !before.has(entry))
    .map((entry) => entry.slice('NativeModule '.length));
  write(record, JSON.stringify({ texts: evaluated, builtins, opened }));
});
launch(Object.fromEntries(Object.keys(texts).map((name) => [`./${name}`, name])), (name) => {
  evaluated.push(name);
  return new Script(`({ ${JSON.stringify(`./${name}`)}: ${texts[name]} })`, { filename: name });
});
