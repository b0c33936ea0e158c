/**
 * Runs the program's modules as the executable's launcher does, and records what they used:
 * node recorder.cjs BUNDLE RECORD ARGUMENTS...
 *
 * BUNDLE is dist/bundle.json. RECORD becomes JSON: { modules, early, builtins, opened, peak }: the modules that were evaluated, those
 * of them that were loaded before the first flag of V8 changed, Node's own modules that were loaded for them, [function, path] of
 * every call of `fs` with a path, and the most resident memory in KiB.
 */
'use strict';
const fs = require('node:fs');
const { Script } = require('node:vm');
const { launch } = require('../../src/build/launcher.cjs');

// A worker that the program starts is this script without the first two; its record is next to that of the program.
const given = process.env.RECORDED?.split('\n');
const [bundle, record] = given ?? process.argv.splice(2, 2);
process.env.RECORDED = `${bundle}\n${record}.worker`;
const modules = JSON.parse(fs.readFileSync(bundle, 'utf8')).modules;
const write = fs.writeFileSync;
const read = fs.readFileSync;
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
let early;
const loadedSince = (list) =>
  process.moduleLoadList
    .slice(list.length)
    .filter((entry) => entry.startsWith('NativeModule '))
    .map((entry) => entry.slice('NativeModule '.length));
const before = [...process.moduleLoadList];
// The program requests v8 in this way; loading it here would hide that.
const { getBuiltinModule } = process;
process.getBuiltinModule = (name) => {
  const found = getBuiltinModule(name);
  if (name !== 'node:v8') return found;
  return {
    ...found,
    setFlagsFromString(flag) {
      early ??= [...evaluated];
      found.setFlagsFromString(flag);
    },
  };
};
process.on('exit', () => {
  const files = [...opened];
  // Not resourceUsage().maxRSS, which begins with the memory of the parent.
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(read('/proc/self/status', 'latin1'))?.[1]);
  write(
    record,
    JSON.stringify({
      modules: evaluated,
      early: early ?? evaluated,
      builtins: loadedSince(before),
      opened: files,
      peak,
    }),
  );
});
launch(Object.fromEntries(Object.keys(modules).map((name) => [`./${name}`, name])), (name) => {
  evaluated.push(name);
  return new Script(`({ ${JSON.stringify(`./${name}`)}: ${modules[name]} })`, { filename: name });
});
