/** The file of a command, by the rules of execvp(3). */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import { type FileKind, findProgram } from '../../src/exec/program.ts';

const test = suite('the program of a command');

const files: Readonly<Record<string, FileKind>> = {
  '/bin/sh': 'program',
  '/usr/bin/app': 'program',
  '/opt/app': 'notExecutable',
  './app': 'program',
  '/etc/config': 'notExecutable',
  '/noexec/app': 'forbidden',
};
const kindOf = (file: string): FileKind => files[file] ?? 'missing';
const open = (text: string | undefined) => ({ text, isSecret: false });

for (const [name, word, path, file] of [
  ['a path is not searched for', '/usr/bin/app', '/nowhere', '/usr/bin/app'],
  ['the first directory that has the program is used', 'app', '/bin:/usr/bin', '/usr/bin/app'],
  ['a file that cannot be executed is skipped', 'app', '/opt:/usr/bin', '/usr/bin/app'],
  ['an empty part of PATH is the working directory', 'app', ':/usr/bin', './app'],
  ['without PATH the directories of the C library are searched', 'sh', undefined, '/bin/sh'],
] as const) {
  test(name, () => assert.equal(findProgram(word, open(path), kindOf), { file, name: file }));
}

for (const [name, word, path, exitCode, message] of [
  ['an empty name has exit code 127', '', '/bin', 127, /got an empty one$/],
  ['a missing path has exit code 127', '/usr/bin/none', '/bin', 127, /^no such file$/],
  [
    'a name that is in no directory has exit code 127 and lists the directories',
    'none',
    '/bin:/opt',
    127,
    /"\/bin", "\/opt"$/,
  ],
  [
    'a path that cannot be executed has exit code 126',
    '/etc/config',
    '/bin',
    126,
    /permission denied \(EACCES\)$/,
  ],
  ['a program on a volume that forbids it has exit code 126', 'app', '/noexec', 126, /mounted noexec/],
  [
    'a name that cannot be executed anywhere has exit code 126',
    'app',
    '/opt',
    126,
    /permission denied \(EACCES\)$/,
  ],
] as const) {
  test(name, () => {
    const problem = rejected(word, open(path));
    assert.is(problem.exitCode, exitCode);
    assert.match(problem.message, message);
  });
}

test('nothing quotes a PATH that comes from a secret', () => {
  const secret = (text: string) => ({ text, isSecret: true });
  assert.is(findProgram('app', secret('/usr/bin'), kindOf).name, 'app');
  for (const path of ['/canary', '/opt']) {
    const { subject, message } = rejected('app', secret(path));
    assert.not.match(subject + message, path);
  }
});

function rejected(word: string, path: Parameters<typeof findProgram>[1]): Problem {
  try {
    findProgram(word, path, kindOf);
  } catch (error) {
    return error as Problem;
  }
  throw new Error(`expected a Problem for ${word}`);
}

test.run();
