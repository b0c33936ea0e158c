/** The built program in its own tmpfs: its size limit and its unmount. Mounting it needs root. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isAllowed } from '../support/allowed.ts';
import { generationsIn } from '../support/directory.ts';
import { binary, run } from '../support/program.ts';
import { podIdentityEnv } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { region, type SidecarFixture, sidecarSuite, startReady } from '../support/sidecar-suite.ts';
import { until } from '../support/wait.ts';

const test = sidecarSuite('the volume of the built program', { password: 'value-0' });
test.before.each(({ box }) => {
  box.writeConfig({ objects: [{ objectName: 'password', objectType: 'secretsmanager' }] });
});

const PAGE = 4096;
const MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
const inNamespace = ['unshare', '--mount', 'sh', '-c', MOUNT, 'sh'] as const;
const canMount = isAllowed('a volume of a known size', [...inNamespace, '1m', '/mnt', 'true']);
const canEnter =
  canMount &&
  isAllowed('an unmount under the program', ['unshare', '--mount', 'sh', '-c', 'nsenter -m -t $$ true']);

/** A value with this number of pages. */
function pages(count: number, letter: string): string {
  return letter.repeat(count * PAGE);
}

async function put({ aws }: SidecarFixture, value: string): Promise<void> {
  await aws.putSecret({ region, name: 'password', string: value });
}

/** A ready sidecar in a tmpfs with this number of pages. */
function sidecar(fixture: SidecarFixture, size: number, ...flags: readonly string[]): Promise<Sidecar> {
  const command = [...inNamespace, `${size * PAGE}`, fixture.box.dir, binary] as const;
  return startReady(fixture, flags, { command: [...command] });
}

/** The directory as the program sees it. */
function inside({ pid }: Sidecar, { box }: SidecarFixture): string {
  return join(`/proc/${pid}/root`, box.dir);
}

if (canMount) {
  for (const [used, kept] of [
    [8, 2],
    [9, 1],
  ] as const) {
    test(`while a hook fails, ${kept} generations of ${used} pages stay in a volume of 32`, async (fixture) => {
      await put(fixture, pages(used, 'a'));
      const program = await sidecar(fixture, 32, '--notify-exec', '["/bin/false"]');
      await put(fixture, pages(used, 'b'));
      await program.refresh();
      await program.event('notify.failed');
      const dir = inside(program, fixture);
      await until('the end of the second in which readers finish', () => {
        const { mtimeMs } = statSync(dir);
        return generationsIn(dir).length === kept && Date.now() - mtimeMs > 1500;
      });
      assert.is(generationsIn(dir).length, kept);
      // The next generation fits in either case.
      await put(fixture, pages(used, 'c'));
      await program.refresh();
      await program.event('publish.changed', 3);
      assert.is(readFileSync(join(dir, 'password'), 'utf8')[0], 'c');
      await until('the removal of what was replaced', () => generationsIn(dir).length === 1);
    });
  }

  test('warns of files that take more than half of the volume when they are published', async (fixture) => {
    await put(fixture, pages(16, 'a'));
    assert.equal((await sidecar(fixture, 32)).events('publish.warning'), []);
    await put(fixture, pages(17, 'b'));
    const program = await sidecar(fixture, 32);
    const { message, code, level, remedy } = await program.event('publish.warning');
    assert.equal([code, level], ['publish.space', 'warn']);
    assert.match(
      String(message),
      /the files take 68Ki of a volume of 128Ki: a change to them cannot be published/,
    );
    assert.match(String(remedy), /sizeLimit: … }\) to at least 136Ki/);
  });
}

if (canEnter) {
  test('writes nothing to the disk below a volume that was unmounted', async (fixture) => {
    const { box } = fixture;
    const program = await sidecar(fixture, 32);
    await program.rests();
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
  const { aws, box, sidecars } = fixture;
  const env = podIdentityEnv(box, aws, 'pod-token');
  const args = ['--config', box.config, '--dir', box.dir];
  assert.is((await run(['init', ...args], env)).code, 0);
  const times = () =>
    ['.', ...readdirSync(box.dir)].map(
      (name) => `${name} ${statSync(join(box.dir, name), { bigint: true }).mtimeNs}`,
    );
  const before = times();
  const program = await startSidecar(args, env);
  sidecars.push(program);
  await program.event('publish.verified');
  assert.equal(times(), before);
});

test('rejects two configs at the start whose directories are the same, one through a link', async (fixture) => {
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
