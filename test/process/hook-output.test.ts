/** Hooks of the built sidecar: the shown part of their output, where it is in memory, and the effect of kill -9. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { canary, canaryIn } from '../support/canary.ts';
import { textsInMemory } from '../support/process-memory.ts';
import { isRunning } from '../support/processes.ts';
import type { Sandbox } from '../support/sandbox.ts';
import type { Sidecar } from '../support/sidecar.ts';
import { region, type SidecarFixture, sidecarSuite, startReady } from '../support/sidecar-suite.ts';
import { until } from '../support/wait.ts';
import { notifyWorkersOf } from '../support/worker-kills.ts';

const test = sidecarSuite('hooks of the built sidecar', { password: canary('one') });
test.before.each(({ box }) => {
  box.writeConfig({ objects: [{ objectName: 'password', objectType: 'secretsmanager' }] });
});

/** A sidecar that is ready, with this hook. */
function sidecar(fixture: SidecarFixture, script: string): Promise<Sidecar> {
  return startReady(fixture, ['--notify-exec', JSON.stringify(['/bin/sh', '-c', script])]);
}

async function rotate({ aws }: SidecarFixture, program: Sidecar, name: string): Promise<void> {
  await aws.putSecret({ region, name: 'password', string: canary(name) });
  await program.refresh();
}

/** Whether the process is in epoll_wait or epoll_pwait, on x64 or arm64; only root can see that, others that it sleeps. */
function waitsForEvents(pid: number): boolean {
  try {
    return /^(232|281|22) /.test(readFileSync(`/proc/${pid}/syscall`, 'utf8'));
  } catch {
    return /\) S /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  }
}

/** A hook that writes its pid to `started` and, while `block` exists, runs until it is killed. */
function blocking(box: Sandbox): string {
  return `echo $$ >> ${box.root}/started; if [ -e ${box.root}/block ]; then exec sleep 1000; fi; echo delivered >> ${box.root}/delivered`;
}

/** The pids that the hook wrote, one for each run. */
function runs(box: Sandbox): readonly number[] {
  const file = join(box.root, 'started');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map(Number) : [];
}

test('a hook that prints the current and the replaced value fails with both redacted', async (fixture) => {
  const { box } = fixture;
  const script = `cat ${box.dir}/..2*/password; echo; cat ${box.dir}/password | base64; exit 3`;
  const program = await sidecar(fixture, script);
  await rotate(fixture, program, 'two');
  const { message } = await program.event('notify.failed');
  assert.match(String(message), /^hook "\/bin\/sh": exit code 3; last output: (\[secret\])+\\n\[secret\]/);
  assert.is(canaryIn(program.stderr()), undefined);
  assert.is(canaryIn((await program.page('/status')).body), undefined);
});

test('a hook that prints a value after three more changes shows no output', async (fixture) => {
  const { box } = fixture;
  const script = `v=$(cat ${box.dir}/password); touch ${box.root}/read; until [ -e ${box.root}/go ]; do sleep 0.01; done; echo $v; exit 3`;
  const program = await sidecar(fixture, script);
  await rotate(fixture, program, 'two');
  await until('the start of the hook', () => existsSync(join(box.root, 'read')));
  // Faster than replaced generations are removed.
  for (const name of ['three', 'four', 'five']) await rotate(fixture, program, name);
  box.write('go', '');
  const { message } = await program.event('notify.failed');
  assert.match(String(message), 'exit code 3; last output: not shown');
  assert.is(canaryIn(program.stderr()), undefined);
  assert.equal(textsInMemory(program.pid, [canary('two')]), []);
});

test('the sidecar that follows a killed one redacts the value that was replaced before', async (fixture) => {
  const { box } = fixture;
  // Prints a copy of the old value, whose generation is removed after a second.
  const script = `cat ${box.root}/old; cat ${box.dir}/password; exit 3`;
  const first = await sidecar(fixture, script);
  box.write('old', canary('one'));
  await rotate(fixture, first, 'two');
  await first.event('notify.failed');
  first.child.kill('SIGKILL');
  await first.ended();
  const next = await sidecar(fixture, script);
  const { message } = await next.event('notify.failed');
  assert.match(String(message), /last output: \[secret\]/);
  assert.is(canaryIn(next.stderr()), undefined);
});

