import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watchConfigs } from '../../src/config/watcher.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Log } from '../../src/core/log.ts';
import { isAllowed } from '../support/allowed.ts';
import { PATIENCE, until, within } from '../support/wait.ts';

const test = suite('watching configs');
const stops: AbortController[] = [];
const scratch = mkdtempSync(join(tmpdir(), 'podsecrets-watch-'));
test.after.each(() => {
  for (const stop of stops.splice(0)) stop.abort();
});
test.after(() => rmSync(scratch, { recursive: true, force: true }));

/** Real time, but every wait is `factor` times as short. */
function hasty(factor: number): Clock {
  return {
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, ms / factor);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
  };
}

interface Watched {
  readonly calls: string[];
  readonly said: string[];
  /** Resolves at the next call. */
  readonly heard: () => Promise<void>;
  readonly stop: AbortController;
}

async function watched(
  files: readonly string[],
  clock: Clock = hasty(1),
  /** Runs when a file has been read for the first time. */
  firstRead: (file: string) => void = () => {},
): Promise<Watched> {
  const calls: string[] = [];
  const said: string[] = [];
  let next = Promise.withResolvers<void>();
  const stop = new AbortController();
  stops.push(stop);
  const log: Log = { write: (level, event) => said.push(`${level} ${event}`), problem: () => {} };
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      return String(error);
    }
  };
  const known = new Set<string>();
  const readAndNote = (file: string) => {
    const text = read(file);
    if (!known.has(file)) firstRead(file);
    known.add(file);
    return text;
  };
  const changed = (file: string) => {
    calls.push(`${file.slice(file.lastIndexOf('/') + 1)}: ${read(file).slice(0, 20)}`);
    next.resolve();
    next = Promise.withResolvers();
  };
  await watchConfigs({ files, read: readAndNote, changed, clock, log }, stop.signal);
  return {
    calls,
    said,
    heard: () => within(() => `another call, got ${JSON.stringify(calls)}`, next.promise),
    stop,
  };
}

function directory(): string {
  return mkdtempSync(join(scratch, 'dir-'));
}

/** A ConfigMap volume as the kubelet lays it out, and its way to put a new version in place. */
function configMap(content: string): { readonly file: string; readonly swap: (content: string) => void } {
  const volume = directory();
  let version = 0;
  const write = (text: string): string => {
    const name = `..2026_01_01_${++version}`;
    mkdirSync(join(volume, name));
    writeFileSync(join(volume, name, 'config.yaml'), text);
    return name;
  };
  let current = write(content);
  symlinkSync(current, join(volume, '..data'));
  symlinkSync(join('..data', 'config.yaml'), join(volume, 'config.yaml'));
  return {
    file: join(volume, 'config.yaml'),
    swap(text) {
      const old = current;
      current = write(text);
      symlinkSync(current, join(volume, '..data_tmp'));
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
      rmSync(join(volume, old), { recursive: true });
    },
  };
}

test("hears the kubelet's link swap, again and again", async () => {
  const map = configMap('one');
  const { calls, heard, said } = await watched([map.file]);
  assert.equal(said, ['debug config.watching']);
  for (const text of ['two', 'three', 'four', 'five']) {
    const next = heard();
    map.swap(text);
    await next;
  }
  assert.equal(
    calls,
    ['two', 'three', 'four', 'five'].map((text) => `config.yaml: ${text}`),
  );
});

test("hears an editor's rename, a file that is deleted and written anew, and a plain write", async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, heard } = await watched([file]);
  for (const step of [
    () => {
      writeFileSync(`${file}.swp`, 'two');
      renameSync(`${file}.swp`, file);
    },
    () => writeFileSync(file, 'three'),
    () => rmSync(file),
    () => writeFileSync(file, 'four'),
    () => {
      rmSync(file);
      writeFileSync(file, 'five');
    },
  ]) {
    const next = heard();
    step();
    await next;
  }
  assert.equal(
    calls,
    ['two', 'three', 'Error: ENOENT: no su', 'four', 'five'].map((text) => `config.yaml: ${text}`),
  );
});

