/** The output of a command arrives completely, or the exit code shows that it did not. A pipe takes 64 KiB at a time. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CheckReport } from '../../src/config/report.ts';
import { exitCodes } from '../../src/core/problem.ts';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { binary, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type LoggedLine, startSidecar } from '../support/sidecar.ts';
import { until, within } from '../support/wait.ts';

/** So many objects or warnings fill a pipe several times. */
const COUNT = 2000;

function object(objectName: string) {
  return { objectName, objectType: 'secretsmanager' };
}

const output = suite<{ box: Sandbox; check: readonly string[] }>('output');
output.before((context) => {
  context.box = makeSandbox();
  const objects = Array.from({ length: COUNT }, (_, at) => ({
    objectName: `secret-${at}`,
    objectType: 'secretsmanager',
  }));
  context.box.writeConfig({ region: 'eu-west-1', objects });
  context.check = ['check', '--output', 'json', '--config', context.box.config];
});
output.after(({ box }) => box.remove());

output('a long output passes through a pipe completely', async ({ check }) => {
  const { code, stdout } = await run(check);
  const report = JSON.parse(stdout) as CheckReport;
  assert.is(code, exitCodes.done);
  assert.is(report.ok && report.files.length, COUNT);
});

output('a reader that closes the pipe early is not an error', async ({ check }) => {
  const { child, ended } = start(check);
  child.stdout?.destroy();
  const { code, stderr } = await ended();
  assert.is(code, exitCodes.done);
  assert.is(stderr, '');
});

output('a full destination is an error', async ({ check }) => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(binary, check, { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await within('the end of check', once(child, 'close'));
  assert.is(code, exitCodes.usage);
  assert.match(
    stderr,
    /standard output: could not be written completely \(ENOSPC\)\..*\[usage\.command\]\n$/,
  );
});

output('loses no line of a long log in text', async ({ box }) => {
  const unknown = Array.from({ length: COUNT }, (_, at) => [`unknown${at}`, 'x']);
  const objects = [{ objectName: 'a', objectType: 'secretsmanager' }];
  box.writeConfig({
    region: 'eu-west-1',
    usePodIdentity: 'false',
    objects,
    ...Object.fromEntries(unknown),
  });
  const args = ['init', '--config', box.config, '--dir', box.dir, '--log-format', 'text'];
  const { code, stderr } = await run(args);
  // It logs all warnings of the config first, and then fails because there is no identity.
  assert.is(code, exitCodes.credentials);
  assert.is(stderr.split('\n').filter((line) => line.includes(' WARN ')).length, COUNT);
});

/** Makes stderr non-blocking, as another process that shares the pipe can, and becomes the program. */
const nonBlocking = `
  const { dlopen } = process.getBuiltinModule('node:ffi');
  const { functions } = dlopen(null, { fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' } });
  const [F_SETFL, O_NONBLOCK] = [4, 2048];
  if (functions.fcntl(2, F_SETFL, O_NONBLOCK) !== 0) throw new Error('fcntl failed');
  process.execve(process.argv[1], process.argv.slice(1), process.env);`;

output('loses no line of a long log in a non-blocking pipe', async ({ box }) => {
  const unknown = Array.from({ length: COUNT }, (_, at) => [`unknown${at}`, 'x']);
  box.writeConfig({
    region: 'eu-west-1',
    usePodIdentity: 'false',
    objects: [{ objectName: 'a', objectType: 'secretsmanager' }],
    ...Object.fromEntries(unknown),
  });
  const command = [process.execPath, '--no-warnings', '-e', nonBlocking, binary] as const;
  const { code, stderr, lastLine } = await run(['init', '--config', box.config, '--dir', box.dir], {}, [
    ...command,
  ]);
  assert.is(code, exitCodes.credentials);
  assert.is(stderr.split('\n').filter((line) => line.includes('"warn"')).length, COUNT);
  assert.is(JSON.parse(lastLine).event, 'exit');
});

/** A ready sidecar whose stderr is a named pipe that nothing reads yet; `configure` writes its config. */
async function unreadSidecar(box: Sandbox, configure: () => unknown) {
  const aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['t'] } },
    regions: { 'eu-west-1': { secrets: { a: 'x' } } },
  });
  configure();
  const fifo = join(box.root, 'log');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const args = ['--config', box.config, '--dir', box.dir, '--aws-timeout', '1m'];
  // A container runtime gives a pipe; Node would give a socket.
  const command = ['sh', '-c', `exec "$0" "$@" 2> ${fifo}`, binary] as const;
  const sidecar = await startSidecar(args, podIdentityEnv(box, aws, 't'), command);
  let log = '';
  return {
    sidecar,
    /** Reads until the log has this text, and ends with a whole line. */
    async read(text: string): Promise<readonly LoggedLine[]> {
      await until(`${text} in the log`, () => {
        log += readAvailable(reader);
        return log.includes(text) && log.endsWith('\n');
      });
      return log
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    },
    reloads: (count: number) =>
      until(
        'another config',
        async () => (await sidecar.metric('podsecrets_config_reloads_total{result="changed"}')) === count,
      ),
    isReady: () =>
      until(
        'a response to the probe',
        async () => (await sidecar.page('/readyz').catch(() => undefined))?.status === 200,
      ),
    async close() {
      sidecar.child.kill('SIGKILL');
      closeSync(reader);
      rmSync(fifo);
      await aws.stop();
    },
  };
}

