/** Of Node's own variables only NODE_EXTRA_CA_CERTS changes what the program sends, trusts, prints or writes. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { selfSigned } from '../fake-aws/certificate.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { childrenOf } from '../support/processes.ts';
import { binary, run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';

/** https://nodejs.org/api/cli.html#environment-variables, with those that only Node's sources name. `%` is a directory. */
const VARIABLES: Readonly<Record<string, string>> = {
  NODE_CHANNEL_SERIALIZATION_MODE: 'advanced',
  NODE_CLUSTER_SCHED_POLICY: 'none',
  NODE_COMPILE_CACHE: '%/compile-cache',
  NODE_COMPILE_CACHE_PORTABLE: '1',
  // Not `module`: Node prints how it starts itself, before it starts the program.
  NODE_DEBUG: 'http,https,net,tls,stream,child_process',
  NODE_DEBUG_NATIVE: 'HTTP2,PERMISSION_MODEL',
  NODE_DISABLE_COLORS: '1',
  NODE_DISABLE_COMPILE_CACHE: '1',
  NODE_ICU_DATA: '%',
  NODE_NO_WARNINGS: '1',
  NODE_OPTIONS: '--no-such-flag --require=/no/such/file',
  NODE_PATH: '%',
  NODE_PENDING_DEPRECATION: '1',
  NODE_PENDING_PIPE_INSTANCES: '1',
  NODE_PRESERVE_SYMLINKS: '1',
  NODE_PRESERVE_SYMLINKS_MAIN: '1',
  NODE_REDIRECT_WARNINGS: '%/warnings',
  NODE_REPL_HISTORY: '%/history',
  NODE_REPL_HISTORY_SIZE: '1',
  NODE_REPL_MODE: 'strict',
  NODE_RUN_PACKAGE_JSON_PATH: '%/package.json',
  NODE_RUN_SCRIPT_NAME: 'test',
  NODE_SKIP_PLATFORM_CHECK: '1',
  NODE_TEST_CONTEXT: 'child-v8',
  NODE_TEST_WORKER_ID: '1',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_UNIQUE_ID: '1',
  NODE_USE_ENV_PROXY: '1',
  NODE_USE_SYSTEM_CA: '1',
  NODE_V8_COVERAGE: '%/coverage',
};
/** Those with which the program starts itself again, with the variable removed. */
const CHANGING = [
  'NODE_COMPILE_CACHE',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_REDIRECT_WARNINGS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_UNIQUE_ID',
  'NODE_USE_SYSTEM_CA',
  'NODE_V8_COVERAGE',
];
/** Node itself ends before the program starts: SECURITY.md. */
const ENDS_NODE = ['NODE_REPL_EXTERNAL_MODULE'];
/** The one that counts. */
const OURS = 'NODE_EXTRA_CA_CERTS';

const test = suite<{ aws: FakeAwsProcess; box: Sandbox }>("Node's own variables");
test.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: { 'eu-west-1': { secrets: { db: 'hunter2' } } },
  });
});
test.after(({ aws }) => aws.stop());
test.before.each((context) => {
  context.box = makeSandbox();
  context.box.writeConfig({ objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
});
test.after.each(({ box }) => box.remove());

for (const [name, value] of Object.entries(VARIABLES)) {
  test(`${name} changes nothing that init prints, and writes no file`, async ({ aws, box }) => {
    const env = { ...podIdentityEnv(box, aws, 'pod-token'), [name]: value.replaceAll('%', box.root) };
    const before = readdirSync(box.root);
    const args = ['init', '--config', box.config, '--dir', box.dir, '--aws-timeout', '1m'];
    const { code, stdout, stderr } = await run(args, env);
    assert.is(code, 0, stderr);
    assert.is(stdout, '');
    assert.equal(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).event),
      ['credentials.source', 'publish.changed'],
    );
    // Node makes this directory before the program starts, and leaves it empty.
    const made = name === 'NODE_COMPILE_CACHE' ? ['compile-cache'] : [];
    assert.equal(readdirSync(box.root).sort(), [...before, ...made].sort());
    if (made.length > 0) {
      const files = readdirSync(join(box.root, 'compile-cache'), { recursive: true, withFileTypes: true });
      assert.equal(
        files.filter((file) => file.isFile()),
        [],
      );
    }
  });
}

/** The names of the variables of a process; none if it has ended. */
function variablesOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0] ?? '');
  } catch {
    return [];
  }
}

for (const [what, setTo] of [
  ['set', (value: string) => value],
  ['set to nothing', () => ''],
] as const) {
  test(`a sidecar and its workers run without them, all ${what}`, async ({ aws, box }) => {
    const entries = Object.entries(VARIABLES).map(([name, value]) => [
      name,
      setTo(value.replaceAll('%', box.root)),
    ]);
    const env = { ...podIdentityEnv(box, aws, 'pod-token'), ...Object.fromEntries(entries) };
    const before = readdirSync(box.root);
    const sidecar = await startSidecar(
      ['--config', box.config, '--dir', box.dir, '--aws-timeout', '1m'],
      env,
    );
    try {
      await sidecar.event('sidecar.ready');
      assert.is((await sidecar.page('/readyz')).status, 200);
      await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
      process.kill(sidecar.pid, 'SIGHUP');
      let names: readonly string[] = [];
      // A process that has just been created has no environment until it executes the program.
      await until('a worker with its environment', () => {
        names = childrenOf(sidecar.pid).flatMap(variablesOf);
        return names.includes('AWS_REGION');
      });
      // Those that have no effect stay.
      assert.ok(names.includes('NODE_OPTIONS'));
      assert.equal(
        names.filter((name) => CHANGING.includes(name)),
        [],
      );
      for (const line of sidecar.stderr().trimEnd().split('\n')) assert.ok(JSON.parse(line).event, line);
    } finally {
      await aws.clearFaults();
      sidecar.child.kill('SIGKILL');
      await sidecar.ended();
    }
    assert.equal(readdirSync(box.root).sort(), before.sort());
  });
}

test('does not trust an unknown certificate with NODE_TLS_REJECT_UNAUTHORIZED=0', async ({ box }) => {
  const aws = await startFakeAwsProcess(
    { regions: { 'eu-west-1': { secrets: { db: 'x' } } } },
    { tls: selfSigned() },
  );
  try {
    box.writeConfig({
      region: 'eu-west-1',
      usePodIdentity: 'false',
      objects: [{ objectName: 'db', objectType: 'secretsmanager' }],
    });
    const args = [
      'init',
      '--config',
      box.config,
      '--dir',
      box.dir,
      '--auth',
      'default',
      '--start-timeout',
      '0s',
    ];
    const { code, lastLine } = await run(args, {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'key',
      AWS_ENDPOINT_URL: aws.url,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    });
    assert.is(code, 5, lastLine);
    assert.match(lastLine, /CERT/);
  } finally {
    await aws.stop();
  }
});

test('every variable that this Node documents is in the list', () => {
  const { stdout } = spawnSync(process.execPath, ['--help'], { encoding: 'utf8' });
  const documented = new Set(stdout.match(/^NODE_[A-Z0-9_]+/gm));
  assert.ok(documented.size > 10);
  const known = [...Object.keys(VARIABLES), ...ENDS_NODE, OURS];
  assert.equal(
    [...documented].filter((name) => !known.includes(name)),
    [],
  );
});

test('the restarted program has the same arguments and exit code', async ({ box }) => {
  assert.ok(existsSync(binary));
  const { code, stderr } = await run(['check', '--config', `${box.root}/no such file`], {
    NODE_DEBUG: 'net',
  });
  assert.is(code, 3, stderr);
});

test.run();
