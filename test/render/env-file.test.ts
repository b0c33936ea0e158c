/** The file of environment variables: what its parsers read, and which values it cannot hold. */

import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import dotenv from 'dotenv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { envFileContent, envValueError, envValueWarning } from '../../src/render/env-file.ts';
import { envCorpus as corpus } from '../support/env-corpus.ts';
import { kubeletEnv } from '../support/kubelet-env.ts';
import { makeSandbox } from '../support/sandbox.ts';

const test = suite('envFile');
const box = makeSandbox();
test.after(() => box.remove());

const variable = (value: string | Uint8Array, name = 'V') => ({ name, value: new Secret(value) });

function fileOf(value: string): string {
  const content = envFileContent([variable('1', 'FIRST'), variable(value), variable('2', 'LAST')]);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(content.reveal());
}

const python = spawnSync('python3', ['-c', 'import dotenv']).status === 0;

/** The value that each parser reads; all three variables are compared. */
const parsers: Readonly<Record<string, (text: string) => Readonly<Record<string, string | undefined>>>> = {
  kubelet: (text) => ({
    FIRST: kubeletEnv(text, 'FIRST'),
    V: kubeletEnv(text, 'V'),
    LAST: kubeletEnv(text, 'LAST'),
  }),
  sh(text) {
    const file = join(box.dir, '..', 'app.env');
    writeFileSync(file, text);
    const script = `. "$0"; printf '%s\\0%s\\0%s' "$FIRST" "$V" "$LAST"`;
    const [FIRST, V, LAST] = execFileSync('sh', ['-c', script, file], { encoding: 'utf8' }).split('\0');
    return { FIRST, V, LAST };
  },
  'util.parseEnv': (text) => parseEnv(text),
  dotenv: (text) => dotenv.parse(text),
  ...(python && {
    'python-dotenv': (text: string) => {
      const script =
        'import sys, io, json, dotenv; json.dump(dotenv.dotenv_values(stream=io.StringIO(sys.stdin.read())), sys.stdout)';
      return JSON.parse(execFileSync('python3', ['-c', script], { input: text, encoding: 'utf8' }));
    },
  }),
};

for (const [parser, parse] of Object.entries(parsers)) {
  test(`${parser} reads every value unchanged`, () => {
    for (const [what, value] of Object.entries(corpus)) {
      const { FIRST, V, LAST } = parse(fileOf(value));
      assert.equal({ FIRST, V, LAST }, { FIRST: '1', V: value, LAST: '2' }, what);
      assert.is(envValueError(variable(value)), undefined, what);
      if (value !== '') assert.is(envValueWarning(variable(value)), undefined, what);
    }
  });
}

test('has one line for each variable, in order, without comments and blank lines', () => {
  assert.is(fileOf('a b'), "FIRST='1'\nV='a b'\nLAST='2'\n");
  assert.is(new TextDecoder().decode(envFileContent([]).reveal()), '');
});

for (const [what, value, got] of [
  ['a single quote', "it's", 'a single quote'],
  ['a NUL character', 'a\0b', 'a NUL character'],
  ['bytes that are not UTF-8', new Uint8Array([0xff]), 'bytes that are not UTF-8'],
  ['a line that the kubelet cannot read', `a\n${'x'.repeat(65_001)}`, 'a line of more than 65000 bytes'],
] as const) {
  test(`rejects ${what}, with the name of the variable and no part of the value`, () => {
    const { message, remedy } = envValueError(variable(value)) ?? {};
    assert.match(
      remedy ?? '',
      /^Let the application read it from its file instead(\.$|, or use podsecrets exec)/,
    );
    assert.is(message, `expected a value of variable V that envFile can represent, got ${got}`);
  });
}

for (const [what, value, part] of [
  ['an empty value', '', 'is empty, which the kubelet treats as missing'],
  ['CR LF', 'a\r\nb', 'line breaks CR LF'],
  ['a carriage return', 'a\rb', 'a carriage return'],
  ['a backslash at the end', 'a\\', 'a backslash at its end'],
  ['two backslashes', 'a\\\\b', 'two backslashes in a row'],
  ['an expression of a shell', ['a$', '{B}'].join(''), 'a $ before {'],
] as const) {
  test(`warns of ${what}, which a parser reads differently`, () => {
    assert.match(envValueWarning(variable(value))?.message ?? '', part);
    assert.is(envValueError(variable(value)), undefined);
  });
}

test.run();
