/**
 * The built program on a volume as on an ordinary node, and other users that open the files. The kernel may not follow links in such
 * a volume for them (fs.protected_symlinks). On a machine without that setting the test applies the kernel's rule to the published
 * files, and `npm run test:kernel` runs this suite on a kernel with it.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { NOT_TESTED } from '../support/allowed.ts';
import {
  APPLICATION,
  canMountAsNode,
  FILES,
  mountVolume,
  type NodeVolume,
  type User,
  VOLUME,
} from '../support/node-volume.ts';
import { binary, type Ended, run } from '../support/program.ts';
import { isEnforced, mayFollow, refusedLinks } from '../support/protected-symlinks.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';

const region = 'eu-west-1';
const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: { [region]: { secrets: { a: 'one', b: 'one' } } },
};

/** The user of the image, one that an application might have, and root, which is no exception to the rule. */
const image = { uid: 65_532 };
const application = { uid: 1000 };
const root = { uid: 0 };
const readers = [application, root] as const;

interface Scene {
  aws: FakeAwsProcess;
  box: Sandbox;
  /** Mounted by the test. */
  volume: NodeVolume | undefined;
  sidecar: Sidecar | undefined;
}

const test = suite<Scene>('the volume of an ordinary node');
test.before(async (scene) => {
  scene.aws = await startFakeAwsProcess(seed);
});
test.after(({ aws }) => aws.stop());
test.before.each(async (scene) => {
  await scene.aws.reset();
  scene.box = makeSandbox();
  chmodSync(scene.box.root, 0o755);
  scene.volume = undefined;
  scene.sidecar = undefined;
});
test.after.each(async ({ box, volume, sidecar }) => {
  sidecar?.child.kill('SIGKILL');
  await sidecar?.ended;
  volume?.end();
  box.remove();
});

/** Two objects, of which the second may be left out; files that the image's user can read. */
function configure(box: Sandbox, names: readonly string[] = ['a', 'b'], mode = '0644'): void {
  const path = box.writeConfig({
    usePodIdentity: 'true',
    pathTranslation: 'False',
    objects: names.map((name) => ({
      objectName: name,
      objectType: 'secretsmanager',
      objectAlias: name === 'b' ? 'nested/b' : name,
      filePermission: mode,
    })),
  });
  chmodSync(path, 0o644);
}

/** What the kubelet gives a container. */
function podEnv({ aws, box }: Scene): Record<string, string> {
  const env = podIdentityEnv(box, aws, 'pod-token');
  chmodSync(env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE ?? '', 0o644);
  return { ...env, KUBERNETES_SERVICE_HOST: '10.0.0.1', PODSECRETS_CONFIG: box.config };
}

const limits = ['--start-timeout', '0s', '--aws-timeout', '1m'];

function init(scene: Scene, user: User = image, flags: readonly string[] = []): Promise<Ended> {
  return run(['init', ...limits, ...flags], podEnv(scene), scene.volume?.command(user));
}

async function mounted(scene: Scene, options?: { readonly fsGroup: number }): Promise<NodeVolume> {
  scene.volume = await mountVolume(options);
  return scene.volume;
}

/** What the kubelet does when it starts the application: `subPath: files`. */
function mountSubPath(volume: NodeVolume): void {
  volume.script(`mount --bind ${FILES} ${APPLICATION}; mount -o remount,bind,ro ${APPLICATION}`);
}

/** Every reader gets these values, by the kernel of this machine and by the rule of all others. */
function assertReadable(volume: NodeVolume, values: Readonly<Record<string, string>>): void {
  for (const reader of readers) {
    assert.equal(
      refusedLinks(volume.path(FILES), reader.uid),
      [],
      `links that the kernel does not follow for ${reader.uid}`,
    );
    for (const dir of [APPLICATION, `${APPLICATION}/..data`]) {
      for (const [name, value] of Object.entries(values))
        assert.is(volume.read(`${dir}/${name}`, reader), value, `${dir}/${name} for ${reader.uid}`);
    }
  }
}

