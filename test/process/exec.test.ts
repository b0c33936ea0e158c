/** `podsecrets exec`: the built program becomes the command, which must find everything as if it had been started directly. */

import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { canary, canaryIn } from '../support/canary.ts';
import { binary, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { until, WAIT_LIMIT } from '../support/wait.ts';

const region = 'eu-west-1';
const arn = `arn:aws:secretsmanager:${region}:111122223333:secret:db`;
const large = Object.fromEntries(
  Array.from({ length: 6 }, (_, index) => [`large${index}`, canary('large').repeat(2500)]),
);
const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: {
    [region]: {
      secrets: {
        db: { json: { user: canary('user'), password: canary('password') } },
        nul: `${canary('nul')}\0`,
        quote: "it's",
        ...large,
      },
      parameters: { '/token': 's3cret' },
    },
  },
};

const password = {
  objectName: 'db',
  objectType: 'secretsmanager',
  objectAlias: 'db.json',
  jmesPath: [{ path: 'password', objectAlias: 'password', env: 'DB_PASSWORD' }],
};

const exec = suite<{ aws: FakeAwsProcess; box: Sandbox }>('exec');
exec.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
exec.after(({ aws }) => aws.stop());
exec.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.box.writeConfig({ objects: [password] });
});
exec.after.each(({ box }) => box.remove());

interface Fixture {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
}

interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
}

function spawned(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input: Buffer | string = '',
): Ran {
  const [program = '', ...words] = command;
  const options = {
    env: { PATH: process.env.PATH ?? '', ...env },
    input,
    timeout: WAIT_LIMIT,
    maxBuffer: 64 << 20,
  };
  const { status, signal, pid, stdout, stderr } = spawnSync(program, words, options);
  return { code: status, signal, pid, stdout: stdout.toString('latin1'), stderr: stderr.toString() };
}

/** `podsecrets exec FLAGS -- COMMAND` with a pod's identity and the config of the sandbox. */
function execOf({ box }: Fixture, command: readonly string[], flags: readonly string[] = []) {
  const config = flags.includes('--config') || flags.includes('--set') ? [] : ['--config', box.config];
  const times = ['--start-timeout', '0s', '--aws-timeout', '1m'];
  return [binary, 'exec', ...config, ...times, ...flags, '--', ...command];
}

function ran(fixture: Fixture, command: readonly string[], flags: readonly string[] = [], env = {}): Ran {
  const { aws, box } = fixture;
  return spawned(execOf(fixture, command, flags), { ...podIdentityEnv(box, aws, 'pod-token'), ...env });
}

/** What `env` prints. */
function variablesOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

exec('the command has the secrets in its environment, and no setting of podsecrets', (fixture) => {
  const { code, stdout, stderr } = ran(fixture, ['env'], [], { PODSECRETS_LOG_FORMAT: 'json', OWN: '1' });
  assert.is(code, 0, stderr);
  const variables = variablesOf(stdout);
  assert.is(variables.DB_PASSWORD, canary('password'));
  assert.is(variables.OWN, '1');
  assert.is(variables.AWS_REGION, region);
  assert.equal(
    Object.keys(variables).filter((name) => /PODSECRETS/.test(name)),
    [],
  );
  assert.is(stderr, '', 'nothing is logged below warn');
  assert.equal(fixture.box.files(), {}, 'no file is published without a directory');
});

exec('--dir publishes the files too', (fixture) => {
  const { box } = fixture;
  const { code, stdout } = ran(fixture, ['cat', join(box.dir, 'password')], ['--dir', box.dir]);
  assert.equal([code, stdout], [0, canary('password')]);
});

exec('--set needs no config: a field, a whole value and a parameter', (fixture) => {
  const set = [`USER_NAME=${arn}:user`, `DB=${arn}`, 'TOKEN=/token'].flatMap((text) => ['--set', text]);
  const { code, stdout, stderr } = ran(fixture, ['env'], set);
  assert.is(code, 0, stderr);
  const { USER_NAME, DB, TOKEN } = variablesOf(stdout);
  assert.is(USER_NAME, canary('user'));
  assert.is(JSON.parse(DB ?? '').password, canary('password'));
  assert.is(TOKEN, 's3cret');
});

