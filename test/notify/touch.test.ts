import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { touchNotifier } from '../../src/notify/touch.ts';
import { copyForOthers } from '../support/allowed.ts';
import { nobody } from '../support/readable-copy.ts';
import { rejects } from '../support/rejects.ts';
import { scratch as readableScratch } from '../support/scratch.ts';
import { within } from '../support/wait.ts';

const test = suite('touching');
const scratch = mkdtempSync(join(tmpdir(), 'podsecrets-touch-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

const names: readonly string[] = ['a'];
const never = new AbortController().signal;

test('creates a missing file, and updates the time of an existing one without changing its content', async () => {
  const file = join(scratch, 'touched');
  let now = Date.UTC(2026, 0, 1);
  const notifier = touchNotifier(file, () => now);
  await notifier.notify(names, never);
  assert.is(statSync(file).mtimeMs, now);
  writeFileSync(file, 'content');
  now += 1500;
  await notifier.notify(names, never);
  assert.is(statSync(file).mtimeMs, now);
  assert.is(readFileSync(file, 'utf8'), 'content');
});

test('a watcher of the file gets an event', async () => {
  const file = join(scratch, 'watched');
  writeFileSync(file, '');
  const changed = new Promise<void>((resolve) => {
    const watcher = watch(file, () => {
      watcher.close();
      resolve();
    });
  });
  await touchNotifier(file, Date.now).notify(names, never);
  await within('an event', changed);
});

test('touches the file of another user, if it may write to it', () => {
  const copy = copyForOthers('a file of another user that is touched');
  if (copy === undefined) return;
  const file = join(readableScratch(), 'foreign');
  writeFileSync(file, 'content');
  chmodSync(file, 0o666);
  execFileSync('touch', ['-d', '2020-01-01', file]);
  const script = `
    import { touchNotifier } from ${JSON.stringify(copy.url('src/notify/touch.ts'))};
    await touchNotifier(${JSON.stringify(file)}, () => 0).notify({}, new AbortController().signal);`;
  const { stderr } = spawnSync(copy.node, ['--no-warnings', '--input-type=module', '-e', script], {
    ...nobody,
    encoding: 'utf8',
    cwd: '/',
  });
  assert.is(stderr, '');
  assert.ok(statSync(file).mtimeMs > Date.UTC(2025, 0, 1));
  assert.is(readFileSync(file, 'utf8'), 'content');
});

for (const [name, path, expected] of [
  ['its directory is missing', 'missing/file', /\(ENOENT\) \| Create its directory.* \| true$/],
  ['a part of the path is a file', 'plain/file', /\(ENOTDIR\) \| /],
  ['it is a directory', '.', /\(EISDIR\) \| Use a file, not a directory/],
  ['the name is too long', 'x'.repeat(300), /\(ENAMETOOLONG\) \| Use a file on a volume/],
] as const) {
  test(`reports that ${name}`, async () => {
    writeFileSync(join(scratch, 'plain'), '');
    const error = await rejects(touchNotifier(join(scratch, path), Date.now).notify(names, never));
    assert.instance(error, Problem);
    const { code, message, remedy, retry } = error as Problem;
    assert.is(code, 'notify.touch');
    assert.match(`${message} | ${remedy} | ${retry}`, expected);
  });
}

test('does not wait for a reader of a pipe', async () => {
  const pipe = join(scratch, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { message, retry } = (await rejects(touchNotifier(pipe, Date.now).notify(names, never))) as Problem;
  assert.is(`${message} | ${retry}`, 'cannot be touched (ENXIO) | false');
});

test('does not touch the file after an abort', async () => {
  const file = join(scratch, 'late');
  assert.is(await rejects(touchNotifier(file, Date.now).notify(names, AbortSignal.abort('stop'))), 'stop');
  assert.throws(() => statSync(file), /ENOENT/);
});

test.run();
