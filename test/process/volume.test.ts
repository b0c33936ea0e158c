/** The built program in its own tmpfs: its size limit and its unmount. Mounting it needs root. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { binary, run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';

interface Fixture {
  aws: FakeAwsProcess;
  box: Sandbox;
  running: Sidecar[];
}

const test = suite<Fixture>('the volume of the built program');
const region = 'eu-west-1';
const PAGE = 4096;
const MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
const inNamespace = ['unshare', '--mount', 'sh', '-c', MOUNT, 'sh'] as const;
const canMount = isAllowed('a volume of a known size', [...inNamespace, '1m', '/mnt', 'true']);
const canEnter =
  canMount &&
  isAllowed('an unmount under the program', ['unshare', '--mount', 'sh', '-c', 'nsenter -m -t $$ true']);

test.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { password: 'value-0' } } },
  });
});
test.after(({ aws }) => aws.stop());
test.before.each(async (context) => {
  await context.aws.reset();
  context.running = [];
  context.box = makeSandbox();
  context.box.writeConfig({ objects: [{ objectName: 'password', objectType: 'secretsmanager' }] });
});
test.after.each(async ({ box, running }) => {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended();
  }
  box.remove();
});

/** A value with this number of pages. */
function pages(count: number, letter: string): string {
  return letter.repeat(count * PAGE);
}

async function put({ aws }: Fixture, value: string): Promise<void> {
  await aws.putSecret({ region, name: 'password', string: value });
}

/** A ready sidecar in a tmpfs with this number of pages. */
async function sidecar(fixture: Fixture, size: number, ...more: readonly string[]): Promise<Sidecar> {
  const { aws, box, running } = fixture;
  const args = ['--config', box.config, '--dir', box.dir, ...more];
  const command = [...inNamespace, `${size * PAGE}`, box.dir, binary] as const;
  const started = await startSidecar(args, podIdentityEnv(box, aws, 'pod-token'), command);
  running.push(started);
  await started.event('sidecar.ready');
  return started;
}

/** The directory as the program sees it. */
function inside({ pid }: Sidecar, { box }: Fixture): string {
  return join(`/proc/${pid}/root`, box.dir);
}

function generations(dir: string): number {
  return readdirSync(dir).filter((name) => /^\.\.2\w+\.\w+$/.test(name)).length;
}

if (canMount) {
  for (const [used, kept] of [
    [8, 2],
    [9, 1],
  ] as const) {
    test(`while a hook fails, ${kept} sets of ${used} pages stay in a volume of 32`, async (fixture) => {
      await put(fixture, pages(used, 'a'));
      const program = await sidecar(fixture, 32, '--notify-exec', '["/bin/false"]');
      await put(fixture, pages(used, 'b'));
      await program.refresh();
      await program.event('notify.failed');
      const dir = inside(program, fixture);
      await until('the end of the second in which readers finish', () => {
        const { mtimeMs } = statSync(dir);
        return generations(dir) === kept && Date.now() - mtimeMs > 1500;
      });
      assert.is(generations(dir), kept);
      // The next one fits, whatever stays.
      await put(fixture, pages(used, 'c'));
      await program.refresh();
      await program.event('publish.changed', 3);
      assert.is(readFileSync(join(dir, 'password'), 'utf8')[0], 'c');
      await until('the removal of what was replaced', () => generations(dir) === 1);
    });
  }

  test('warns of a set of more than half of the volume when it is published', async (fixture) => {
    await put(fixture, pages(16, 'a'));
    assert.equal((await sidecar(fixture, 32)).events('publish.warning'), []);
    await put(fixture, pages(17, 'b'));
    const program = await sidecar(fixture, 32);
    const { message, code, level, remedy } = await program.event('publish.warning');
    assert.equal([code, level], ['publish.space', 'warn']);
    assert.match(
      String(message),
      /the files take 68Ki of a volume of 128Ki: no change of them can be published/,
    );
    assert.match(String(remedy), /sizeLimit: … }\) to at least 136Ki/);
  });
}

if (canEnter) {
  test('writes nothing to the disk below a volume that was unmounted', async (fixture) => {
    const { box } = fixture;
    const program = await sidecar(fixture, 32);
    const { status } = spawnSync('nsenter', ['-m', '-t', `${program.pid}`, 'umount', '--lazy', box.dir]);
    assert.is(status, 0);
    await put(fixture, 'value-1');
    process.kill(program.pid, 'SIGHUP');
    const { code, message } = await program.event('sync.failed');
    assert.is(code, 'publish.directory');
    assert.match(String(message), /replaced, removed or unmounted since the start/);
    assert.equal(readdirSync(inside(program, fixture)), []);
    assert.is((await program.page('/readyz')).status, 200);
  });
}

test('a sidecar after an init leaves the modification times of unchanged files', async (fixture) => {
  const { aws, box, running } = fixture;
  const env = podIdentityEnv(box, aws, 'pod-token');
  const args = ['--config', box.config, '--dir', box.dir];
  assert.is((await run(['init', ...args], env)).code, 0);
  const times = () =>
    ['.', ...readdirSync(box.dir)].map(
      (name) => `${name} ${statSync(join(box.dir, name), { bigint: true }).mtimeNs}`,
    );
  const before = times();
  const program = await startSidecar(args, env);
  running.push(program);
  await program.event('publish.verified');
  assert.equal(times(), before);
});

test('refuses two configs at the start whose directories are the same, one through a link', async (fixture) => {
  const { aws, box } = fixture;
  const link = join(box.root, 'link');
  symlinkSync(box.dir, link);
  for (const command of ['init', 'check']) {
    const args = [command, '--config', `${box.config}=${box.dir}`, '--config', `${box.config}=${link}`];
    const { code, stderr, stdout } = await run(args, podIdentityEnv(box, aws, 'pod-token'));
    assert.is(code === 0, false, command);
    if (command === 'init') assert.is(code, 2);
    assert.match(`${stdout}${stderr}`.replace(/\s+/g, ' '), /which are the same directory/, command);
  }
  assert.equal(readdirSync(box.dir), []);
});

test.run();
