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
import { until, WAIT_LIMIT } from '../support/wait.ts';

const test = suite('watching configs');
const stops: AbortController[] = [];
const scratch = mkdtempSync(join(tmpdir(), 'podsecrets-watch-'));
test.after.each(() => {
  for (const stop of stops.splice(0)) stop.abort();
});
test.after(() => rmSync(scratch, { recursive: true, force: true }));

/** Does not wait before a reading; the wait between readings without an event ends only with `poll`. */
interface ManualClock extends Clock {
  readonly poll: () => void;
}

function manualClock(): ManualClock {
  let next = Promise.withResolvers<void>();
  return {
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        if (ms < 1000) setImmediate(resolve);
        else void next.promise.then(resolve);
      }),
    poll() {
      next.resolve();
      next = Promise.withResolvers();
    },
  };
}

interface Watched {
  readonly calls: string[];
  readonly events: string[];
  readonly poll: () => void;
  /** Resolves once a call had this text. */
  readonly reports: (text: string) => Promise<void>;
  readonly stop: AbortController;
  /** Resolves when the files are watched. */
  readonly watching: Promise<void>;
}

function watched(
  files: readonly string[],
  /** Runs after a file has been read for the first time. */
  firstRead: (file: string) => void = () => {},
): Watched {
  const calls: string[] = [];
  const events: string[] = [];
  const stop = new AbortController();
  const clock = manualClock();
  stops.push(stop);
  const log: Log = { write: (event) => events.push(event), problem: () => {} };
  const known = new Set<string>();
  const read = (file: string) => {
    const text = textOf(file);
    if (!known.has(file)) firstRead(file);
    known.add(file);
    return text;
  };
  const changed = (file: string) => {
    calls.push(`${file.slice(file.lastIndexOf('/') + 1)}: ${textOf(file).slice(0, 20)}`);
  };
  const watching = watchConfigs({ files, read, changed, clock, log }, stop.signal);
  return {
    calls,
    events,
    poll: clock.poll,
    reports: (text) =>
      until(
        () => `a call for ${text}, got ${JSON.stringify(calls)}`,
        () => calls.some((call) => call.endsWith(`: ${text}`)),
      ),
    stop,
    watching,
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return String(error);
  }
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

test("finds the kubelet's link swap, again and again", async () => {
  const map = configMap('one');
  const { calls, reports, events, watching } = watched([map.file]);
  await watching;
  assert.equal(events, ['config.watching']);
  for (const text of ['two', 'three', 'four', 'five']) {
    map.swap(text);
    await reports(text);
  }
  assert.equal(
    calls,
    ['two', 'three', 'four', 'five'].map((text) => `config.yaml: ${text}`),
  );
});

test('finds a swap after three swaps at once', async () => {
  const map = configMap('zero');
  const { reports } = watched([map.file]);
  for (const round of ['a', 'b', 'c']) {
    for (const step of [1, 2, 3]) map.swap(`${round}${step}`);
    await reports(`${round}3`);
    map.swap(`${round}4`);
    await reports(`${round}4`);
  }
});

test('finds an edit after two renames at once', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'zero');
  const { reports } = watched([file]);
  for (const round of ['a', 'b', 'c']) {
    for (const step of [1, 2]) writeFileSync(`${file}.${step}`, `${round}${step}`);
    for (const step of [1, 2]) renameSync(`${file}.${step}`, file);
    await reports(`${round}2`);
    writeFileSync(file, `${round}3`);
    await reports(`${round}3`);
  }
});

test("finds an editor's rename, a file that is deleted and written again, and a plain write", async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, reports } = watched([file]);
  for (const [step, text] of [
    [
      () => {
        writeFileSync(`${file}.swp`, 'two');
        renameSync(`${file}.swp`, file);
      },
      'two',
    ],
    [() => writeFileSync(`${file}`, 'three'), 'three'],
    [() => rmSync(file), 'Error: ENOENT: no su'],
    [() => writeFileSync(file, 'four'), 'four'],
    [
      () => {
        rmSync(file);
        writeFileSync(file, 'five');
      },
      'five',
    ],
  ] as const) {
    step();
    await reports(text);
  }
  // A plain write truncates first, which may be read.
  assert.is(calls.at(-1), 'config.yaml: five');
});

test('several files are watched independently, also after one was deleted', async () => {
  const [one, two] = [join(directory(), 'one'), join(directory(), 'two')];
  for (const file of [one, two]) writeFileSync(file, 'a');
  const { reports } = watched([one, two]);
  rmSync(one);
  await reports('Error: ENOENT: no su');
  writeFileSync(two, 'b');
  await reports('b');
  writeFileSync(one, 'c');
  await reports('c');
});

test('a touch, the same text or another file in the directory is no change', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, reports } = watched([file]);
  utimesSync(file, 1, 1);
  renameSync(copyOf(file, 'one'), file);
  writeFileSync(`${file}.other`, 'two');
  renameSync(copyOf(file, 'two'), file);
  await reports('two');
  assert.equal(calls, ['config.yaml: two']);
});

/** A file next to the config, to be renamed to it. */
function copyOf(file: string, text: string): string {
  writeFileSync(`${file}.tmp`, text);
  return `${file}.tmp`;
}

