/** `podsecrets exec --on-change`: the command as a child of podsecrets. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { canary, canaryIn } from '../support/canary.ts';
import {
  change,
  commandPid,
  type OnChange,
  onChangeSuite,
  password,
  region,
  running,
  textOf,
  waits,
  wordsOf,
} from '../support/on-change.ts';
import { textsInMemory } from '../support/process-memory.ts';
import { childrenOf, isRunning } from '../support/processes.ts';
import { binary, type Running, start } from '../support/program.ts';
import { podIdentityEnv } from '../support/sandbox.ts';
import { endOf, until } from '../support/wait.ts';

const exec = onChangeSuite('exec --on-change');

exec(
  'restart: the next command has the new value and the new files, and the old one has ended',
  async (fixture) => {
    const { aws, box } = fixture;
    const script = `[ ! -e old ] || kill -0 $(cat old) 2> overlap; cat ${box.dir}/password >> values; echo " $DB_PASSWORD" >> values; cp pid old; ${waits}`;
    const one = running(fixture, 'restart', script, ['--dir', box.dir]);
    await until('the first start', () => textOf(box.root, 'values').endsWith('\n'));
    const first = commandPid(box);
    await change(aws);
    await one.prints(/restart\.succeeded/);
    const lines = [canary('one'), canary('two')].map((value) => `${value} ${value}\n`);
    await until('the second start', () => textOf(box.root, 'values') === lines.join(''));
    assert.not.equal(commandPid(box), first);
    assert.match(textOf(box.root, 'overlap'), /No such process/);
    process.kill(one.pid, 'SIGTERM');
    const { code, stderr } = await one.ended();
    assert.is(code, 143);
    assert.is(canaryIn(stderr), undefined);
  },
);

exec('exit: a change stops the command and ends with 0, whatever its exit code', async (fixture) => {
  const { aws, box } = fixture;
  const one = running(fixture, 'exit', `trap 'echo stopped > end; exit 3' USR1; touch ready; ${waits}`, [
    '--stop-signal',
    'USR1',
  ]);
  await until('the start', () => existsSync(join(box.root, 'ready')));
  await change(aws);
  const { code } = await one.ended();
  assert.equal([code, textOf(box.root, 'end')], [0, 'stopped\n']);
});

exec('a command that ignores the stop signal is killed after --stop-timeout', async (fixture) => {
  const { aws, box } = fixture;
  const one = running(fixture, 'exit', `trap '' TERM; touch ready; ${waits}`, ['--stop-timeout', '100ms']);
  await until('the start', () => existsSync(join(box.root, 'ready')));
  await change(aws);
  const { code, stderr } = await one.ended();
  assert.is(code, 0);
  assert.match(stderr, '"event":"restart.killed"');
});

exec('a signal: the files are published, the command gets it and goes on', async (fixture) => {
  const { aws, box } = fixture;
  const one = running(fixture, 'SIGHUP', `trap 'cat ${box.dir}/password > seen' HUP; touch ready; ${waits}`, [
    '--dir',
    box.dir,
  ]);
  await until('the start', () => existsSync(join(box.root, 'ready')));
  const first = commandPid(box);
  await change(aws);
  await until('the signal', () => textOf(box.root, 'seen') === canary('two'));
  assert.is(commandPid(box), first);
  assert.not.ok(one.hasEnded());
  process.kill(one.pid, 'SIGTERM');
  assert.is((await one.ended()).code, 143);
});

exec('a set that is not complete changes nothing', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: [password, { objectName: 'other', objectType: 'secretsmanager' }] });
  const one = running(fixture, 'exit', `touch ready; ${waits}`, ['--dir', box.dir]);
  await until('the start', () => existsSync(join(box.root, 'ready')));
  await change(aws);
  await aws.removeSecret({ region, name: 'other' });
  await one.prints(/"event":"sync\.failed"/);
  assert.equal([one.hasEnded(), box.files().password], [false, canary('one')]);
});

exec(
  'the exit code of the command is that of podsecrets, 128 and its number for a signal',
  async (fixture) => {
    for (const code of [0, 3, 126, 255])
      assert.is((await running(fixture, 'restart', `exit ${code}`).ended()).code, code);
    for (const signal of ['SIGHUP', 'SIGKILL', 'SIGSEGV'] as const) {
      const number = constants.signals[signal];
      assert.is(
        (await running(fixture, 'restart', `ulimit -c 0; kill -${number} $$`).ended()).code,
        128 + number,
      );
    }
  },
);

exec('a command that is missing has exit code 127, one that cannot be executed 126', async (fixture) => {
  const { aws, box } = fixture;
  const env = podIdentityEnv(box, aws, 'pod-token');
  const ended = async (command: string) => {
    const words = wordsOf(fixture, 'restart', '');
    return await start([...words.slice(0, words.indexOf('--') + 1), command], env).ended();
  };
  assert.is((await ended('podsecrets-none')).code, 127);
  const file = box.write('command', '#!/podsecrets-none\n');
  const { chmodSync } = await import('node:fs');
  chmodSync(file, 0o755);
  const { code, lastLine } = await ended(file);
  assert.is(code, 126);
  assert.match(lastLine, 'ENOENT');
});

exec('each signal is forwarded, and podsecrets ends only with its command', async (fixture) => {
  const { box } = fixture;
  const names = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'WINCH', 'CONT', 'TERM'];
  const traps = names.map((name) => `trap 'echo ${name} >> got' ${name};`).join(' ');
  const one = running(
    fixture,
    'restart',
    `${traps} touch ready; until [ -e stop ]; do sleep 0.05; done; exit 7`,
  );
  await until('the start', () => existsSync(join(box.root, 'ready')));
  for (const name of [...names, 'TERM']) {
    const before = textOf(box.root, 'got');
    process.kill(one.pid, `SIG${name}`);
    await until(`SIG${name}`, () => textOf(box.root, 'got') === `${before}${name}\n`);
  }
  assert.not.ok(one.hasEnded());
  box.write('stop', '');
  assert.is((await one.ended()).code, 7);
});

exec('SIGTERM during the first fetch ends with 143, and the command is not started', async (fixture) => {
  const { aws, box } = fixture;
  await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
  const one = running(fixture, 'restart', 'true');
  await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
  process.kill(one.pid, 'SIGTERM');
  const { code, lastLine } = await one.ended();
  assert.is(code, 143);
  assert.match(lastLine, 'before its command was started');
  assert.is(commandPid(box), undefined);
});

/** A start whose first attempt has read one of two secrets. `retryAfter`: seconds until the next attempt, at least. */
async function startRetrying(fixture: OnChange, retryAfter: number): Promise<Running> {
  const { aws, box } = fixture;
  box.writeConfig({ objects: [password, { objectName: 'other', objectType: 'secretsmanager' }] });
  const on = { operation: 'GetSecretValue', id: 'other' };
  // The attempts of the SDK.
  await aws.addFault({ on, times: 2, does: { kind: 'server-error' } });
  await aws.addFault({ on, times: 1, does: { kind: 'server-error', retryAfter } });
  const flags = ['--dir', box.dir, '--start-timeout', '1h', '--interval', '1h'];
  const one = running(fixture, 'restart', waits, flags);
  await one.prints(/start\.retrying/);
  return one;
}

