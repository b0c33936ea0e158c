import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SidecarStatus } from '../../src/sidecar/status.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { childrenOf } from '../support/processes.ts';
import { binary, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { endOf, until, within } from '../support/wait.ts';

/** The built sidecar with real processes on a real tmpfs: a secret is rotated, and the application is notified. */
const test = suite<{ aws: FakeAwsProcess; box: Sandbox }>('notifications of the built sidecar');
const region = 'eu-west-1';
const running: ChildProcess[] = [];

test.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { 'db/password': 'value-0', other: 'other-0' } } },
  });
});
test.after(({ aws }) => aws.stop());
test.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.box.writeConfig({
    usePodIdentity: 'true',
    objects: [
      { objectName: 'db/password', objectType: 'secretsmanager', objectAlias: 'password' },
      { objectName: 'other', objectType: 'secretsmanager' },
    ],
  });
});
test.after.each(({ box }) => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  box.remove();
});

interface Fixture {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
}

function flags({ box }: Fixture, ...more: readonly string[]): readonly string[] {
  return ['sidecar', '--config', box.config, '--dir', box.dir, '--listen', '127.0.0.1:0', ...more];
}

/** A ready sidecar, and the port of its HTTP endpoints. */
async function sidecar(fixture: Fixture, ...more: readonly string[]) {
  const program = start(flags(fixture, ...more), podIdentityEnv(fixture.box, fixture.aws, 'pod-token'));
  running.push(program.child);
  return { program, port: await portOf(program) };
}

async function portOf(program: {
  prints: (pattern: RegExp) => Promise<void>;
  stderr: () => string;
}): Promise<number> {
  await program.prints(/"sidecar\.ready".*\n/);
  return Number(/"listen":"127\.0\.0\.1:(\d+)"/.exec(program.stderr())?.[1]);
}

async function rotate({ aws }: Fixture, to: string): Promise<void> {
  await aws.putSecret({ region, name: 'db/password', string: to });
}

function ask(port: number, method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ status: response.statusCode ?? 0, body });
    })
      .on('error', reject)
      .end();
  });
}

