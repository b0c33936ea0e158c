/** The built sidecar on a real tmpfs, between the fake AWS and real processes. */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { type Application, startApplication } from '../support/application.ts';
import { canary, canaryIn } from '../support/canary.ts';
import { hasPendingFile, leftovers } from '../support/directory.ts';
import { isRunning } from '../support/processes.ts';
import { binary, type Ended, type Running, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';

const region = 'eu-west-1';
const [one, two, three] = ['one', 'two', 'three'].map(canary) as [string, string, string];
const seed = {
  identities: {
    app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: [canary('token')] },
  },
  regions: { [region]: { secrets: { a: one, b: one, c: one } } },
};

interface Fixture {
  aws: FakeAwsProcess;
  box: Sandbox;
  /** Started processes, killed at the end of the test. */
  sidecars: Running[];
  applications: Application[];
}

/** Everything that the sidecars of this file have printed; the last test searches it. */
const printed: string[] = [];

const sidecar = suite<Fixture>('sidecar');
sidecar.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
sidecar.after(({ aws }) => aws.stop());
sidecar.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.sidecars = [];
  context.applications = [];
});
sidecar.after.each(async ({ box, sidecars, applications }) => {
  for (const running of sidecars) running.child.kill('SIGKILL');
  const ended = await Promise.all(sidecars.map((running) => running.ended()));
  await Promise.all(applications.map((application) => application.end()));
  box.remove();
  for (const { stderr, stdout } of ended) printed.push(stderr + stdout);
});

const of = (...names: string[]) => ({
  objects: names.map((objectName) => ({ objectName, objectType: 'secretsmanager' })),
});

async function begin(fixture: Fixture, flags: readonly string[] = []): Promise<Sidecar> {
  const { aws, box, sidecars } = fixture;
  const args = [
    ['--config', box.config],
    ['--dir', box.dir],
    // No limit for a machine that is only slow.
    ['--aws-timeout', '1m'],
  ].filter(([flag = '']) => !flags.includes(flag));
  const running = await startSidecar([...args.flat(), ...flags], podIdentityEnv(box, aws, canary('token')));
  sidecars.push(running);
  return running;
}

async function ready(fixture: Fixture, flags: readonly string[] = []): Promise<Sidecar> {
  const running = await begin(fixture, flags);
  await running.event('sidecar.ready');
  return running;
}

async function application(fixture: Fixture, name = `app-${process.pid}`): Promise<Application> {
  const { box, applications } = fixture;
  const options = { file: join(box.dir, 'a'), pidFile: join(box.root, 'app.pid'), name };
  const started = await startApplication(options);
  applications.push(started);
  return started;
}

const rotate = ({ aws }: Fixture, name: string, string: string) => aws.putSecret({ region, name, string });

/** The exit after a signal. */
function endOf(running: Sidecar, signal: NodeJS.Signals): Promise<Ended> {
  process.kill(running.pid, signal);
  return running.ended();
}

sidecar('/livez succeeds and /readyz fails until the first publish', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig(of('a'));
  await aws.addFault({ on: { service: 'agent' }, does: { kind: 'server-error' } });
  const running = await begin(fixture);
  await running.event('start.retrying');
  assert.is((await running.page('/livez')).status, 200);
  const waiting = await running.page('/readyz');
  assert.is(waiting.status, 503);
  assert.match(waiting.body, box.dir);
  assert.equal(box.files(), {});
  await aws.clearFaults();
  await running.event('sidecar.ready');
  assert.is((await running.page('/readyz')).status, 200);
  assert.equal(box.files(), { a: one });
});

for (const by of ['pid file', 'name'] as const) {
  sidecar(`a rotation updates the file and signals the application, found by its ${by}`, async (fixture) => {
    const { box } = fixture;
    box.writeConfig(of('a', 'b'));
    const name = `app-by-${by.replace(' ', '-')}-${process.pid}`;
    const app = await application(fixture, name);
    const whom =
      by === 'name' ? ['--notify-process', name] : ['--notify-pid-file', join(box.root, 'app.pid')];
    const running = await ready(fixture, ['--notify-signal', 'SIGHUP', ...whom]);
    await rotate(fixture, 'a', two);
    await running.refresh();
    await app.receives(two);
    assert.equal(box.files(), { a: two, b: one });
    await running.event('notify.succeeded');
    await running.refresh();
    await running.refresh();
    assert.equal(app.received, [two], 'a sync without a change sends no notification');
    assert.not.ok(hasPendingFile(fixture.box.dir));
  });
}

