/**
 * What touches the file system: nothing is written outside the directory, and only expected files are read.
 *
 * Checked twice: by the calls of Node's `fs`, on any machine, and by the system calls of the executable, where strace is
 * installed.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { binary } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { recordRun } from './recording.ts';

const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: { 'eu-west-1': { secrets: { one: 'value' }, parameters: { '/one': 'value' } } },
};
const objects = [
  { objectName: 'one', objectType: 'secretsmanager' },
  { objectName: '/one', objectType: 'ssmparameter', objectAlias: 'parameter' },
];

const disk = suite<{ aws: FakeAwsProcess; box: Sandbox }>('disk');
disk.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
disk.after(({ aws }) => aws.stop());
disk.before.each((context) => {
  context.box = makeSandbox();
  context.box.writeConfig({ usePodIdentity: 'true', objects });
});
disk.after.each(({ box }) => box.remove());

const initArgs = (box: Sandbox) => ['init', '--config', box.config, '--dir', box.dir];

/** The directory, the files named on the command line or in the environment, and the termination message. */
function own(box: Sandbox): readonly RegExp[] {
  return [`${box.dir}(/.*)?`, box.config, `${box.root}/pod-identity-token`, '/dev/termination-log'].map(
    (pattern) => new RegExp(`^${pattern}$`),
  );
}

disk('init names no file but its config, its token and its directory', async ({ aws, box }) => {
  const { code, stderr, opened } = await recordRun(initArgs(box), podIdentityEnv(box, aws, 'pod-token'));
  assert.is(code, 0, stderr);
  assert.ok(opened.some(([, path]) => path.startsWith(box.dir)));
  assert.equal(
    opened.filter(([, path]) => !own(box).some((pattern) => pattern.test(path))),
    [],
  );
});

/** What the loader, the C library, OpenSSL and Node read before the program runs. */
const runtime = [
  '/etc/ld\\.so\\.(cache|preload)',
  '/(usr/)?lib(32|64|x32)?/.*\\.so[.\\d]*',
  '/(etc|usr/lib|usr/local)/ssl/openssl\\.cnf',
  '/proc/(version_signature|meminfo|self/(maps|cgroup|exe|auxv|stat))',
  '/sys/fs/cgroup/.*',
  '/sys/devices/system/cpu/.*',
  '/etc/(localtime|timezone)',
  '/usr/share/zoneinfo/.*',
  '/proc/uptime',
  '/dev/(null|u?random)',
].map((pattern) => new RegExp(`^${pattern}$`));

disk('the executable opens nothing else, and changes nothing outside its directory', ({ aws, box }) => {
  if (!isAllowed('the system calls of the executable', ['strace', '-f', '-qq', '-o', '/dev/null', 'true']))
    return;
  const trace = `${box.root}/trace`;
  const { status, stderr } = spawnSync(
    'strace',
    ['-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', trace, binary, ...initArgs(box)],
    { env: { PATH: process.env.PATH, ...podIdentityEnv(box, aws, 'pod-token') }, encoding: 'utf8' },
  );
  assert.is(status, 0, stderr);
  const calls = readFileSync(trace, 'utf8').split('\n').flatMap(fileCall);
  assert.ok(calls.some(({ changes, path }) => changes && path.startsWith(box.dir)));
  const allowed = [...own(box), ...runtime, new RegExp(`^${binary.replace(/[^\w/]/g, '\\$&')}$`)];
  assert.equal(
    calls
      .filter(({ changes, path }) =>
        changes
          ? !own(box).some((pattern) => pattern.test(path))
          : !allowed.some((pattern) => pattern.test(path)),
      )
      .map(({ text }) => text),
    [],
  );
});

interface FileCall {
  readonly text: string;
  readonly path: string;
  /** Whether it makes, writes, renames or removes. */
  readonly changes: boolean;
}

/** A line of strace, if it is a call that opens a file or changes the file system. Checking whether a file exists is allowed anywhere. */
function fileCall(text: string): readonly FileCall[] {
  const [, name = '', args = ''] = /^\d+\s+(?:<\.\.\. )?(\w+)\((.*)$/.exec(text) ?? [];
  const paths = [...args.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path);
  if (/^(open|openat|creat)$/.test(name)) {
    const changes = /O_(WRONLY|RDWR|CREAT|TRUNC)/.test(args);
    return paths.slice(0, 1).map((path) => ({ text, path, changes }));
  }
  if (/^(mkdir|rename|unlink|symlink|link|rmdir|mknod|truncate|chmod|fchmod|chown|fchown|utime)/.test(name)) {
    // A symlink's first path is its text.
    return paths.slice(/^symlink/.test(name) ? 1 : 0).map((path) => ({ text, path, changes: true }));
  }
  return [];
}

disk.run();