exec('a variable in two configs is rejected', (fixture) => {
  const flags = ['--config', fixture.box.config, '--set', `DB_PASSWORD=${arn}`];
  const { code, stderr } = ran(fixture, ['true'], flags);
  assert.is(code, 3);
  assert.match(stderr, 'variable DB_PASSWORD: expected each variable in one config');
});

exec('--config env:NAME reads the config from a variable', (fixture) => {
  const env = { CLASS: readFileSync(fixture.box.config, 'utf8') };
  const { code, stdout, stderr } = ran(fixture, ['printenv', 'DB_PASSWORD'], ['--config', 'env:CLASS'], env);
  assert.equal([code, stdout], [0, `${canary('password')}\n`], stderr);
  const missing = ran(fixture, ['true'], ['--config', 'env:CLASS']);
  assert.is(missing.code, 3);
  assert.match(missing.stderr, 'env:CLASS');
});

exec(
  'a secret replaces a variable of the environment with a warning, unless --preserve-env names it',
  (fixture) => {
    const env = { DB_PASSWORD: 'own' };
    const replaced = ran(fixture, ['printenv', 'DB_PASSWORD'], [], env);
    assert.is(replaced.stdout, `${canary('password')}\n`);
    assert.match(replaced.stderr, '"event":"exec.overrides"');
    const kept = ran(fixture, ['printenv', 'DB_PASSWORD'], ['--preserve-env', 'DB_PASSWORD'], env);
    assert.equal([kept.stdout, kept.stderr], ['own\n', '']);
  },
);

exec('--pristine passes only the basic variables, those of --keep-env and the secrets', (fixture) => {
  const { stdout } = ran(fixture, ['env'], ['--pristine', '--keep-env', 'KEPT'], { KEPT: '1', OTHER: '2' });
  assert.equal(Object.keys(variablesOf(stdout)).sort(), ['DB_PASSWORD', 'KEPT', 'PATH']);
});

exec('the variables that change Node are passed on, although this program runs without them', (fixture) => {
  const env = {
    NODE_DEBUG: 'http',
    NODE_COMPILE_CACHE: '/tmp/none',
    NODE_OPTIONS: '--max-http-header-size=1',
  };
  const { stdout, stderr } = ran(fixture, ['env'], [], env);
  const { NODE_DEBUG, NODE_COMPILE_CACHE, NODE_OPTIONS } = variablesOf(stdout);
  assert.equal({ NODE_DEBUG, NODE_COMPILE_CACHE, NODE_OPTIONS }, env);
  assert.is(stderr, '');
});

exec(
  'a value that a file of variables cannot hold is passed on; without a file it is not rejected',
  (fixture) => {
    fixture.box.writeConfig({
      envFile: 'app.env',
      objects: [{ objectName: 'quote', objectType: 'secretsmanager', env: 'QUOTE' }],
    });
    assert.is(ran(fixture, ['printenv', 'QUOTE']).stdout, "it's\n");
    const published = ran(fixture, ['true'], ['--dir', fixture.box.dir]);
    assert.is(published.code, 5);
    assert.match(published.stderr, 'or use podsecrets exec');
  },
);

exec('a config without env and without a directory is a warning', (fixture) => {
  fixture.box.writeConfig({ objects: [{ objectName: 'quote', objectType: 'secretsmanager' }] });
  const { code, stderr } = ran(fixture, ['true']);
  assert.is(code, 0);
  assert.match(stderr, 'nothing in this config is used');
});

exec('the command is the same process, with one thread, and with the signals of a plain start', (fixture) => {
  const words = ['grep', '-E', '^(Pid|Threads|Sig(Pnd|Blk|Ign|Cgt)|CapEff|NoNewPrivs):', '/proc/self/status'];
  const [plain, became] = [spawned(words), ran(fixture, words)];
  const lines = ({ stdout, pid }: Ran) => stdout.replace(`Pid:\t${pid}\n`, 'Pid:\tits own\n');
  assert.match(plain.stdout, 'Threads:\t1\n');
  assert.match(lines(plain), 'Pid:\tits own');
  assert.is(lines(became), lines(plain));
});

