/** The rules of the house, each a sentence that fails with the file that breaks it. */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '..');
const sources = globSync('src/**/*.ts', { cwd: root }).sort();
const tests = globSync('test/**/*.test.ts', { cwd: root }).sort();
const read = (file: string) => readFileSync(join(root, file), 'utf8');
/** Code without its comments, so that a rule about code does not trip over prose. */
const code = (file: string) => read(file).replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

/** The modules a file imports: relative ones as paths from the root, others by name. */
function imports(file: string): string[] {
  return [...code(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name = '']) =>
    name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
  );
}

function breakers(files: readonly string[], breaks: (file: string) => string | undefined): string[] {
  return files.flatMap((file) => {
    const found = breaks(file);
    return found === undefined ? [] : [`${file}: ${found}`];
  });
}

const inRoom = (room: string) => (file: string) => file.startsWith(`src/${room}/`);
const core = sources.filter(inRoom('core'));
const edges = sources.filter(inRoom('edge'));

/** Packages and built-in modules that compute and touch nothing, and the thin rooms of the core that may use them. */
const pure: readonly (readonly [name: RegExp, room: RegExp])[] = [
  [/^yaml$/, /^src\/core\/(yaml|inject)\//],
  [/^@aws-lambda-powertools\/jmespath/, /^src\/core\/json\/jmespath/],
  // Reads PKCS#12, which node:crypto does not.
  [/^node-forge/, /^src\/core\/kubernetes\/(pkcs12|node-forge)/],
  // Key parsing and re-encoding of TLS secrets: values in, values out.
  [/^node:crypto$/, /^src\/core\/kubernetes\/tls/],
];

function mayImport(file: string, name: string): boolean {
  return pure.some(([library, room]) => library.test(name) && room.test(file));
}

test('the core imports only the core and, in its thin rooms, a pure library', () => {
  assert.equal(
    breakers(core, (file) =>
      imports(file).find((name) => !name.startsWith('src/core/') && !mayImport(file, name)),
    ),
    [],
  );
});

/** The global, not a process of the process table: its members that no such thing has. */
const PROCESS =
  /\bprocess\.(argv|arch|cwd|cpuUsage|emitWarning|env|exit|exitCode|getuid|geteuid|hrtime|memoryUsage|nextTick|on|once|platform|report|std(in|out|err)|umask|uptime|versions?)\b/;

test('the core has no clock, no chance, no timer and no process', () => {
  const worldly =
    /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|performance\.|fetch\()/;
  assert.equal(
    breakers(core, (file) => (worldly.exec(code(file)) ?? PROCESS.exec(code(file)))?.[0]),
    [],
  );
});

test('the ports are interfaces over the core', () => {
  assert.equal(
    breakers(['src/ports.ts'], (file) => imports(file).find((name) => !name.startsWith('src/core/'))),
    [],
  );
});

test('only commands and main know the edges', () => {
  const others = sources.filter(
    (file) => !inRoom('edge')(file) && !inRoom('commands')(file) && file !== 'src/main.ts',
  );
  assert.equal(
    breakers(others, (file) => imports(file).find((name) => name.startsWith('src/edge/'))),
    [],
  );
});

test('an edge does not import the edge next door', () => {
  const room = (file: string) => /^src\/edge\/[^/]+\//.exec(file)?.[0] ?? file;
  assert.equal(
    breakers(edges, (file) =>
      imports(file).find((name) => name.startsWith('src/edge/') && room(name) !== room(file)),
    ),
    [],
  );
});

test('an edge knows neither the commands, nor the agent, nor the options', () => {
  assert.equal(
    breakers(edges, (file) =>
      imports(file).find((name) => /^src\/(commands\/|agent|sync|cli|options|settings|main)/.test(name)),
    ),
    [],
  );
});

test('the process is touched in main only', () => {
  const others = sources.filter((file) => file !== 'src/main.ts');
  assert.equal(
    breakers(others, (file) => PROCESS.exec(code(file))?.[0]),
    [],
  );
});

test('a secret is revealed only where it is rendered, written, or sent where it was asked to go', () => {
  const allowed = [
    /^src\/core\/secret\.ts$/,
    // Extracts fields, decodes and re-encodes.
    /^src\/core\/(render|json\/jmespath|kubernetes\/(secret|tls)|telling\/scrub)\.ts$/,
    // Writes files and compares them with what is there.
    /^src\/edge\/directory\//,
  ];
  const offenders = sources.filter((file) => !allowed.some((rule) => rule.test(file)));
  assert.equal(
    breakers(offenders, (file) => /\.reveal\(/.exec(code(file))?.[0]),
    [],
  );
});

test('no file is called utils, helpers, common, types, constants, manager or misc', () => {
  const vague = /\/(utils?|helpers?|common|types|constants|manager|misc)(\.|\/)/;
  assert.equal(
    breakers([...sources, ...tests], (file) => vague.exec(file)?.[0]),
    [],
  );
});

test('no source file is longer than 400 lines', () => {
  assert.equal(
    breakers(sources, (file) => {
      const lines = read(file).split('\n').length;
      return lines > 400 ? `${lines} lines` : undefined;
    }),
    [],
  );
});

test('every source file opens by saying what it is for', () => {
  assert.equal(
    breakers(sources, (file) => (read(file).startsWith('/**') ? undefined : 'no opening comment')),
    [],
  );
});

test('nothing is left undone or switched off', () => {
  const marks = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'biome' + '-ignore-all', '@ts-' + 'ignore'].join('|'),
  );
  assert.equal(
    breakers([...sources, ...tests], (file) => marks.exec(read(file))?.[0]),
    [],
  );
  assert.equal(
    breakers(tests, (file) => /\.(skip|only)\(/.exec(code(file))?.[0]),
    [],
  );
});

test('every test file runs its suites', () => {
  assert.equal(
    breakers(tests, (file) => (/\.run\(\);?\s*$/m.test(read(file)) ? undefined : 'no .run()')),
    [],
  );
});

test('every exported name is used somewhere', () => {
  const all = [...sources, ...globSync('test/**/*.ts', { cwd: root })];
  const texts = new Map(all.map((file) => [file, code(file)]));
  assert.equal(
    sources.flatMap((file) =>
      [...code(file).matchAll(/^export (?:async )?(?:function|const|class|type|interface) (\w+)/gm)]
        .map(([, name = '']) => name)
        .filter((name) => {
          const word = new RegExp(`\\b${name}\\b`, 'g');
          const elsewhere = all.some((other) => other !== file && word.test(texts.get(other) ?? ''));
          return !elsewhere && ((texts.get(file) ?? '').match(word)?.length ?? 0) < 2;
        })
        .map((name) => `${file}: ${name}`),
    ),
    [],
  );
});

test('no file names the machine it was written on', () => {
  const tracked = globSync('{src,test,helm,examples,.ci}/**/*.{ts,md,yaml,yml,json}', { cwd: root });
  const place = new RegExp(['/wo' + 'rk/', '/ro' + 'ot/'].join('|'));
  assert.equal(
    breakers([...tracked, 'README.md', 'Dockerfile'].filter(exists), (file) => place.exec(read(file))?.[0]),
    [],
  );
});

function exists(file: string): boolean {
  try {
    return read(file) !== undefined;
  } catch {
    return false;
  }
}

test.run();