test('several files are watched each for itself, also after one was deleted', async () => {
  const [one, two] = [join(directory(), 'one'), join(directory(), 'two')];
  for (const file of [one, two]) writeFileSync(file, 'a');
  const { calls, heard } = await watched([one, two]);
  for (const step of [() => rmSync(one), () => writeFileSync(two, 'b'), () => writeFileSync(one, 'c')]) {
    const next = heard();
    step();
    await next;
  }
  assert.equal(calls, ['one: Error: ENOENT: no su', 'two: b', 'one: c']);
});

test('a touch, or the same text once more, is no change; steps that follow each other are one', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, heard } = await watched([file]);
  utimesSync(file, 1, 1);
  writeFileSync(file, 'one');
  const next = heard();
  for (const text of ['', 't', 'tw', 'two']) writeFileSync(file, text);
  await next;
  assert.equal(calls, ['config.yaml: two']);
});

test('what no event tells is found by the slow look: a directory that is replaced above the file', async () => {
  const parent = directory();
  const file = join(parent, 'mount', 'config.yaml');
  for (const text of ['one', 'two']) {
    mkdirSync(join(parent, text));
    writeFileSync(join(parent, text, 'config.yaml'), text);
  }
  symlinkSync('one', join(parent, 'mount'));
  const { calls, heard } = await watched([file], hasty(1000));
  const next = heard();
  symlinkSync('two', join(parent, 'mount_tmp'));
  renameSync(join(parent, 'mount_tmp'), join(parent, 'mount'));
  await next;
  assert.equal(calls, ['config.yaml: two']);
});

test('a file that is not there yet is found', async () => {
  const file = join(directory(), 'config.yaml');
  const { calls, heard } = await watched([file], hasty(100));
  const next = heard();
  writeFileSync(file, 'one');
  await next;
  assert.equal(calls, ['config.yaml: one']);
});

test('what is written between the first reading and the first watch is found without an event', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls } = await watched([file], hasty(1), () => writeFileSync(file, 'two'));
  assert.equal(calls, ['config.yaml: two']);
});

test('after the stop nothing is heard, and nothing is left', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, stop } = await watched([file]);
  stop.abort();
  writeFileSync(file, 'two');
  // By the time at which another one has heard of a later change.
  const later = join(directory(), 'config.yaml');
  writeFileSync(later, 'one');
  const other = await watched([later]);
  const heard = other.heard();
  writeFileSync(later, 'two');
  await heard;
  assert.equal(calls, []);
  other.stop.abort();
  const left = () => process.getActiveResourcesInfo().filter((resource) => /FSEvent/.test(resource));
  await until('no watch', () => left().length === 0);
  assert.not(process.getActiveResourcesInfo().includes('Timeout'));
});

test('without watches left in the system, for real: says so and polls', () => {
  const unshare = ['--user', '--map-root-user', 'sh', '-c'];
  const limit = 'echo 0 > /proc/sys/user/max_inotify_watches';
  if (!isAllowed('a system without watches', ['unshare', ...unshare, limit])) return;
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const module = new URL('../../src/config/watcher.ts', import.meta.url).href;
  const script = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { watchConfigs } from ${JSON.stringify(module)};
    const stop = new AbortController();
    await watchConfigs({
      files: [${JSON.stringify(file)}],
      read: (file) => readFileSync(file, 'utf8'),
      changed: () => { console.log('changed'); stop.abort(); },
      clock: { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 1000)) },
      log: { write: (level, event, message) => console.log(level, event, message) },
    }, stop.signal);
    writeFileSync(${JSON.stringify(file)}, 'two');`;
  const { stdout } = spawnSync(
    'unshare',
    [
      ...unshare,
      `${limit}; exec "$0" "$@"`,
      process.execPath,
      '--no-warnings',
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8', timeout: PATIENCE },
  );
  assert.is(
    stdout,
    `warn config.polling watching ${file} failed with ENOSPC; it is read every 10 s\nchanged\n`,
  );
});

test.run();