test('finds a link that is replaced above the file', async () => {
  const parent = directory();
  for (const text of ['one', 'two']) {
    mkdirSync(join(parent, text));
    writeFileSync(join(parent, text, 'config.yaml'), text);
  }
  symlinkSync('one', join(parent, 'mount'));
  const { calls, reports } = watched([join(parent, 'mount', 'config.yaml')]);
  symlinkSync('two', join(parent, 'mount_tmp'));
  renameSync(join(parent, 'mount_tmp'), join(parent, 'mount'));
  await reports('two');
  assert.equal(calls, ['config.yaml: two']);
});

test('a change without an event is found by polling, and the file is then watched', async () => {
  const parent = directory();
  const file = join(parent, 'mount', 'config.yaml');
  mkdirSync(join(parent, 'mount'));
  writeFileSync(file, 'one');
  const { calls, reports, poll } = watched([file]);
  // The directory above is not watched, so nothing reports another one in its place.
  mkdirSync(join(parent, 'other'));
  writeFileSync(join(parent, 'other', 'config.yaml'), 'two');
  renameSync(join(parent, 'mount'), join(parent, 'old'));
  renameSync(join(parent, 'other'), join(parent, 'mount'));
  poll();
  await reports('two');
  renameSync(copyOf(file, 'three'), file);
  await reports('three');
  assert.equal(calls, ['config.yaml: two', 'config.yaml: three']);
});

test('finds a file, and a directory, that does not exist yet', async () => {
  const parent = directory();
  const file = join(parent, 'later', 'config.yaml');
  const { reports } = watched([file]);
  mkdirSync(join(parent, 'later'));
  renameSync(copyOf(file, 'one'), file);
  await reports('one');
});

test('a change between the first reading and the first watch is found without an event', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, watching } = watched([file], () => writeFileSync(file, 'two'));
  await watching;
  assert.equal(calls, ['config.yaml: two']);
});

test('a change right after the watch is ready is found', async () => {
  for (const edit of ['write', 'rename', 'swap'] as const) {
    const map = configMap('one');
    const file = edit === 'swap' ? map.file : join(directory(), 'config.yaml');
    if (edit !== 'swap') writeFileSync(file, 'one');
    const { reports, watching } = watched([file]);
    await watching;
    if (edit === 'write') writeFileSync(file, 'two');
    else if (edit === 'rename') renameSync(copyOf(file, 'two'), file);
    else map.swap('two');
    await reports('two');
  }
});

test('two files of a directory that was replaced are both watched again', async () => {
  const parent = directory();
  const files = ['one', 'two'].map((name) => join(parent, 'mount', name));
  const fill = (name: string, text: string) => {
    mkdirSync(join(parent, name));
    for (const file of ['one', 'two']) writeFileSync(join(parent, name, file), text);
  };
  fill('mount', 'a');
  const { calls, reports, watching, poll } = watched(files);
  await watching;
  fill('other', 'b');
  renameSync(join(parent, 'mount'), join(parent, 'old'));
  renameSync(join(parent, 'other'), join(parent, 'mount'));
  poll();
  await reports('b');
  for (const file of files) {
    renameSync(copyOf(file, 'c'), file);
    await until('a call', () => calls.includes(`${file.slice(-3)}: c`));
  }
});

test('polls the files with CHOKIDAR_USEPOLLING=true', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  process.env.CHOKIDAR_USEPOLLING = 'true';
  try {
    const { reports, watching, stop } = watched([file]);
    await watching;
    assert.is(process.getActiveResourcesInfo().includes('FSEventWrap'), false);
    renameSync(copyOf(file, 'two'), file);
    await reports('two');
    stop.abort();
  } finally {
    delete process.env.CHOKIDAR_USEPOLLING;
  }
});

test('warns about a CHOKIDAR_INTERVAL that is not a number, and reads the file every 10 s', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  process.env.CHOKIDAR_INTERVAL = 'soon';
  try {
    const { events, reports, poll, watching } = watched([file]);
    await watching;
    assert.equal(events, ['config.polling']);
    writeFileSync(file, 'two');
    poll();
    await reports('two');
  } finally {
    delete process.env.CHOKIDAR_INTERVAL;
  }
});

test('after the stop nothing is reported, and nothing is left', async () => {
  const file = join(directory(), 'config.yaml');
  writeFileSync(file, 'one');
  const { calls, stop } = watched([file]);
  stop.abort();
  writeFileSync(file, 'two');
  // Another watch has reported a later change by now.
  const later = join(directory(), 'config.yaml');
  writeFileSync(later, 'one');
  const other = watched([later]);
  renameSync(copyOf(later, 'two'), later);
  await other.reports('two');
  assert.equal(calls, []);
  other.stop.abort();
  const left = () => process.getActiveResourcesInfo().filter((resource) => /FSEvent/.test(resource));
  await until('no watch', () => left().length === 0);
});

test('without inotify watches left in the system, warns and reads every 10 s', () => {
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
    watchConfigs({
      files: [${JSON.stringify(file)}],
      read: (file) => readFileSync(file, 'utf8'),
      changed: () => { console.log('changed'); stop.abort(); },
      clock: { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 1000)) },
      log: { write: (event, message) => console.log(event, message) },
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
    { encoding: 'utf8', timeout: WAIT_LIMIT },
  );
  // On a busy machine the first reading is sooner than the error of the watch.
  assert.equal(stdout.trim().split('\n').sort(), [
    'changed',
    `config.polling watching ${file} failed with ENOSPC; it is read every 10 s`,
  ]);
});

test.run();
