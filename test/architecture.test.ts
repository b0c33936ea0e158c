/**
 * The rules of the source tree, each a sentence that fails with the file that breaks it.
 *
 * Denied by default: a file that is not on a list here touches no network, disk, clock, process or secret value, and imports
 * no file that does, except for its types.
 */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '..');
const all = globSync('src/**/*.{ts,cjs}', { cwd: root }).sort();
/** src/build is a separate program: CONTRIBUTING, "The build". */
const sources = all.filter((file) => file.endsWith('.ts') && !file.startsWith('src/build/'));
const tests = globSync('test/**/*.test.ts', { cwd: root }).sort();
const read = (file: string) => readFileSync(join(root, file), 'utf8');
/** Code without its comments, so that a rule about code does not trip over prose. */
const code = (file: string) => read(file).replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

interface Import {
  /** A path from the root, or the name of a package or builtin. */
  readonly from: string;
  readonly typesOnly: boolean;
}

function importsOf(file: string): readonly Import[] {
  const text = code(file);
  const statics = [...text.matchAll(/^(?:import|export)\s([^;]*?)from\s*'([^']+)'/gm)].map(
    ([, names = '', from = '']) => ({ from, typesOnly: isTypesOnly(names) }),
  );
  const bare = [...text.matchAll(/(?:^import\s*|import\(\s*|getBuiltinModule\(\s*)'([^']+)'/gm)].map(
    ([, from = '']) => ({ from, typesOnly: false }),
  );
  // `typeof import('…')` is a type.
  const types = new Set([...text.matchAll(/typeof import\(\s*'([^']+)'/g)].map(([, from = '']) => from));
  return [...statics, ...bare.filter(({ from }) => !types.has(from))].map(({ from, typesOnly }) => ({
    from: from.startsWith('.') ? normalize(join(dirname(file), from)) : from,
    typesOnly,
  }));
}

function isTypesOnly(names: string): boolean {
  if (/^type\s/.test(names)) return true;
  const braces = /^\{([^}]*)\}\s*$/.exec(names.trim())?.[1];
  return braces?.split(',').every((name) => /^\s*(type\s|$)/.test(name)) ?? false;
}

/** The lines that a rule prints: `file: violation`. */
function breakers(files: readonly string[], breaks: (file: string) => string | undefined): string[] {
  return files.flatMap((file) => {
    const found = breaks(file);
    return found === undefined ? [] : [`${file}: ${found}`];
  });
}

/** Folders from the top down; a file imports its own folder and folders of lower rows. One row: no order among them. */
const LAYERS: readonly (readonly string[])[] = [
  ['main.ts'],
  ['commands'],
  ['doctor', 'inject', 'exec'],
  ['sidecar'],
  ['worker'],
  ['aws', 'render', 'kubernetes', 'notify', 'publish', 'http'],
  ['config', 'formats', 'cli', 'v8'],
  ['core'],
];

const folderOf = (file: string) => file.split('/')[1] ?? '';
const layerOf = (folder: string) => LAYERS.findIndex((row) => row.includes(folder));

test('every file is in a folder of the layers, or is main.ts', () => {
  assert.equal(
    breakers(sources, (file) => (layerOf(folderOf(file)) < 0 ? 'no such folder in the layers' : undefined)),
    [],
  );
});

test('no file imports a higher layer, types included', () => {
  assert.equal(
    breakers(
      sources,
      (file) =>
        importsOf(file).find(
          ({ from }) => from.startsWith('src/') && layerOf(folderOf(from)) < layerOf(folderOf(file)),
        )?.from,
    ),
    [],
  );
});

test('no cycle between files', () => {
  assert.equal(cyclesOf(new Map(sources.map((file) => [file, targetsOf(file)]))), []);
});

test('no cycle between folders', () => {
  const folders = new Map<string, Set<string>>();
  for (const file of sources) {
    const folder = folderOf(file);
    const targets = folders.get(folder) ?? new Set();
    for (const target of targetsOf(file)) if (folderOf(target) !== folder) targets.add(folderOf(target));
    folders.set(folder, targets);
  }
  assert.equal(cyclesOf(new Map([...folders].map(([name, targets]) => [name, [...targets]]))), []);
});

function targetsOf(file: string): readonly string[] {
  return importsOf(file).flatMap(({ from }) => (from.startsWith('src/') ? [from] : []));
}

/** Every cycle that a walk in depth finds, as `a -> b -> a`. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) cycles.push([...path.slice(at), node].join(' -> '));
    if (at >= 0 || finished.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    finished.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
}

/** Packages and builtins without I/O, and the files that may use them. */
const PURE: readonly (readonly [name: RegExp, files: RegExp])[] = [
  [/^node:path$/, /^src\/(publish|kubernetes|config)\/|^src\/commands\/inject|^src\/cli\/settings/],
  [/^yaml$/, /^src\/(formats|inject)\//],
  // Compares addresses.
  [/^node:net$/, /^src\/aws\/proxy/],
  [/^@aws-lambda-powertools\/jmespath/, /^src\/formats\/jmespath/],
  // Reads PKCS#12, which node:crypto does not.
  [/^node-forge/, /^src\/kubernetes\/(pkcs12|node-forge)/],
  // Key parsing and re-encoding of TLS secrets, and a digest: values in, values out.
  [/^node:crypto$/, /^src\/(kubernetes\/tls|exec\/digest)/],
  [/^yargs-parser$/, /^src\/cli\/parse/],
  [/^yargs$/, /^src\/cli\/help/],
  [/^diff$/, /^src\/commands\/inject/],
  // Escape codes of colours.
  [/^node:util$/, /^src\/commands\/terminal/],
];

/** The files that do I/O, and the modules that they use for it. */
const IO: Readonly<Record<string, RegExp>> = {
  'src/aws/caller-identity.ts': /^(@aws-sdk\/client-sts)$/,
  'src/aws/container-credentials.ts':
    /^(@aws-sdk\/credential-provider-http|node:async_hooks|node:diagnostics_channel|node:fs)$/,
  'src/aws/default-chain.ts':
    /^(@aws-sdk\/credential-provider-env|@aws-sdk\/credential-provider-ini|@smithy\/core\/config|@smithy\/credential-provider-imds|node:fs)$/,
  'src/aws/parameter-store.ts': /^(@aws-sdk\/client-ssm)$/,
  'src/aws/region.ts': /^(@smithy\/core\/config|@smithy\/credential-provider-imds)$/,
  'src/aws/secrets-manager.ts': /^(@aws-sdk\/client-secrets-manager)$/,
  'src/aws/routes.ts': /^(node:http|node:https|node:tls)$/,
  'src/aws/transport.ts': /^(node:buffer)$/,
  'src/aws/web-identity.ts': /^(@aws-sdk\/credential-provider-web-identity)$/,
  'src/commands/check.ts': /^(node:fs|node:path)$/,
  'src/commands/inject.ts': /^(node:fs\/promises)$/,
  'src/commands/install.ts': /^(node:fs|node:os|node:path)$/,
  'src/commands/notify-worker.ts': /^(node:fs)$/,
  'src/commands/secrets.ts': /^(node:os)$/,
  'src/commands/supervised-exec.ts': /^(node:os)$/,
  'src/config/watcher.ts': /^(chokidar|node:fs)$/,
  'src/core/stderr.ts': /^(node:fs)$/,
  'src/core/memory-cgroup.ts': /^(node:fs)$/,
  'src/core/system-clock.ts': /^(node:os)$/,
  'src/core/terminal.ts': /^(node:fs)$/,
  'src/exec/become.ts': /^(node:fs|node:timers\/promises)$/,
  'src/exec/fetch-worker.ts': /^(node:child_process|node:os)$/,
  'src/http/authorities.ts': /^(node:tls)$/,
  'src/http/early-connections.ts': /^(node:net)$/,
  'src/http/request.ts': /^(node:http|node:https)$/,
  'src/core/regular-file.ts': /^(node:fs)$/,
  'src/http/server.ts': /^(node:http)$/,
  'src/kubernetes/api.ts': /^(node:https)$/,
  'src/main.ts': /^(node:fs|node:os|node:sea|node:stream\/consumers|node:tty)$/,
  'src/notify/exec.ts': /^(node:child_process)$/,
  'src/notify/processes.ts': /^(node:fs)$/,
  'src/notify/reap.ts': /^(node:ffi)$/,
  'src/notify/signal.ts': /^(node:fs)$/,
  'src/notify/touch.ts': /^(node:fs|node:fs\/promises)$/,
  'src/publish/directory.ts': /^(node:fs)$/,
  'src/publish/held-directory.ts': /^(node:fs)$/,
  'src/publish/inspect.ts': /^(node:fs)$/,
  'src/publish/kept-files.ts': /^(node:fs)$/,
  'src/publish/lock.ts': /^(node:fs|node:os|node:sqlite)$/,
  'src/worker/credentials-file.ts': /^(node:fs)$/,
  'src/worker/inherited.ts': /^(node:ffi|node:fs)$/,
  'src/worker/memory.ts': /^(node:fs)$/,
  'src/worker/process.ts': /^(node:child_process)$/,
  'src/v8/end-process.ts': /^(node:ffi)$/,
  'src/v8/hide-memory.ts': /^(node:ffi)$/,
  'src/v8/release-pages.ts': /^(node:ffi|node:fs)$/,
  'src/v8/signals.ts': /^(node:ffi)$/,
  'src/v8/collect-garbage.ts': /^node:v8$/,
};

/** The files that compose I/O files: they import these as values, and no I/O module. */
const COMPOSING: readonly RegExp[] = [
  /^src\/main\.ts$/,
  /^src\/commands\//,
  /^src\/config\/file\.ts$/,
  /^src\/aws\/(sources|secret-source|service-account-token)\.ts$/,
  /^src\/kubernetes\/in-cluster\.ts$/,
  /^src\/notify\/create\.ts$/,
  /^src\/worker\/notification\.ts$/,
  // A request, and what its page means.
  /^src\/(http\/(status-client|ca-file)|notify\/url)\.ts$/,
  /^src\/doctor\/(run|objects|kubernetes)\.ts$/,
];

const composes = (file: string) => COMPOSING.some((rule) => rule.test(file));

test('only the files on the list import an I/O module', () => {
  assert.equal(
    breakers(
      sources,
      (file) =>
        importsOf(file).find(
          ({ from, typesOnly }) =>
            !from.startsWith('src/') &&
            !typesOnly &&
            !PURE.some(([name, files]) => name.test(from) && files.test(file)) &&
            IO[file]?.test(from) !== true,
        )?.from,
    ),
    [],
  );
});

test('a pure file imports the types of an I/O file only', () => {
  const pure = sources.filter((file) => IO[file] === undefined && !composes(file));
  assert.equal(
    breakers(
      pure,
      (file) =>
        importsOf(file).find(
          ({ from, typesOnly }) => !typesOnly && (IO[from] !== undefined || composes(from)),
        )?.from,
    ),
    [],
  );
});

test('only the sidecar imports the notification queue', () => {
  assert.equal(
    breakers(
      sources.filter((file) => !file.startsWith('src/sidecar/')),
      (file) => importsOf(file).find(({ from }) => from === 'src/notify/queue.ts')?.from,
    ),
    [],
  );
});

test('the lists contain no file that is missing or does no I/O', () => {
  assert.equal(
    breakers(Object.keys(IO), (file) => (sources.includes(file) ? undefined : 'no such file')),
    [],
  );
  assert.equal(
    breakers(Object.keys(IO), (file) =>
      importsOf(file).some(({ from, typesOnly }) => !typesOnly && IO[file]?.test(from))
        ? undefined
        : 'no I/O',
    ),
    [],
  );
  assert.equal(COMPOSING.filter((rule) => !sources.some((file) => rule.test(file))).map(String), []);
});

/** Global `process`, whatever member; a property or variable of that name in other objects is written otherwise here. */
const PROCESS = /(?<![.\w/])process\.[a-zA-Z]+|\(process\b|globalThis\.process/;
const PROCESS_FILES: readonly string[] = [
  'src/exec/become.ts',
  'src/main.ts',
  'src/notify/exec.ts',
  'src/notify/process-matching.ts',
  'src/notify/signal.ts',
  'src/v8/end-process.ts',
  'src/v8/hide-memory.ts',
  'src/v8/release-pages.ts',
  'src/v8/signals.ts',
  'src/v8/standard-streams.ts',
  'src/worker/inherited.ts',
];

test('only the files on the list use the process', () => {
  assert.equal(
    breakers(
      sources.filter((file) => !PROCESS_FILES.includes(file)),
      (file) => PROCESS.exec(code(file))?.[0],
    ),
    [],
  );
});

const TIME =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|performance\.|fetch\('|AbortSignal\.timeout)/;
const TIME_FILES: readonly string[] = [
  'src/aws/secret-source.ts',
  'src/aws/transport.ts',
  'src/core/stderr.ts',
  'src/core/system-clock.ts',
  'src/exec/become.ts',
  'src/http/server.ts',
  'src/http/status-client.ts',
  'src/kubernetes/api.ts',
  'src/main.ts',
  'src/notify/exec.ts',
  'src/notify/url.ts',
];

test('only the files on the list read a clock, set a timer or draw a random number', () => {
  assert.equal(
    breakers(
      sources.filter((file) => !TIME_FILES.includes(file)),
      (file) => TIME.exec(code(file))?.[0],
    ),
    [],
  );
});

const REVEALING = /\.reveal\(/;
const REVEALING_FILES: readonly string[] = [
  // Extract fields, decode and re-encode.
  'src/render/object-files.ts',
  'src/render/env-file.ts',
  'src/kubernetes/desired-secret.ts',
  'src/notify/redact.ts',
  // Put values into the environment of a command.
  'src/exec/become.ts',
  'src/exec/environment.ts',
  // Compares the set of one process with that of the next.
  'src/exec/digest.ts',
  // Write files and compare them with what is there.
  'src/publish/diff.ts',
  'src/publish/publish.ts',
  'src/publish/space.ts',
];

test('a secret is revealed only where it is rendered, written, or sent by configuration', () => {
  assert.equal(
    breakers(
      sources.filter((file) => !REVEALING_FILES.includes(file)),
      (file) => REVEALING.exec(code(file))?.[0],
    ),
    [],
  );
});

test('the lists contain no file that uses no process, no clock and no secret value', () => {
  const lists = [
    [PROCESS_FILES, PROCESS],
    [TIME_FILES, TIME],
    [REVEALING_FILES, REVEALING],
  ] as const;
  assert.equal(
    lists.flatMap(([files, use]) =>
      breakers(files, (file) => (use.test(code(file)) ? undefined : `no match of ${use}`)),
    ),
    [],
  );
});

test('no file is called utils, helpers, common, types, constants, manager or misc', () => {
  const vague = /\/(utils?|helpers?|common|types|constants|manager|misc)(\.|\/)/;
  assert.equal(
    breakers([...all, ...tests], (file) => vague.exec(file)?.[0]),
    [],
  );
});

test('no source file is longer than 300 lines', () => {
  assert.equal(
    breakers(sources, (file) => {
      const lines = read(file).split('\n').length;
      return lines > 300 ? `${lines} lines` : undefined;
    }),
    [],
  );
});

test('every source file begins with a comment', () => {
  assert.equal(
    breakers(sources, (file) => (read(file).startsWith('/**') ? undefined : 'no opening comment')),
    [],
  );
});

test('no unfinished work and no disabled check or test', () => {
  const marks = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'biome' + '-ignore-all', '@ts-' + 'ignore'].join('|'),
  );
  assert.equal(
    breakers([...all, ...tests], (file) => marks.exec(read(file))?.[0]),
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

test('every exported name is used in another file', () => {
  const users = [...all, ...globSync('{test,examples}/**/*.ts', { cwd: root })];
  const texts = new Map(users.map((file) => [file, code(file)]));
  assert.equal(
    sources.flatMap((file) =>
      [...code(file).matchAll(/^export (?:async )?(?:function|const|class|type|interface) (\w+)/gm)]
        .map(([, name = '']) => name)
        .filter((name) => {
          const word = new RegExp(`\\b${name}\\b`);
          const elsewhere = users.some((other) => other !== file && word.test(texts.get(other) ?? ''));
          return !elsewhere && ((texts.get(file) ?? '').match(new RegExp(word, 'g'))?.length ?? 0) < 2;
        })
        .map((name) => `${file}: ${name}`),
    ),
    [],
  );
});

test('no file contains the name of the machine it was written on', () => {
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