sidecar('the pages and `podsecrets status` show the state, and no secret', async (fixture) => {
  const { box } = fixture;
  box.writeConfig(of('a', 'b'));
  const running = await ready(fixture);
  await rotate(fixture, 'a', two);
  const before = await running.status();
  assert.is((await running.page('/refresh', 'POST')).status, 202);
  await running.event('publish.changed', 2);
  const after = await running.status();
  const versions = (status: typeof after) => status.configs[0]?.files.map(({ version }) => version) ?? [];
  assert.is.not(versions(after)[0], versions(before)[0]);
  assert.is(versions(after)[1], versions(before)[1]);
  assert.is(after.credentials?.source, 'pod-identity');
  assert.is(await running.metric('podsecrets_syncs_total{result="changed"}'), 2);
  assert.is(
    await running.metric(
      `podsecrets_api_calls_total{service="secretsmanager",operation="GetSecretValue",region="${region}",result="success"}`,
    ),
    4,
  );
  const shown = await run(['status', '--listen', running.address]);
  assert.is(shown.code, 0);
  assert.match(shown.stdout, /ready/i);
  const pages = await Promise.all(['/status', '/metrics'].map((path) => running.page(path)));
  for (const text of [shown.stdout, ...pages.map(({ body }) => body)]) assert.is(canaryIn(text), undefined);
});

sidecar('--listen off opens no port', async (fixture) => {
  const { aws, box, sidecars } = fixture;
  box.writeConfig(of('a'));
  const running = await ready(fixture);
  assert.is(listeningSockets(running.pid), 1);
  process.kill(running.pid, 'SIGTERM');
  await running.ended();
  const args = ['sidecar', '--config', box.config, '--dir', box.dir, '--listen', 'off'];
  const silent = start(args, podIdentityEnv(box, aws, canary('token')));
  sidecars.push(silent);
  await silent.prints(/"sidecar\.ready"/);
  assert.is(listeningSockets(silent.pid), 0);
});

/** The TCP sockets of a process that accept connections. */
function listeningSockets(pid: number): number {
  const LISTEN = '0A';
  const inodes = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/ +/))
      .flatMap((fields) => (fields[3] === LISTEN ? [`socket:[${fields[9]}]`] : [])),
  );
  const descriptors = `/proc/${pid}/fd`;
  return readdirSync(descriptors).filter((name) => inodes.includes(linkAt(join(descriptors, name)))).length;
}

/** Another descriptor may be closed meanwhile. */
function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

sidecar(
  'a sidecar that was started through a link to the program syncs, as in the image',
  async (fixture) => {
    const { aws, box, sidecars } = fixture;
    box.writeConfig(of('a'));
    const link = join(box.root, 'podsecrets');
    symlinkSync(binary, link);
    const args = ['--config', box.config, '--dir', box.dir, '--start-timeout', '0s', '--aws-timeout', '1m'];
    const running = await startSidecar(args, podIdentityEnv(box, aws, canary('token')), [link]);
    sidecars.push(running);
    await running.event('sidecar.ready');
    await rotate(fixture, 'a', two);
    await running.refresh();
    assert.equal(box.files(), { a: two });
  },
);

sidecar('SIGHUP syncs at once', async (fixture) => {
  const { box } = fixture;
  box.writeConfig(of('a'));
  const running = await ready(fixture);
  await rotate(fixture, 'a', two);
  process.kill(running.pid, 'SIGHUP');
  await running.event('publish.changed', 2);
  assert.equal(box.files(), { a: two });
});

sidecar('SIGHUP in the first phase does not end it', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig(of('a'));
  await aws.addFault({ on: { service: 'agent' }, does: { kind: 'server-error' } });
  const running = await begin(fixture);
  await running.event('start.retrying');
  process.kill(running.pid, 'SIGHUP');
  await aws.clearFaults();
  await running.event('sidecar.ready');
  assert.equal(box.files(), { a: one });
});

