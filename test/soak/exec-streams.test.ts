/** Standard input and the terminal of a command of `podsecrets exec --on-change`. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  change,
  commandPid,
  type OnChange,
  onChangeSuite,
  textOf,
  waits,
  wordsOf,
} from '../support/on-change.ts';
import { binary } from '../support/program.ts';
import { podIdentityEnv } from '../support/sandbox.ts';
import { endOf, until, WAIT_LIMIT } from '../support/wait.ts';

const exec = onChangeSuite('the streams of exec --on-change');

const envOf = ({ aws, box }: OnChange) => ({
  PATH: process.env.PATH ?? '',
  ...podIdentityEnv(box, aws, 'pod-token'),
});

exec('10 MB on standard input reach the command as they are', (fixture) => {
  const input = randomBytes(10 << 20);
  const { stdout, stderr, status } = spawnSync(binary, wordsOf(fixture, 'restart', 'exec cat'), {
    env: envOf(fixture),
    input,
    timeout: WAIT_LIMIT,
    maxBuffer: 64 << 20,
  });
  assert.is(status, 0, stderr.toString());
  assert.ok(stdout.equals(input));
});

exec('after a restart the command reads on where the old one stopped', async (fixture) => {
  const { aws, box } = fixture;
  const script = `read line; echo "$line" >> lines; ${waits}`;
  const child = spawn(binary, wordsOf(fixture, 'restart', script), {
    env: envOf(fixture),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  try {
    child.stdin.write('first\nsecond\n');
    await until('the first line', () => textOf(box.root, 'lines') === 'first\n');
    await change(aws);
    await until('the second line', () => textOf(box.root, 'lines') === 'first\nsecond\n');
  } finally {
    child.kill('SIGTERM');
    await endOf(child);
  }
});

/** An interactive shell at a terminal, which runs podsecrets in the foreground. */
function inShell(
  fixture: OnChange,
  script: string,
): ChildProcess & { readonly stdin: NodeJS.WritableStream } {
  const quoted = [binary, ...wordsOf(fixture, 'restart', script)]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(' ');
  const file = fixture.box.write('start', `${quoted}\n`);
  const shell = spawn('script', ['-qec', 'exec sh -i', '/dev/null'], {
    env: { ...envOf(fixture), PS1: '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.stdin.write(`eval "$(cat ${file})"\n`);
  return shell;
}

/** T: stopped. */
function stateOf(pid: number): string {
  return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
}

exec('Ctrl-Z stops podsecrets and the command, fg continues both, and Ctrl-C ends both', async (fixture) => {
  const { root } = fixture.box;
  // Not `waits`: between vfork and execve of its next `sleep`, a stopped shell has state D, not T.
  const script = 'echo $PPID > parent; read line; echo "$line" > line; exec sleep 1000';
  const shell = inShell(fixture, script);
  try {
    await until('the start', () => existsSync(join(root, 'parent')) && textOf(root, 'parent') !== '');
    const pids = [Number(textOf(root, 'parent')), commandPid(fixture.box) ?? 0];
    // It is in the foreground: it may read from the terminal.
    shell.stdin.write('typed\n');
    await until('the line', () => textOf(root, 'line') === 'typed\n');
    shell.stdin.write('\x1a');
    await until('both are stopped', () => pids.every((pid) => stateOf(pid) === 'T'));
    shell.stdin.write('fg\n');
    await until('both continue', () => pids.every((pid) => stateOf(pid) !== 'T'));
    shell.stdin.write('\x03');
    await until('both are gone', () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
  } finally {
    // The kernel hangs up the terminal, which ends what a failed test left on it.
    shell.kill('SIGKILL');
    await endOf(shell);
  }
});

exec.run();