test('after two changes that were not delivered, a hook fails with its exit code and without its output', async (fixture) => {
  const { box } = fixture;
  const gate = join(box.root, 'gate');
  const script = `[ -e ${gate} ] || exit 4; cat ${box.root}/old; exit 3`;
  const program = await sidecar(fixture, script);
  box.write('old', canary('one'));
  await rotate(fixture, program, 'two');
  await rotate(fixture, program, 'three');
  writeFileSync(gate, '');
  await until(
    () => `exit code 3 in:\n${program.stderr()}`,
    () => /exit code 3; last output: not shown/.test(program.stderr()),
  );
  assert.is(canaryIn(program.stderr()), undefined);
});

test('the output of a hook is never in the memory of the sidecar', async (fixture) => {
  // The hook assembles the text, because its command is in the memory of the sidecar.
  const program = await sidecar(fixture, 'echo "OUT""PUT-$((1000 + 234))-of-the-hook"; seq 2000; exit 3');
  await rotate(fixture, program, 'two');
  await program.event('notify.failed');
  assert.equal(textsInMemory(program.pid, ['OUTPUT-1234-of-the-hook', 'sidecar']), ['sidecar']);
});

test('when the process of a notification is killed, its hook ends too, and the notification is retried', async (fixture) => {
  const { box } = fixture;
  box.write('block', '');
  const program = await sidecar(fixture, blocking(box));
  await rotate(fixture, program, 'two');
  await until('a hook', () => runs(box).length === 1);
  const [worker = 0, ...more] = notifyWorkersOf(program.pid);
  assert.equal(more, []);
  // The hook may run a moment before its start is reported.
  await until('the worker to wait for the hook', () => waitsForEvents(worker));
  process.kill(worker, 'SIGKILL');
  const { message, code } = await program.event('notify.failed');
  assert.is(code, 'notify.exec');
  assert.match(String(message), /^hook "\/bin\/sh": its process was ended by SIGKILL/);
  await until('the end of the hook', () => !isRunning(runs(box)[0] ?? 0));
  assert.not.ok(existsSync(join(box.root, 'delivered')));
  rmSync(join(box.root, 'block'));
  await program.event('notify.succeeded');
  assert.is(readFileSync(join(box.root, 'delivered'), 'utf8'), 'delivered\n');
});

test('when the sidecar is killed during a hook, the hook ends too, and the next sidecar delivers', async (fixture) => {
  const { box } = fixture;
  box.write('block', '');
  const first = await sidecar(fixture, blocking(box));
  await rotate(fixture, first, 'two');
  await until('a hook', () => runs(box).length === 1);
  const [worker = 0] = notifyWorkersOf(first.pid);
  first.child.kill('SIGKILL');
  await first.ended();
  await until(
    'the end of the worker and of its hook',
    () => !isRunning(worker) && !isRunning(runs(box)[0] ?? 0),
  );
  rmSync(join(box.root, 'block'));
  const next = await sidecar(fixture, blocking(box));
  await next.event('notify.succeeded');
  assert.is(readFileSync(join(box.root, 'delivered'), 'utf8'), 'delivered\n');
});

test('SIGTERM ends a hook that runs, and the sidecar exits with 0', async (fixture) => {
  const { box } = fixture;
  box.write('block', '');
  const program = await sidecar(fixture, blocking(box));
  await rotate(fixture, program, 'two');
  await until('a hook', () => runs(box).length === 1);
  program.child.kill('SIGTERM');
  assert.is((await program.ended()).code, 0);
  assert.ok(!isRunning(runs(box)[0] ?? 0));
});

test('a hook does not inherit the descriptors of the report and the request', async (fixture) => {
  const program = await sidecar(fixture, '! (: >&3) && ! (: >&4)');
  await rotate(fixture, program, 'two');
  await program.event('notify.succeeded');
});

test.run();