sidecar(
  "the kubelet's link swap of an edited ConfigMap adds and removes objects in one publish each",
  async (fixture) => {
    const { box } = fixture;
    const volume = join(box.root, 'config-map');
    let version = 0;
    const swap = (...names: string[]) => {
      const text = readFileSync(box.writeConfig(of(...names)), 'utf8');
      mkdirSync(join(volume, `..${++version}`), { recursive: true });
      writeFileSync(join(volume, `..${version}`, 'config.yaml'), text);
      symlinkSync(`..${version}`, join(volume, '..data_tmp'));
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
      if (version > 1) rmSync(join(volume, `..${version - 1}`), { recursive: true });
    };
    swap('a', 'b');
    symlinkSync(join('..data', 'config.yaml'), join(volume, 'config.yaml'));
    const running = await ready(fixture, ['--config', join(volume, 'config.yaml')]);
    assert.equal(Object.keys(box.files()), ['a', 'b']);
    swap('b', 'c');
    const { added, removed, updated } = await running.event('publish.changed', 2);
    assert.equal([added, removed, updated], [1, 1, 0]);
    assert.equal(Object.keys(box.files()), ['b', 'c']);
    swap('a', 'b', 'c');
    await running.event('publish.changed', 3);
    assert.equal(Object.keys(box.files()), ['a', 'b', 'c']);
    assert.is(running.events('config.reloaded').length, 2);
  },
);

sidecar(
  "handles an editor's rename, a file that is deleted and created again, and an invalid config",
  async (fixture) => {
    const { box } = fixture;
    const replace = (text: string) => renameSync(box.write('new', text), box.config);
    const good = (...names: string[]) => readFileSync(box.writeConfig(of(...names)), 'utf8');
    const [ab, abc] = [good('a', 'b'), good('a', 'b', 'c')];
    box.writeConfig(of('a'));
    const running = await ready(fixture);
    replace(ab);
    await running.event('publish.changed', 2);

    replace('spec: [');
    const broken = await running.event('config.invalid');
    assert.is(broken.level, 'error');
    const config = (await running.status()).configs[0];
    assert.ok((config?.configProblems.length ?? 0) > 0);
    const labels = `{config="${box.config}",directory="${box.dir}"}`;
    assert.is(await running.metric(`podsecrets_config_invalid${labels}`), 1);
    assert.ok(((await running.metric('podsecrets_config_reloads_total{result="invalid"}')) ?? 0) > 0);
    assert.is((await running.page('/readyz')).status, 200);
    await rotate(fixture, 'a', two);
    await running.refresh();
    await running.event('publish.changed', 3);
    assert.equal(box.files(), { a: two, b: one }, 'the old config works on');

    replace(ab);
    await running.event('config.recovered');
    assert.is(await running.metric(`podsecrets_config_invalid${labels}`), 0);
    rmSync(box.config);
    await running.event('config.invalid', running.events('config.invalid').length + 1);
    assert.equal(box.files(), { a: two, b: one });
    writeFileSync(box.config, abc);
    await running.event('config.reloaded', 2);
    await running.event('publish.changed', 4);
    assert.equal(box.files(), { a: two, b: one, c: one });
  },
);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  sidecar(`${signal} ends the sidecar with 0, and keeps the files`, async (fixture) => {
    const { box } = fixture;
    box.writeConfig(of('a'));
    assert.is((await endOf(await ready(fixture), signal)).code, 0);
    assert.equal(box.files(), { a: one });
  });
}

sidecar('SIGTERM does not wait for a call that hangs, in the first phase and later', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig(of('a'));
  for (const begun of [ready, begin]) {
    await aws.clearFaults();
    const running = await begun(fixture, [
      '--dir',
      join(box.root, `${begun.name}-dir`),
      '--aws-timeout',
      '1h',
    ]);
    await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
    await aws.clearCalls();
    if (begun === ready) await running.page('/refresh', 'POST');
    await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
    // Before the first publish a sidecar has not done its work.
    assert.is((await endOf(running, 'SIGTERM')).code, begun === ready ? 0 : 143);
  }
});

sidecar(
  'SIGTERM before the first publish reports why there was none yet, in the termination log too',
  async (fixture) => {
    const { aws, box } = fixture;
    box.writeConfig(of('a'));
    await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'throttle' } });
    const log = box.write('termination', '');
    const running = await begin(fixture, ['--termination-log', log, '--start-timeout', '1h']);
    await running.prints(/start\.retrying/);
    const { code, lastLine } = await endOf(running, 'SIGTERM');
    assert.is(code, 143);
    assert.match(
      JSON.parse(lastLine).message,
      /was ended by SIGTERM before the first publish: a: .*\[fetch\.throttled\]$/,
    );
    assert.is(readFileSync(log, 'utf8'), JSON.parse(lastLine).message);
  },
);

sidecar('ignores SIGUSR1, SIGUSR2 and SIGALRM, and ends on SIGQUIT as on SIGTERM', async (fixture) => {
  fixture.box.writeConfig(of('a'));
  const running = await ready(fixture);
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const) running.child.kill(signal);
  // Signals are handled in order: once this sync is over, the others have had their effect.
  await running.refresh();
  assert.is((await endOf(running, 'SIGQUIT')).code, 0);
});