/** An application that reads its file at every SIGHUP, in a process group of its own; `next` is what it reads next. */
async function application({ box }: Fixture, name: string) {
  const script = `trap 'cat ${join(box.dir, 'password')}; echo' HUP; echo ready; while :; do sleep 0.05; done`;
  const child = spawn('/bin/sh', ['-c', script], {
    argv0: name,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  running.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await within(`a line of ${name}`, lines.next())).value;
  assert.is(await next(), 'ready');
  return { child, next };
}

for (const found of ['pid file', 'name'] as const) {
  test(`signals a process found by its ${found}, which reads the new value`, async (fixture) => {
    const name = `app-of-${process.pid}`;
    const { child, next } = await application(fixture, name);
    const pidFile = fixture.box.write('app.pid', `${child.pid}\n`);
    const target = found === 'name' ? ['--notify-process', name] : ['--notify-pid-file', pidFile];
    const { program, port } = await sidecar(fixture, '--notify-signal', 'SIGHUP', ...target);
    for (const value of ['value-1', 'value-2']) {
      const reloaded = next();
      await rotate(fixture, value);
      assert.is((await ask(port, 'POST', '/refresh')).status, 202);
      assert.is(await reloaded, value);
    }
    program.child.kill('SIGTERM');
    assert.is((await program.ended()).code, 0);
  });
}

test('notifies hook, URL and file of one change independently, as the pages show', async (fixture) => {
  const { box } = fixture;
  const posts: string[] = [];
  const server = createServer(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    posts.push(body);
    // The first attempt fails, and is retried.
    response.writeHead(posts.length === 1 ? 500 : 204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reload`;
  const [output, touched] = [join(box.root, 'output'), join(box.root, 'touched')];
  const hook = ['/bin/sh', '-c', `echo "$PODSECRETS_FILES \${AWS_ENDPOINT_URL:-none}" >> ${output}`];
  const { program, port } = await sidecar(
    fixture,
    ...['--notify-exec', JSON.stringify(hook), '--notify-url', url, '--notify-touch', touched],
  );
  await rotate(fixture, 'value-1');
  await ask(port, 'POST', '/refresh');
  for (const kind of ['exec', 'touch', 'url'])
    await program.prints(new RegExp(`"notify\\.succeeded".*"notifier":"${kind}"`));
  server.close();

  assert.is(readFileSync(output, 'utf8'), '["password"] none\n');
  assert.is(statSync(touched).size, 0);
  assert.equal(posts, ['{"files":["password"]}', '{"files":["password"]}']);

  const status = JSON.parse((await ask(port, 'GET', '/status')).body) as SidecarStatus;
  assert.equal(
    status.notifiers.map(({ kind, state, pending, consecutiveFailures }) => ({
      kind,
      state,
      pending,
      consecutiveFailures,
    })),
    ['exec', 'url', 'touch'].map((kind) => ({ kind, state: 'idle', pending: 0, consecutiveFailures: 0 })),
  );
  const file = status.configs[0]?.files.find(({ path }) => path === 'password');
  assert.is(file?.object, 'db/password');
  assert.ok(file?.changedAt);
  const { body } = await ask(port, 'GET', '/metrics');
  assert.match(body, 'podsecrets_notifications_total{kind="url",result="error"} 1\n');
  assert.match(body, 'podsecrets_notifications_total{kind="url",result="success"} 1\n');
  assert.match(body, 'podsecrets_syncs_total{result="changed"} 2\n');
  const { stdout, code } = await run(['status', '--listen', `127.0.0.1:${port}`]);
  assert.is(code, 0);
  assert.match(stdout, /^podsecrets \S+: ready, up /);
  assert.match(stdout, /password +db\/password +secretsmanager +eu-west-1/);
  for (const text of [body, stdout, program.stderr(), JSON.stringify(status)])
    assert.not.match(text, 'value-');
});

test('as process 1, a sidecar whose hook leaves processes behind has no zombies, and ends at SIGTERM', async (fixture) => {
  const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
  if (!isAllowed('zombies of hooks of process 1', ['unshare', ...unshare, 'true'])) return;
  const hook = [
    '/bin/sh',
    '-c',
    // Looks for the process that the run before the last one left. Then leaves one process in the group, and one outside of
    // it that has ended and that only process 1 can reap, because its parent ends before it.
    `cd ${fixture.box.root}
    for pid in $(cat older); do [ ! -e /proc/$pid ] || echo $pid; done >> zombies
    mv newer older
    sleep 1000 & echo $! > newer
    rm -f go
    (setsid sh -c 'until [ -e go ]; do sleep 0.01; done' & echo $! >> newer)
    touch go
    until grep -q '^State:.Z' /proc/$(tail -n 1 newer)/status; do sleep 0.01; done`,
  ];
  const args = flags(fixture, '--notify-exec', JSON.stringify(hook));
  const child = spawn('unshare', [...unshare, binary, ...args], {
    env: { PATH: process.env.PATH ?? '', ...podIdentityEnv(fixture.box, fixture.aws, 'pod-token') },
  });
  running.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const prints = async (pattern: RegExp) => {
    await until(
      () => `it to print ${pattern}, got:\n${stderr}`,
      () => pattern.test(stderr),
    );
  };
  const port = await portOf({ prints, stderr: () => stderr });
  for (const round of [1, 2, 3]) {
    await rotate(fixture, `value-${round}`);
    await ask(port, 'POST', '/refresh');
    await prints(new RegExp(`(?:"notify\\.succeeded"[\\s\\S]*){${round}}`));
  }
  assert.is(readFileSync(join(fixture.box.root, 'older'), 'utf8').split('\n').length, 3);
  assert.is(readFileSync(join(fixture.box.root, 'zombies'), 'utf8'), '');
  for (const line of stderr.trimEnd().split('\n')) assert.type(JSON.parse(line), 'object', line);
  const [sidecarPid = 0] = childrenOf(child.pid ?? 0);
  process.kill(sidecarPid, 'SIGTERM');
  assert.is((await endOf(child))[0], 0);
});

test.run();
