import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfig, readConfigFile } from '../../src/config/file.ts';
import { Problem } from '../../src/core/problem.ts';
import { copyForOthers } from '../support/allowed.ts';
import { nobody } from '../support/readable-copy.ts';
import { scratch as readableScratch } from '../support/scratch.ts';

const test = suite('config file');
const scratch = mkdtempSync(join(tmpdir(), 'podsecrets-config-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

function written(name: string, content: string | Uint8Array): string {
  const file = join(scratch, name);
  writeFileSync(file, content);
  return file;
}

function problem(file: string): string {
  try {
    readConfigFile(file);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    assert.is(error.code, 'config.file');
    assert.is(error.subject, file);
    return `${error.message} | ${error.remedy}`;
  }
  throw new Error('expected a Problem');
}

test('reads text, through links and without its byte order mark', () => {
  const file = written('plain', '\ufeffkind: ä\n');
  symlinkSync(file, join(scratch, 'link'));
  assert.is(readConfigFile(join(scratch, 'link')), 'kind: ä\n');
  assert.is(readConfigFile(written('empty', '')), '');
});

test('env:NAME is the text of a variable', () => {
  assert.is(readConfig('env:CLASS', { CLASS: 'kind: ä' }), 'kind: ä');
  for (const [env, got] of [
    [{}, 'no such variable'],
    [{ CLASS: '' }, 'an empty one'],
  ] as const) {
    try {
      readConfig('env:CLASS', env);
      assert.unreachable();
    } catch (error) {
      assert.match((error as Problem).message, `in the variable "CLASS", got ${got}`);
    }
  }
});

test('reads a pipe, such as a shell creates for <(command)', () => {
  const module = new URL('../../src/config/file.ts', import.meta.url).href;
  const script = `import { readConfig, readConfigFile } from ${JSON.stringify(module)}; console.log(readConfigFile('/dev/fd/3').length);`;
  const { stdout } = spawnSync(
    'sh',
    [
      '-c',
      'yes | head -c 200000 | { exec 3<&0; exec "$0" "$@"; }',
      process.execPath,
      '--no-warnings',
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8' },
  );
  assert.is(stdout, '200000\n');
});

test('accepts 1 MiB and rejects one byte more', () => {
  assert.is(readConfigFile(written('largest', 'x'.repeat(1024 * 1024))).length, 1024 * 1024);
  assert.match(problem(written('larger', 'x'.repeat(1024 * 1024 + 1))), 'got more than 1 MiB | Split it');
});

for (const [name, file, expected] of [
  ['missing', join(scratch, 'missing'), 'got no such file | Correct the path; in a container mount'],
  [
    'below a file',
    join(written('file', ''), 'config.yaml'),
    'got no such file | Correct the path; in a container mount',
  ],
  ['a directory', scratch, 'got a directory | Name the file in it'],
  ['binary', written('binary', new Uint8Array([0xff, 0xfe, 0x41, 0])), 'got bytes that are not UTF-8 | Save'],
  ['a name that is too long', join(scratch, 'x'.repeat(300)), 'got ENAMETOOLONG | Name a file'],
] as const) {
  test(`reports ${name} instead of a config`, () => {
    assert.match(problem(file), `expected a SecretProviderClass file, ${expected}`);
  });
}

test('rejects a named pipe, a device and a socket without blocking', () => {
  const pipe = join(scratch, 'pipe');
  spawnSync('mkfifo', [pipe]);
  assert.match(problem(pipe), 'got a named pipe | Name a file');
  assert.match(problem('/dev/zero'), 'got a device | Name a file');
  const socket = join(scratch, 'socket');
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.exit())`,
  ]);
  assert.match(problem(socket), 'got a socket or a device | Name a file');
});

test('a link to itself is an error', () => {
  const loop = join(scratch, 'loop');
  symlinkSync(loop, loop);
  assert.match(problem(loop), 'got ELOOP');
});

test('a file of another user without read permission is an error', () => {
  const copy = copyForOthers('a config that may not be read');
  if (copy === undefined) return;
  const files = ['open', 'private'].map((name) => join(readableScratch(), name));
  for (const file of files) writeFileSync(file, 'x');
  chmodSync(files[0] ?? '', 0o644);
  chmodSync(files[1] ?? '', 0o600);
  const script = `
    import { readConfig, readConfigFile } from ${JSON.stringify(copy.url('src/config/file.ts'))};
    for (const file of ${JSON.stringify(files)}) {
      try { console.log(readConfigFile(file)); } catch (error) { console.log(error.message); }
    }`;
  const { stdout } = spawnSync(copy.node, ['--no-warnings', '--input-type=module', '-e', script], {
    ...nobody,
    encoding: 'utf8',
    cwd: '/',
  });
  assert.is(stdout, 'x\nexpected a SecretProviderClass file, got permission denied\n');
});

test.run();