exec('the command has the descriptors of a plain start, with the same flags, on pipes too', (fixture) => {
  const script =
    'for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done; ls /proc/self/fd; ulimit -c; umask';
  const piped = 'printf x | "$@" 2>&1 | cat';
  const inPipe = (command: readonly string[]) => ['sh', '-c', piped, 'sh', ...command];
  const words = ['sh', '-c', script];
  const env = podIdentityEnv(fixture.box, fixture.aws, 'pod-token');
  assert.is(spawned(execOf(fixture, words), env).stdout, spawned(words).stdout);
  const plain = spawned(inPipe(words)).stdout;
  assert.match(plain, 'flags:');
  assert.is(spawned(inPipe(execOf(fixture, words)), env).stdout, plain);
});

exec('a writer in the command ends when its reader does', (fixture) => {
  const { stdout, stderr } = ran(fixture, ['sh', '-c', 'yes | head -n 1; echo "ended"']);
  assert.is(stdout, 'y\nended\n');
  assert.is(stderr, '', 'by SIGPIPE, not by an error that it has to report');
});

exec('10 MB on standard input reach the command as they are', (fixture) => {
  const input = randomBytes(10 << 20);
  const env = podIdentityEnv(fixture.box, fixture.aws, 'pod-token');
  const { stdout, stderr } = spawned(execOf(fixture, ['cat']), env, input);
  assert.is(sha(Buffer.from(stdout, 'latin1')), sha(input), stderr);
});

exec('the exit code and the signal of the command are those of the process', (fixture) => {
  for (const code of [0, 1, 7, 126, 127, 128, 143, 255])
    assert.is(ran(fixture, ['sh', '-c', `exit ${code}`]).code, code);
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGPIPE'] as const)
    assert.is(ran(fixture, ['sh', '-c', `kill -${constants.signals[signal]} $$`]).signal, signal);
});

exec('no log line, argument or error has a value, even at level debug', (fixture) => {
  const { stdout, stderr } = ran(fixture, ['cat', '/proc/self/cmdline'], ['--log-level', 'debug']);
  assert.match(stderr, '"event":"exec.starting"');
  assert.is(canaryIn(stdout + stderr), undefined);
});

exec('a NUL in a value is rejected before the start, and not quoted', (fixture) => {
  fixture.box.writeConfig({ objects: [{ objectName: 'nul', objectType: 'secretsmanager', env: 'NUL' }] });
  const { code, stdout, stderr } = ran(fixture, ['echo', 'started'], ['--dir', fixture.box.dir]);
  assert.equal([code, stdout], [5, '']);
  assert.match(stderr, 'variable NUL');
  assert.is(canaryIn(stderr), undefined);
  assert.equal(fixture.box.files(), {});
});

exec('an environment that is too large for the kernel is explained, and not quoted', (fixture) => {
  const objects = Object.keys(large).map((name) => ({
    objectName: name,
    objectType: 'secretsmanager',
    env: name,
  }));
  fixture.box.writeConfig({ objects });
  // The kernel's limit is a quarter of the stack's.
  const limited = ['sh', '-c', 'ulimit -s 1024; exec "$@"', 'sh', ...execOf(fixture, ['echo', 'started'])];
  const { code, stdout, stderr } = spawned(limited, podIdentityEnv(fixture.box, fixture.aws, 'pod-token'));
  assert.equal([code, stdout], [126, ''], stderr);
  assert.match(stderr, /E2BIG.*Read large values from files/);
  assert.is(canaryIn(stderr), undefined);
});