test('the directory is created below the volume, and no link in it is rejected', async (scene) => {
  const { box } = scene;
  configure(box);
  const dir = join(box.dir, 'files');
  const { code, stderr } = await init(scene, image, ['--dir', dir]);
  assert.is(code, 0, stderr);
  assert.is((statSync(dir).mode & 0o7777).toString(8), '755');
  for (const { uid } of readers) assert.equal(refusedLinks(dir, uid), []);
});

if (canMountAsNode) {
  test('the volume is sticky, world-writable and owned by root', async (scene) => {
    const volume = await mounted(scene);
    const { mode, uid } = statSync(volume.path(VOLUME));
    assert.equal([(mode & 0o7777).toString(8), uid], ['1777', 0]);
    volume.script(
      `echo one > ${VOLUME}/value; setpriv --reuid=65532 --clear-groups ln -s value ${VOLUME}/link`,
    );
    for (const { uid } of readers)
      assert.equal(refusedLinks(volume.path(VOLUME), uid), [`${volume.path(VOLUME)}/link`]);
    assert.equal(refusedLinks(volume.path(VOLUME), image.uid), []);
  });

  test('the published files open for every user, init', async (scene) => {
    const volume = await mounted(scene);
    configure(scene.box);
    const { code, stderr } = await init(scene);
    assert.is(code, 0, stderr);
    const { mode, uid } = statSync(volume.path(FILES));
    assert.equal([(mode & 0o7777).toString(8), uid], ['755', image.uid]);
    assert.match(stderr, FILES);
    mountSubPath(volume);
    assertReadable(volume, { a: 'one', 'nested/b': 'one' });
  });

  test('the published files open for every user, sidecar, through changes and a restart', async (scene) => {
    const { aws, box } = scene;
    const volume = await mounted(scene);
    configure(box);
    const begin = () => startSidecar([...limits, '--interval', '1h'], podEnv(scene), volume.command(image));
    scene.sidecar = await begin();
    await scene.sidecar.event('sidecar.ready');
    mountSubPath(volume);
    const { ino } = statSync(volume.path(FILES));
    assertReadable(volume, { a: 'one', 'nested/b': 'one' });

    await aws.putSecret({ region, name: 'a', string: 'two' });
    await scene.sidecar.refresh();
    assertReadable(volume, { a: 'two', 'nested/b': 'one' });
    assert.equal(
      (await scene.sidecar.status()).configs.map(({ directory }) => directory),
      [FILES],
    );

    scene.sidecar.child.kill('SIGKILL');
    await scene.sidecar.ended();
    configure(box, ['a']);
    scene.sidecar = await begin();
    await scene.sidecar.event('publish.changed');
    assertReadable(volume, { a: 'two' });
    assert.match(volume.read(`${APPLICATION}/nested/b`, application), 'No such file');
    assert.is(statSync(volume.path(FILES)).ino, ino, 'the directory that the application has mounted');
    scene.sidecar.child.kill('SIGTERM');
    assert.is((await scene.sidecar.ended()).code, 0);
    assertReadable(volume, { a: 'two' });
  });

  test('every directory of --config FILE=DIR is created, with mode 0755 below a umask of 0077', async (scene) => {
    const volume = await mounted(scene);
    const { box } = scene;
    configure(box);
    const dirs = ['one', 'two'].map((name) => `${VOLUME}/${name}`);
    const flags = dirs.flatMap((dir) => ['--config', `${box.config}=${dir}`]);
    const narrow = ['sh', '-c', 'umask 0077; exec "$@"', 'sh', binary];
    const ended = await run(['init', ...limits, ...flags], podEnv(scene), volume.command(image, narrow));
    assert.is(ended.code, 0, ended.stderr);
    for (const dir of dirs) {
      assert.is((statSync(volume.path(dir)).mode & 0o7777).toString(8), '755');
      for (const reader of readers) {
        assert.equal(refusedLinks(volume.path(dir), reader.uid), []);
        assert.is(volume.read(`${dir}/nested/b`, reader), 'one');
      }
    }
  });

  test('with fsGroup the files have its group, so that mode 0440 is enough for the application', async (scene) => {
    const volume = await mounted(scene, { fsGroup: 5000 });
    configure(scene.box, ['a', 'b'], '0440');
    const { code, stderr } = await init(scene, { ...image, groups: [5000] });
    assert.is(code, 0, stderr);
    const { mode, gid } = statSync(volume.path(FILES));
    assert.equal([(mode & 0o7777).toString(8), gid], ['2755', 5000]);
    mountSubPath(volume);
    for (const path of ['a', 'nested/b', '..data/nested/b']) {
      assert.is(volume.read(`${APPLICATION}/${path}`, { ...application, groups: [5000] }), 'one');
      assert.match(volume.read(`${APPLICATION}/${path}`, application), 'Permission denied');
    }
  });

  test('the volume itself is rejected by init, sidecar and doctor, with the subPath form', async (scene) => {
    const volume = await mounted(scene);
    configure(scene.box);
    for (const command of ['init', 'sidecar', 'doctor']) {
      const words = [command, '--dir', VOLUME, ...(command === 'sidecar' ? ['--listen', 'off'] : [])];
      const flags = command === 'doctor' ? [] : limits;
      const { code, stdout, stderr } = await run([...words, ...flags], podEnv(scene), volume.command(image));
      assert.is(code, 6, `${command}: ${stderr}`);
      assert.match(stdout + stderr, /\[publish\.sticky\]|"publish\.sticky"/, command);
      assert.match(stdout + stderr, 'mount it in the application with subPath: files', command);
    }
    assert.is(volume.read(`${VOLUME}/a`, image), `cat: ${VOLUME}/a: No such file or directory\n`);
  });

  test('rejects a directory that the kubelet created for an earlier subPath mount; the remedy is the order of initContainers', async (scene) => {
    const volume = await mounted(scene);
    configure(scene.box);
    volume.script(`mkdir ${FILES}; chmod 1777 ${FILES}`);
    const { code, lastLine } = await init(scene);
    assert.is(code, 6);
    assert.match(lastLine, `${FILES}: the directory is sticky`);
    assert.match(lastLine, 'podsecrets must be first in initContainers');
  });

  test('root, whose links have the owner of the volume, publishes to the volume itself', async (scene) => {
    const volume = await mounted(scene);
    configure(scene.box);
    const { code, stderr } = await init(scene, root, ['--dir', VOLUME]);
    assert.is(code, 0, stderr);
    for (const { uid } of readers) assert.equal(refusedLinks(volume.path(VOLUME), uid), []);
    assert.is(volume.read(`${VOLUME}/a`, application), 'one');
  });

  if (isEnforced()) {
    test('the tests follow links by the same rule as the kernel', async (scene) => {
      const volume = await mounted(scene);
      for (const [mode, owner, link] of [
        [0o1777, 0, 65_532],
        [0o1777, 0, 0],
        [0o1777, 65_532, 65_532],
        [0o1777, 1000, 65_532],
        [0o0777, 0, 65_532],
        [0o1775, 0, 65_532],
        [0o0755, 65_532, 65_532],
        [0o3777, 0, 65_532],
      ] as const) {
        const dir = `${VOLUME}/${mode.toString(8)}-${owner}-${link}`;
        volume.script(
          `mkdir ${dir}; echo value > ${dir}/file; ln -s file ${dir}/link; chown -h ${link} ${dir}/link; chown ${owner} ${dir}; chmod ${mode.toString(8)} ${dir}`,
        );
        for (const { uid } of [...readers, image]) {
          const [program, ...words] = volume.command({ uid }, ['cat', `${dir}/link`]);
          const follows = spawnSync(program, words, { stdio: 'ignore' }).status === 0;
          const expected = mayFollow({ reader: uid, link: { uid: link }, directory: { uid: owner, mode } });
          assert.is(follows, expected, `${dir} for ${uid}`);
        }
      }
    });
  } else {
    process.stdout.write(
      `\n${NOT_TESTED}the check by the kernel: fs.protected_symlinks is 0 here; npm run test:kernel has a kernel where it is 1\n`,
    );
  }
}

export const nodeVolume = test;
