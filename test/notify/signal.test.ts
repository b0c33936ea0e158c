import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { type ProcessSystem, type SignalTarget, signalNotifier } from '../../src/notify/signal.ts';
import { isAllowed, mayBecome } from '../support/allowed.ts';
import { rejects } from '../support/rejects.ts';
import { endOf, within } from '../support/wait.ts';

const test = suite('signalling');
const scratch = mkdtempSync(join(tmpdir(), 'podsecrets-signal-'));
const children: ChildProcess[] = [];
test.after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

const names: readonly string[] = ['a'];
const never = new AbortController().signal;

/** A process that prints a line for each SIGUSR1, in a process group of its own. */
async function reloader(name: string): Promise<{ child: ChildProcess; reloaded: () => Promise<void> }> {
  const script = join(scratch, name);
  writeFileSync(script, `#!/bin/sh\ntrap 'echo reloaded' USR1\necho ready\nwhile :; do sleep 0.05; done\n`);
  chmodSync(script, 0o755);
  const child = spawn(script, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  children.push(child);
  const line = async () => {
    await within(`a line of ${name}`, once(child.stdout as NodeJS.ReadableStream, 'data'));
  };
  await line();
  return { child, reloaded: line };
}

/** The real processes, as seen by a process that is neither the test nor one of its children. */
const real: ProcessSystem = { self: 0x7fffffff, user: 0, kill: process.kill, proc: '/proc' };

interface Row {
  readonly pid: number;
  readonly name: string;
  readonly parent?: number;
  readonly program?: string;
  readonly state?: string;
  readonly started?: number;
  readonly user?: number;
}

/** A system with the given processes; what was killed is in `killed`. We are process 50, of user 65532. */
function system(rows: readonly Row[], deny: (pid: number) => string | undefined = () => undefined) {
  const proc = mkdtempSync(join(scratch, 'proc-'));
  const booted = Math.floor(Date.now() / 1000) - 1000;
  writeFileSync(join(proc, 'stat'), `cpu 1 2 3\nbtime ${booted}\nprocesses 9\n`);
  for (const { pid, name, parent = 0, program = '', state = 'S', started = 500, user = 101 } of rows) {
    mkdirSync(join(proc, String(pid)));
    const zeros = Array(17).fill('0').join(' ');
    writeFileSync(
      join(proc, String(pid), 'stat'),
      `${pid} (${name}) ${state} ${parent} ${zeros} ${started} 0 0\n`,
    );
    writeFileSync(join(proc, String(pid), 'cmdline'), program === '' ? '' : `${program}\0-x\0`);
    writeFileSync(
      join(proc, String(pid), 'status'),
      `Name:\t${name}\nUid:\t${user}\t${user}\t${user}\t${user}\n`,
    );
  }
  const killed: string[] = [];
  const kill = (pid: number, signal: NodeJS.Signals) => {
    const code = deny(pid);
    if (code !== undefined) throw Object.assign(new Error(`kill ${code}`), { code });
    killed.push(`${signal} ${pid}`);
  };
  return { self: 50, user: 65_532, proc, kill, killed };
}

const us: Row = { pid: 50, name: 'podsecrets' };
const shared: readonly Row[] = [{ pid: 1, name: 'pause', program: '/pause' }, us];
const alone: readonly Row[] = [
  { pid: 1, name: 'tini' },
  { ...us, parent: 1 },
];

function pidFile(content: string | undefined): SignalTarget & { file: string } {
  const file = join(mkdtempSync(join(scratch, 'run-')), 'app.pid');
  if (content !== undefined) writeFileSync(file, content);
  return { kind: 'pidFile', file };
}

async function problem(target: SignalTarget, on: ProcessSystem): Promise<string> {
  const error = await rejects(signalNotifier('SIGHUP', target, on).notify(names, never));
  if (!(error instanceof Problem)) throw error;
  assert.is(error.code, 'notify.signal');
  return `${error.message} | ${error.remedy}${error.retry ? ' | retry' : ''}`;
}

test('signals a real process in another process group, found by its pid file', async () => {
  const { child, reloaded } = await reloader('by-pid-file');
  const target = pidFile(`${child.pid}\n`);
  const notifier = signalNotifier('SIGUSR1', target, real);
  for (let times = 0; times < 2; times++) {
    const reloads = reloaded();
    await notifier.notify([...names], never);
    await reloads;
  }
});

test('re-reads the pid file each time', async () => {
  const [one, two] = [await reloader('first-app'), await reloader('second-app')];
  const target = pidFile(`${one.child.pid}`);
  const notifier = signalNotifier('SIGUSR1', target, real);
  for (const app of [one, two]) {
    writeFileSync(target.file, `${app.child.pid}`);
    const reloads = app.reloaded();
    await notifier.notify([...names], never);
    await reloads;
  }
});

test('signals real processes found by their name, even if the kernel truncates it', async () => {
  const name = `reload-${process.pid}-with-a-long-name`;
  const apps = [await reloader(name), await reloader(name)];
  const reloads = Promise.all(apps.map((app) => app.reloaded()));
  await signalNotifier('SIGUSR1', { kind: 'process', name }, real).notify(names, never);
  await reloads;
});

test('signals the process after the clock was set forward since the pid file was written', async () => {
  const on = system([...shared, { pid: 200, name: 'app' }]);
  const notifier = signalNotifier('SIGHUP', pidFile('200'), on);
  const stat = join(on.proc, 'stat');
  const later = readFileSync(stat, 'utf8').replace(/(?<=btime )\d+/, (time) =>
    String(Number(time) + 5 * 3600),
  );
  writeFileSync(stat, later);
  await notifier.notify(names, never);
  assert.equal(on.killed, ['SIGHUP 200']);
});

test('reports a real process that has ended as a stale pid file', async () => {
  const child = spawn('true');
  await endOf(child);
  assert.match(await problem(pidFile(String(child.pid)), real), /^stale pid file: /);
});

test('EPERM for a real process of another user names both users and both remedies', async () => {
  if (!mayBecome('a process of another user')) return;
  const { child } = await reloader('not-yours');
  const target = pidFile(String(child.pid));
  chmodSync(scratch, 0o755);
  execFileSync('chmod', ['-R', 'a+rX', scratch]);
  const kill = (pid: number, signal: NodeJS.Signals) => {
    const { stdout } = spawnSync('sh', ['-c', `kill -s ${signal.slice(3)} ${pid} 2>&1`], {
      uid: 65_534,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
    if (/not permitted/i.test(stdout)) throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  };
  assert.is(
    await problem(target, { ...real, user: 65_534, kill }),
    `user 65534 may not signal ${child.pid} ("not-yours") of user 0 (EPERM) | ` +
      'Run both containers with the same securityContext.runAsUser (the capability KILL helps only a container that runs as root).',
  );
});

test('the remedy in a real PID namespace of its own is to share it', () => {
  const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc'];
  if (!isAllowed('a separate PID namespace', ['unshare', ...unshare, 'true'])) return;
  const module = new URL('../../src/notify/signal.ts', import.meta.url).href;
  const script = `
    import { signalNotifier } from ${JSON.stringify(module)};
    const system = { self: process.pid, user: 0, kill: process.kill, proc: '/proc' };
    const notifier = signalNotifier('SIGHUP', { kind: 'process', name: 'nginx' }, system);
    await notifier.notify({}, undefined).catch((problem) => console.log(process.pid, problem.message, problem.remedy));`;
  const { stdout } = spawnSync(
    'unshare',
    [...unshare, process.execPath, '--no-warnings', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  assert.is(
    stdout,
    '1 the PID namespace is not shared with the application: only the processes of this container are visible ' +
      'Set shareProcessNamespace: true in the pod spec (docker-compose: pid: service:NAME).\n',
  );
});

for (const [name, content, expected] of [
  ['missing', undefined, /^cannot read the pid file \(ENOENT\) \| Mount the volume .* \| retry$/],
  ['empty', '', /^expected a pid on the first line, got an empty file \| .* \| retry$/],
  // The text is not shown: a link may lead to anything, even to a published value.
  ['JSON', '{"pid":7}', /^expected a pid on the first line, got something else \| Use the file to which/],
  ['minus one, which would signal every process', '-1', /^expected a pid .*, got something else \| /],
  ['zero, which would signal its own process group', '0', /^expected a pid .*, got something else \| /],
  ['a published value', 'hunter22\n', /^expected a pid .*, got something else \| /],
  ['stale', '77', /^stale pid file: no process has pid 77 \| The file is stale.* \| retry$/],
  ['of a zombie', '78', /^stale pid file: the ended process 78 \("app"\) had pid 78 \| .* \| retry$/],
  [
    'reused',
    '79',
    /^stale pid file: pid 79 was reused by 79 \("other"\) after the file was written \| .* \| retry$/,
  ],
  ['of the sandbox', '1', /^it is the pod's sandbox, process 1, not a process of the application \| /],
  ['of podsecrets itself', '50', /shared with the application: pid 50 is podsecrets itself here \| Set/],
  ['of a child of podsecrets', '51', /pid 51 is podsecrets itself here \| Set/],
] as const) {
  test(`a pid file that is ${name} has its own error`, async () => {
    const on = system([
      ...shared,
      { pid: 51, name: 'hook', parent: 50 },
      { pid: 78, name: 'app', state: 'Z' },
      // Started 106,000 ticks after the boot of 1,000 s ago: a minute after the file was written.
      { pid: 79, name: 'other', started: 106_000 },
    ]);
    assert.match(await problem(pidFile(content), on), expected);
    assert.equal(on.killed, []);
  });
}

for (const [pid, expected] of [
  ['1', /pid 1 started podsecrets here \| Set shareProcessNamespace/],
  ['7', /pid 7 is not visible here \| Set shareProcessNamespace/],
] as const) {
  test(`reports that the namespace is not shared, for pid ${pid} of a pid file`, async () => {
    assert.match(await problem(pidFile(pid), system(alone)), expected);
  });
}

test('a pid file that is a directory, or a pipe without a writer, is an error and does not hang', async () => {
  const on = system(shared);
  assert.match(await problem({ kind: 'pidFile', file: scratch }, on), /^cannot read the pid file \(EISDIR\)/);
  const pipe = join(scratch, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.match(await problem({ kind: 'pidFile', file: pipe }, on), /got an empty file/);
});

test('signals an application that is process 1 of the shared namespace', async () => {
  const on = system([{ pid: 1, name: 'app' }, us]);
  await signalNotifier('SIGHUP', pidFile('1'), on).notify(names, never);
  assert.equal(on.killed, ['SIGHUP 1']);
});

test('the error for a name without a process lists the running processes', async () => {
  const on = system([...shared, { pid: 60, name: 'nginx' }, { pid: 61, name: 'nginx', parent: 60 }]);
  assert.match(
    await problem({ kind: 'process', name: 'ngnix' }, on),
    /^no process has this name; running: "pause", "nginx" \| Correct the name.* \| retry$/,
  );
  assert.match(await problem({ kind: 'process', name: 'pause' }, on), /sandbox/);
});

test('signals only the master of several processes', async () => {
  const on = system([...shared, { pid: 60, name: 'nginx' }, { pid: 61, name: 'nginx', parent: 60 }]);
  await signalNotifier('SIGHUP', { kind: 'process', name: 'nginx' }, on).notify(names, never);
  assert.equal(on.killed, ['SIGHUP 60']);
});

test('reports one of several processes that may not be signalled, and signals the others once for each change', async () => {
  const rows = [...shared, { pid: 60, name: 'app' }, { pid: 61, name: 'app' }];
  const on = system(rows, (pid) => (pid === 60 ? 'EPERM' : undefined));
  const notifier = signalNotifier('SIGHUP', { kind: 'process', name: 'app' }, on);
  for (let times = 0; times < 3; times++) await rejects(notifier.notify(names, never));
  assert.equal(on.killed, ['SIGHUP 61']);
  await rejects(notifier.notify([...names], never));
  assert.equal(on.killed, ['SIGHUP 61', 'SIGHUP 61']);
});

test('a process that ends meanwhile is an error only if it is the only one', async () => {
  const gone = (pid: number) => (pid === 60 ? 'ESRCH' : undefined);
  const rows = [...shared, { pid: 60, name: 'app' }];
  const two = system([...rows, { pid: 61, name: 'app' }], gone);
  await signalNotifier('SIGHUP', { kind: 'process', name: 'app' }, two).notify(names, never);
  assert.equal(two.killed, ['SIGHUP 61']);
  assert.match(
    await problem({ kind: 'process', name: 'app' }, system(rows, gone)),
    /^60 \("app"\) ended before it was signalled \| .* \| retry$/,
  );
});

test('a missing process table is a Problem, not a bug', async () => {
  const on = { ...system(shared), proc: join(scratch, 'nowhere') };
  assert.match(
    await problem({ kind: 'process', name: 'app' }, on),
    /^cannot list the processes in .* \(ENOENT\)/,
  );
});

test.run();