output(
  'a sidecar whose log is not read responds to probes, loses no line, and ends at SIGTERM',
  async ({ box }) => {
    const configure = (prefix: string) =>
      box.writeConfig({
        objects: [object('a')],
        ...Object.fromEntries(Array.from({ length: COUNT }, (_, at) => [`${prefix}${at}`, 'x'])),
      });
    const { sidecar, read, reloads, isReady, close } = await unreadSidecar(box, () => configure('one'));
    try {
      await isReady();
      const lines = await read('"sidecar.ready"');
      assert.is(lines.filter(({ event }) => event === 'config.warning').length, COUNT);
      configure('two');
      await reloads(1);
      sidecar.child.kill('SIGTERM');
      assert.is((await sidecar.ended()).code, exitCodes.done);
    } finally {
      await close();
    }
  },
);

output(
  'the log says how many lines were dropped while nothing read it, and so does a metric',
  async ({ box }) => {
    let count = 0;
    const configure = () =>
      box.writeConfig({
        objects: [object('a')],
        ...Object.fromEntries(
          Array.from({ length: 5000 }, (_, at) => [`${'x'.repeat(150)}${count}-${at}`, 'x']),
        ),
      });
    const { sidecar, read, reloads, isReady, close } = await unreadSidecar(box, configure);
    const dropped = () => sidecar.metric('podsecrets_log_lines_dropped_total');
    try {
      await isReady();
      assert.is(await dropped(), 0);
      while ((await dropped()) === 0) {
        count += 1;
        configure();
        await reloads(count);
      }
      const missing = await dropped();
      const notices = (await read('log.dropped')).filter(({ event }) => event === 'log.dropped');
      assert.equal(
        notices.map(({ level, lines }) => [level, lines]),
        [['error', missing]],
      );
    } finally {
      await close();
    }
  },
);

/** What a pipe contains. */
function readAvailable(pipe: number): string {
  const parts: Buffer[] = [];
  try {
    for (;;) {
      const part = Buffer.alloc(65_536);
      const length = readSync(pipe, part);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
    }
  } catch {
    // EAGAIN: it is empty.
  }
  return Buffer.concat(parts).toString();
}

output('check takes files, directories and standard input, and skips other kinds', async ({ box }) => {
  const classText = readFileSync(box.writeConfig({ region: 'eu-west-1', objects: [object('a')] }), 'utf8');
  mkdirSync(join(box.root, 'manifests/below'), { recursive: true });
  box.write('manifests/pod.yaml', 'kind: Pod\napiVersion: v1\n');
  box.write('manifests/below/two.yml', `${classText}---\n${classText.replace('name: app', 'name: other')}`);
  box.write('manifests/notes.txt', 'no YAML: [');
  const whole = await run(['check', join(box.root, 'manifests')]);
  assert.is(whole.code, exitCodes.done, whole.stdout);
  assert.match(whole.stdout, '(app) publishes to');
  assert.match(whole.stdout, '(other) publishes to');
  assert.match(whole.stdout, /\nok\n$/);
  assert.is((await run(['check', join(box.root, 'manifests/*/*.yml')])).code, exitCodes.done);
  const none = await run(['check', join(box.root, 'manifests/pod.yaml')]);
  assert.is(none.code, exitCodes.config);
  assert.match(none.stdout, 'expected a SecretProviderClass for AWS, got Pod.');
  const missing = await run(['check', join(box.root, 'missing.yaml')]);
  assert.is(missing.code, exitCodes.config);
});

output('check --strict fails on a warning', async ({ box }) => {
  const file = box.writeConfig({ region: 'eu-west-1', objects: [object('a')], misspelt: 'x' });
  assert.is((await run(['check', file])).code, exitCodes.done);
  const strict = await run(['check', '--strict', file]);
  assert.is(strict.code, exitCodes.config);
  assert.match(strict.stdout, 'misspelt');
});

output('escapes every character in JSON that controls a terminal or ends a line', async ({ box }) => {
  const objectAlias = 'a\u202e\u2028';
  const file = box.writeConfig({ region: 'eu-west-1', objects: [{ ...object('a'), objectAlias }] });
  const { stdout } = await run(['check', '--output', 'json', file]);
  assert.not.match(stdout, /[\u202e\u2028\u009b]/);
  const report = JSON.parse(stdout) as CheckReport;
  assert.is(report.ok && report.files[0]?.path, objectAlias, stdout);
});

output('a usage error is the last line, even when the sources run directly', () => {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main, 'check', '--bogus'], { encoding: 'utf8' });
  assert.match(stderr, /^podsecrets failed: --bogus: unknown flag\..* \[usage\.flag\]\n$/);
  assert.is(status, exitCodes.usage);
});

output('help and version are commands too', async () => {
  assert.is((await run(['version'])).stdout, (await run(['--version'])).stdout);
  assert.is((await run(['help', 'check'])).stdout, (await run(['check', '--help'])).stdout);
  const unknown = await run(['help', 'chek']);
  assert.is(unknown.code, exitCodes.usage);
  assert.match(unknown.lastLine, 'Did you mean podsecrets check?');
  assert.match((await run(['init', 'app.yaml'])).lastLine, 'Write --config app.yaml.');
});

output.run();
