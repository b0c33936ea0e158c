/** The limit for arguments and environment, against the kernel of this machine. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { argumentLimit, checkLength } from '../../src/exec/argument-limit.ts';

const test = suite('the limit for arguments and environment');

const limitsWith = (stack: string) => `Limit\nMax stack size            ${stack}     unlimited   bytes\n`;

test('is a quarter of the stack, between 128 KiB and 6 MiB', () => {
  for (const [stack, expected] of [
    ['8388608', 2 << 20],
    ['262144', 128 << 10],
    ['unlimited', 6 << 20],
    ['1073741824', 6 << 20],
  ] as const)
    assert.is(argumentLimit(limitsWith(stack)), expected);
});

test('accepts what the kernel accepts, and rejects one byte more', () => {
  const file = '/bin/true';
  const words = ['true', 'a', 'é'];
  const limit = argumentLimit(readFileSync('/proc/self/limits', 'utf8'));
  const variables = new Map<string, string | Secret>();
  const fixed = [file, ...words].reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 8 * words.length);
  // NAME=value and a NUL, and a pointer: names of 4 characters.
  const overhead = 4 + 1 + 1 + 8;
  let left = limit - fixed;
  for (let at = 1000; left > 0; at++) {
    const length = left > 120_000 ? 100_000 : left - overhead;
    variables.set(String(at), at % 2 === 0 ? 'x'.repeat(length) : new Secret('x'.repeat(length)));
    left -= length + overhead;
  }
  const started = () => {
    const env = Object.fromEntries(
      [...variables].map(([name, value]) => [
        name,
        typeof value === 'string' ? value : new TextDecoder().decode(value.reveal()),
      ]),
    );
    // Node's own PATH and the like are not added.
    const { error } = spawnSync(file, words.slice(1), { argv0: 'true', env });
    return (error as NodeJS.ErrnoException | undefined)?.code ?? 'started';
  };
  const program = { file, name: file };
  checkLength(program, words, variables, limit);
  assert.is(started(), 'started');
  variables.set('more', '');
  assert.throws(() => checkLength(program, words, variables, limit), /E2BIG/);
  assert.is(started(), 'E2BIG');
});

test.run();