exec('a retry of the start reads only what the attempt before it did not', async (fixture) => {
  await startRetrying(fixture, 0);
  await until('the command', () => commandPid(fixture.box) !== undefined);
  assert.is(await fixture.aws.count({ operation: 'GetSecretValue', id: 'db' }), 1);
});

exec(
  'between two attempts of the start only the process that waits has values; SIGTERM ends both',
  async (fixture) => {
    const one = await startRetrying(fixture, 600);
    const [worker = 0] = childrenOf(one.pid);
    assert.ok(worker > 0, 'no process waits');
    assert.equal(textsInMemory(worker, [canary('one')]), [canary('one')]);
    assert.equal(textsInMemory(one.pid, [canary('one')]), []);
    process.kill(one.pid, 'SIGTERM');
    assert.is((await one.ended()).code, 143);
    await until('the end of the process', () => !isRunning(worker));
  },
);

exec('a signal that arrives during the first fetch is not for the command', async (fixture) => {
  const { aws, box } = fixture;
  await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'latency', ms: 300 } });
  const one = running(fixture, 'restart', 'touch started');
  await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
  process.kill(one.pid, 'SIGUSR1');
  assert.is((await one.ended()).code, 0, one.stderr());
  assert.ok(existsSync(join(box.root, 'started')));
});

exec('the command has the signals, the descriptors and the group of a plain start', async (fixture) => {
  const { aws, box } = fixture;
  const script = `grep -E '^(Threads|Sig(Pnd|Blk|Ign|Cgt)|NoNewPrivs):' /proc/self/status; ls /proc/self/fd; grep flags /proc/self/fdinfo/[012]`;
  const env = podIdentityEnv(box, aws, 'pod-token');
  const output = (words: readonly string[]) => start(words.slice(1), env, [words[0] ?? '']).ended();
  const plain = await output(['sh', '-c', script]);
  const words = wordsOf(fixture, 'restart', script);
  const supervised = await output([binary, ...words]);
  assert.is(supervised.stdout, plain.stdout);
  const groups = await output([
    binary,
    ...wordsOf(fixture, 'restart', "cut -d' ' -f5 /proc/$$/stat /proc/$PPID/stat | uniq | wc -l"),
  ]);
  assert.is(groups.stdout.trim(), '1');
});

exec('at a terminal the keys reach the command once', async (fixture) => {
  const { aws, box } = fixture;
  const words = wordsOf(
    fixture,
    'restart',
    `trap 'echo INT >> got' INT; touch ready; until [ -e stop ]; do sleep 0.05; done; exit 5`,
  );
  const quoted = [binary, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const env = { PATH: process.env.PATH ?? '', ...podIdentityEnv(box, aws, 'pod-token') };
  const terminal = spawn('script', ['-qec', `exec ${quoted}`, '/dev/null'], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await until('the start', () => existsSync(join(box.root, 'ready')));
  terminal.stdin.write('\x03');
  await until('the key', () => textOf(box.root, 'got') !== '');
  // A second signal would have come before this one.
  terminal.stdin.write('\x03');
  await until('the second key', () => textOf(box.root, 'got') === 'INT\nINT\n');
  box.write('stop', '');
  const [code] = await endOf(terminal);
  assert.equal([code, textOf(box.root, 'got')], [5, 'INT\nINT\n']);
});

exec('options for changes need --on-change, and a signal needs a directory', async (fixture) => {
  const { aws, box } = fixture;
  const env = podIdentityEnv(box, aws, 'pod-token');
  const flags = ['exec', '--config', box.config];
  const alone = await start([...flags, '--stop-timeout', '1s', '--', 'true'], env).ended();
  assert.is(alone.code, 2);
  assert.match(alone.stderr, '--stop-timeout: needs --on-change');
  const signal = await start([...flags, '--on-change', 'HUP', '--', 'true'], env).ended();
  assert.is(signal.code, 2);
  assert.match(signal.stderr, 'needs a directory');
});

exec.run();