/** Starts a sidecar that runs a hook that ends only by SIGKILL. Resolves when the hook runs, with its pid. */
async function stubborn(fixture: Fixture, value: string) {
  fixture.box.writeConfig(of('a'));
  const [dir, file] = ['dir', 'hook'].map((name) => join(fixture.box.root, `${name}-${value}`)) as [
    string,
    string,
  ];
  const script = `trap '' TERM; echo $$ > ${file}.new; mv ${file}.new ${file}; while :; do sleep 0.1; done`;
  const running = await ready(fixture, [
    '--dir',
    dir,
    '--notify-exec',
    JSON.stringify(['/bin/sh', '-c', script]),
  ]);
  await rotate(fixture, 'a', canary(value));
  await running.refresh();
  await until('a hook', () => existsSync(file));
  return { running, hook: Number(readFileSync(file, 'utf8')) };
}

sidecar('SIGTERM ends a hook that ignores it', async (fixture) => {
  const { running, hook } = await stubborn(fixture, 'stubborn');
  assert.is((await endOf(running, 'SIGTERM')).code, 0);
  await until('the end of the hook', () => !isRunning(hook));
});

sidecar('a second signal exits without waiting for a hook', async (fixture) => {
  // On a slow machine the second signal may come after the end of the hook: then the test tries again.
  for (let times = 1; ; times++) {
    const { running, hook } = await stubborn(fixture, `stubborn-${times}`);
    const ending = endOf(running, 'SIGTERM');
    await running.event('sidecar.stopping');
    process.kill(running.pid, 'SIGTERM');
    assert.is((await ending).code, 0);
    const isLeft = isRunning(hook);
    if (isLeft) process.kill(-hook, 'SIGKILL');
    // After a second signal the hook still runs: it ends with the container.
    if (isLeft) return;
    assert.ok(times < 10, 'ten times the hook was ended first');
  }
});

sidecar(
  'killed between the publish and the notification: the next process notifies, and the one after it does not',
  async (fixture) => {
    const { box } = fixture;
    box.writeConfig(of('a', 'b'));
    const app = await application(fixture);
    const by = (pidFile: string) => [
      '--notify-signal',
      'SIGHUP',
      '--notify-pid-file',
      join(box.root, pidFile),
    ];
    const notifying = by('app.pid');
    // The first one does not find the process to signal.
    const first = await ready(fixture, by('nowhere.pid'));
    await rotate(fixture, 'a', two);
    await first.refresh();
    await endOf(first, 'SIGKILL');
    assert.ok(hasPendingFile(fixture.box.dir));
    assert.equal(app.received, []);

    const second = await ready(fixture, notifying);
    await app.receives(two);
    await second.event('notify.succeeded');
    await second.refresh();
    assert.not.ok(hasPendingFile(fixture.box.dir));
    await endOf(second, 'SIGKILL');

    const third = await ready(fixture, notifying);
    await third.event('publish.verified');
    await third.refresh();
    assert.equal(app.received, [two]);
  },
);

sidecar('a restart during an outage of AWS is ready at once, and keeps running', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig(of('a'));
  await endOf(await ready(fixture), 'SIGKILL');
  await aws.addFault({ does: { kind: 'cut', at: 'before-headers' } });
  const running = await ready(fixture, ['--start-timeout', '0s']);
  await running.event('sync.failed');
  assert.is((await running.page('/readyz')).status, 200);
  await rotate(fixture, 'a', three);
  await aws.clearFaults();
  await running.refresh();
  await running.event('sync.recovered');
  assert.equal(box.files(), { a: three });
});

sidecar('the second sidecar of a directory names the holder of its lock', async (fixture) => {
  const { box } = fixture;
  box.writeConfig(of('a'));
  await ready(fixture);
  const second = await begin(fixture, ['--start-timeout', '200ms']);
  const { code, lastLine } = await second.ended();
  assert.is(code, 6);
  assert.match(lastLine, /podsecrets on .*publish\.locked/);
});

sidecar('only the newest generation remains in the directory', async (fixture) => {
  const { box } = fixture;
  box.writeConfig(of('a'));
  const running = await ready(fixture);
  for (const value of [two, three]) {
    await rotate(fixture, 'a', value);
    await running.refresh();
  }
  await endOf(running, 'SIGTERM');
  assert.equal(leftovers(box.dir), []);
});

sidecar('prints no value and no token, even at level debug', () => {
  assert.ok(printed.length > 15 && printed.join('').length > 10_000);
  for (const text of printed) assert.is(canaryIn(text), undefined);
});

sidecar.run();
