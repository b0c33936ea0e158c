/** `podsecrets install`, and the program it copies: in a root directory that has nothing but a static program and a hosts file. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { binary, run } from '../support/program.ts';
import { WAIT_LIMIT } from '../support/wait.ts';

const install = suite<{ aws: FakeAwsProcess; root: string }>('install');

/** A static program that prints its environment. */
const BUSYBOX = '/bin/busybox';
const CHROOT = ['unshare', '--user', '--map-root-user', '--mount', 'chroot'] as const;

const isPossible =
  isAllowed('the program in other images', ['patchelf', '--version']) &&
  isAllowed('the program in other images', ['sh', '-c', `! ldd ${BUSYBOX}`]) &&
  isAllowed('the program in other images', [...CHROOT, '/', 'true']);

install.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: { 'eu-west-1': { parameters: { '/token': 's3cret' } } },
  });
  context.root = mkdtempSync(join(tmpdir(), 'podsecrets-root-'));
});
install.after(async ({ aws, root }) => {
  await aws.stop();
  rmSync(root, { recursive: true, force: true });
});

function inRoot(root: string, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [program, ...words] = CHROOT;
  const options = { env: { PATH: process.env.PATH ?? '', ...env }, timeout: WAIT_LIMIT };
  const { status, stdout, stderr } = spawnSync(program, [...words, root, ...command], options);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

const UTS = ['unshare', '--user', '--map-root-user', '--uts'] as const;

install('pods that share a volume can copy the program at the same time', async ({ root }) => {
  if (!isAllowed('install of several pods', [...UTS, 'hostname', 'pod'])) return;
  const image = join(root, 'image');
  const shared = join(root, 'shared');
  mkdirSync(image);
  mkdirSync(shared);
  cpSync(binary, join(image, 'podsecrets'));
  writeFileSync(join(image, 'ld-linux-x86-64.so.2'), '');
  const command = [...UTS, 'sh', '-c', 'hostname "$0"; exec "$@"'] as const;
  const ends = await Promise.all(
    ['pod-a', 'pod-b', 'pod-c', 'pod-d'].map((pod) =>
      run(['install', shared], {}, [...command, pod, join(image, 'podsecrets')]),
    ),
  );
  assert.equal(
    ends.map(({ code, stderr }) => (code === 0 ? 0 : stderr)),
    [0, 0, 0, 0],
  );
  assert.equal(readdirSync(shared).sort(), readdirSync(image).sort());
  rmSync(image, { recursive: true });
  rmSync(shared, { recursive: true });
});

install('copies the program, which becomes a command in a root without any library', ({ aws, root }) => {
  if (!isPossible) return;
  for (const name of ['podsecrets', 'install', 'bin', 'etc']) mkdirSync(join(root, name));
  const home = join(root, 'podsecrets');
  execFileSync(process.execPath, [join(import.meta.dirname, '../../src/build/portable.ts'), home]);
  cpSync(BUSYBOX, join(root, 'bin/busybox'));
  // Container runtimes write this file into every container.
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(root, 'pod-token'), 'pod-token');

  const copied = inRoot(root, ['/podsecrets/podsecrets', 'install', '/install']);
  assert.is(copied.status, 0, copied.stderr);
  assert.match(copied.stderr, '"event":"install.succeeded"');
  assert.equal(readdirSync(join(root, 'install')).sort(), readdirSync(home).sort());

  rmSync(home, { recursive: true });
  renameSync(join(root, 'install'), home);
  const exec = ['/podsecrets/podsecrets', 'exec', '--set', 'TOKEN=/token', '--', '/bin/busybox', 'env'];
  const { status, stdout, stderr } = inRoot(root, exec, {
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: aws.url.replace('127.0.0.1', 'localhost'),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.agentUrl,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/pod-token',
  });
  assert.is(status, 0, stderr);
  assert.match(stdout, /^TOKEN=s3cret$/m);
});

install('the directory of the program itself is rejected, with the path to name instead', ({ root }) => {
  if (!isPossible) return;
  const { status, stderr } = inRoot(root, ['/podsecrets/podsecrets', 'install']);
  assert.is(status, 2);
  assert.match(stderr, 'podsecrets install /install');
});

install('a directory that does not exist or cannot be written is an error with its cause', ({ root }) => {
  if (!isPossible) return;
  const missing = inRoot(root, ['/podsecrets/podsecrets', 'install', '/none/below']);
  assert.is(missing.status, 6);
  assert.match(missing.stderr, 'could not be copied (ENOENT)');
  const file = inRoot(root, ['/podsecrets/podsecrets', 'install', '/etc/hosts']);
  assert.match(file.stderr, 'ENOTDIR');
});

install('a program that was not made for other images is rejected, and copies nothing', async ({ root }) => {
  const target = join(root, 'target');
  const { code, lastLine } = await run(['install', target]);
  assert.is(code, 2);
  assert.match(lastLine, 'Run it from the image of podsecrets');
  assert.not.ok(existsSync(target));
});

install.run();