exec('a command that is missing has exit code 127, one that cannot be executed 126', (fixture) => {
  const { box } = fixture;
  assert.is(ran(fixture, ['podsecrets-none']).code, 127);
  assert.is(ran(fixture, ['/podsecrets-none']).code, 127);
  const started = (text: string, mode: number) => {
    const file = box.write('command', text);
    chmodSync(file, mode);
    return ran(fixture, [file]);
  };
  for (const [text, mode, reason] of [
    ['#!/bin/sh\n', 0o644, /permission denied.*may execute it/],
    ['#!/podsecrets-none\n', 0o755, /ENOENT.*Put the interpreter into the image/],
    ['no format', 0o755, /ENOEXEC.*architecture/],
  ] as const) {
    const { code, stderr } = started(text, mode);
    assert.is(code, 126, String(reason));
    assert.match(stderr, reason);
  }
  assert.is(started('#!/bin/sh\nexit 9\n', 0o755).code, 9);
});

exec('the command gets its name as it was written, and its arguments unchanged', (fixture) => {
  const words = ['--', '-x', '', 'a b', '--help', '$HOME', "'"];
  const { stdout } = ran(fixture, ['sh', '-c', 'printf "%s|" "$0" "$@"', 'name', ...words]);
  assert.is(stdout, ['name', ...words, ''].join('|'));
  assert.is(ran(fixture, ['sh', '-c', 'cat /proc/$$/cmdline; :']).stdout.split('\0')[0], 'sh');
});

exec('nothing is started when a fetch fails, and the termination log has the cause', (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [password, { objectName: 'none', objectType: 'secretsmanager' }] });
  const file = box.write('termination', '');
  const { code, stdout } = ran(fixture, ['echo', 'started'], ['--termination-log', file]);
  assert.equal([code, stdout], [5, '']);
  assert.match(readFileSync(file, 'utf8'), /^podsecrets exec failed: none: /);
});

for (const [signal, expected] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGQUIT', 131],
] as const) {
  exec(
    `${signal} during the fetch ends with ${expected}, and the command is not started`,
    async (fixture) => {
      const { aws, box } = fixture;
      await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
      const mark = join(box.root, 'started');
      const [, ...words] = execOf(fixture, ['touch', mark], ['--start-timeout', '10m']).filter(
        (word, index, all) => word !== '0s' && all[index + 1] !== '0s',
      );
      const running = start(words, podIdentityEnv(box, aws, 'pod-token'));
      await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
      process.kill(running.pid, signal);
      const { code, lastLine } = await running.ended();
      assert.is(code, expected);
      assert.match(lastLine, `was ended by ${signal} before its command was started`);
      assert.not.ok(existsSync(mark));
    },
  );
}

exec(
  'a signal for the application that arrives during the fetch has no effect on its start',
  async (fixture) => {
    const { aws, box } = fixture;
    await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'latency', ms: 300 } });
    const [, ...words] = execOf(fixture, ['echo', 'started']);
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
      await aws.clearCalls();
      const running = start(words, podIdentityEnv(box, aws, 'pod-token'));
      await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
      process.kill(running.pid, signal);
      const { code, stdout } = await running.ended();
      assert.equal([code, stdout], [0, 'started\n'], signal);
    }
  },
);

exec('the command is process 1 if podsecrets was', (fixture) => {
  const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
  if (!isAllowed('exec as process 1', ['unshare', ...unshare, 'true'])) return;
  const words = ['grep', '-E', '^(Pid|Threads|Sig(Blk|Ign|Cgt)):', '/proc/self/status'];
  const env = podIdentityEnv(fixture.box, fixture.aws, 'pod-token');
  const plain = spawned(['unshare', ...unshare, ...words]);
  const became = spawned(['unshare', ...unshare, ...execOf(fixture, words)], env);
  assert.match(became.stdout, 'Pid:\t1\n', became.stderr);
  assert.is(became.stdout, plain.stdout);
});

exec('leaves nothing in the directory for temporary files', (fixture) => {
  const { box } = fixture;
  ran(fixture, ['true'], [], { TMPDIR: box.dir });
  assert.equal(readdirSync(box.dir), []);
});

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

exec.run();
