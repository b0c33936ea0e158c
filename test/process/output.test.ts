/** What a command prints arrives whole, or the exit code says that it did not. A pipe takes 64 KiB at a time. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CheckReport } from '../../src/config/report.ts';
import { exitCodes } from '../../src/core/problem.ts';
import { binary, run, start } from '../support/program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { within } from '../support/wait.ts';

const COUNT = 5000;

const output = suite<{ box: Sandbox; check: readonly string[] }>('output');
output.before((context) => {
  context.box = makeSandbox();
  const objects = Array.from({ length: COUNT }, (_, at) => ({
    objectName: `secret-${at}`,
    objectType: 'secretsmanager',
  }));
  context.box.writeConfig({ region: 'eu-west-1', objects });
  context.check = ['check', '--output', 'json', '--config', context.box.config];
});
output.after(({ box }) => box.remove());

output('a long one comes through a pipe whole', async ({ check }) => {
  const { code, stdout } = await run(check);
  const report = JSON.parse(stdout) as CheckReport;
  assert.is(code, exitCodes.done);
  assert.is(report.ok && report.files.length, COUNT);
});

output('for a reader that leaves early there is nothing to complain of', async ({ check }) => {
  const { child, ended } = start(check);
  child.stdout?.destroy();
  const { code, stderr } = await ended();
  assert.is(code, exitCodes.done);
  assert.is(stderr, '');
});

output('where there is no room for it, that is an error', async ({ check }) => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(binary, check, { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await within('the end of check', once(child, 'close'));
  assert.is(code, exitCodes.usage);
  assert.match(stderr, /standard output: expected to write all of it, got ENOSPC\..*\[usage\.command\]\n$/);
});

output('no line of a long log in text is lost', async ({ box }) => {
  const unknown = Array.from({ length: COUNT }, (_, at) => [`unknown${at}`, 'x']);
  const objects = [{ objectName: 'a', objectType: 'secretsmanager' }];
  box.writeConfig({
    region: 'eu-west-1',
    usePodIdentity: 'false',
    objects,
    ...Object.fromEntries(unknown),
  });
  const args = ['init', '--config', box.config, '--dir', box.dir, '--log-format', 'text'];
  const { code, stderr } = await run(args);
  // It says everything about the config first, and then finds no identity.
  assert.is(code, exitCodes.credentials);
  assert.is(stderr.split('\n').filter((line) => line.includes(' WARN ')).length, COUNT);
});

output.run();
