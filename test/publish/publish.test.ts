/** The contents of the directory after a publish, and what a publish does not change. */

import * as fs from 'node:fs';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { isAllowed } from '../support/allowed.ts';
import {
  fingerprint,
  leftovers,
  open,
  publishOnce,
  shown,
  shownInData,
  snapshot,
} from '../support/directory.ts';
import { faultInjectingFs } from '../support/fault-injecting-fs.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('publishing to a directory');
const modeOf = (path: string) => statSync(path).mode & 0o7777;

test('every file is a relative link through ..data into one timestamped directory', async () => {
  const dir = scratch();
  const change = await publishOnce(dir, snapshot({ password: 'secret', 'tls/key': ['key', 0o400] }));
  assert.equal(change, { kind: 'changed', added: ['password', 'tls/key'], updated: [], removed: [] });
  assert.match(readlinkSync(join(dir, '..data')), /^\.\.2026_01_01_00_00_00\.\w{6}$/);
  assert.is(readlinkSync(join(dir, 'password')), '..data/password');
  assert.is(readlinkSync(join(dir, 'tls')), '..data/tls');
  assert.equal(shown(dir), { password: 'secret', 'tls/key': 'key' });
  assert.equal(shownInData(dir), shown(dir));
  assert.is(modeOf(join(dir, 'password')), 0o644);
  assert.is(modeOf(join(dir, 'tls/key')), 0o400);
  assert.equal(leftovers(dir), []);
});

test('writes nothing and changes no mtime without a change, in the same process and after a restart', async () => {
  const dir = scratch();
  const files = { a: 'one', 'b/c': 'two', 'b/d/e': ['three', 0o440] as const };
  await publishOnce(dir, snapshot({ ...files, a: 'before' }));
  await publishOnce(dir, snapshot(files));
  const before = fingerprint(dir);
  const faulty = faultInjectingFs();
  const directory = await open(dir, { fs: faulty.fs });
  for (let turn = 1; turn <= 2; turn++) {
    faulty.arm({ kind: 'none' });
    assert.equal(await directory.publish(snapshot(files)), { kind: 'unchanged' });
    const reading = /^(readdir|readlink|lstat|access|open|read|close)Sync/;
    assert.equal(
      faulty.operations.filter((operation) => !reading.test(operation)),
      [],
    );
  }
  await directory.end();
  assert.equal(fingerprint(dir), before);
});

test('returns the added, updated and removed files, and publishes the complete new generation', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ keep: '1', change: '1', remove: '1', 'nested/remove': '1' }));
  const next = snapshot({ keep: '1', change: '2', add: '2', 'nested/add': '2' });
  assert.equal(await publishOnce(dir, next), {
    kind: 'changed',
    added: ['add', 'nested/add'],
    updated: ['change'],
    removed: ['nested/remove', 'remove'],
  });
  assert.equal(shown(dir), { add: '2', change: '2', keep: '1', 'nested/add': '2' });
  assert.equal(leftovers(dir), []);
});

test('..data contains only the files, even while a notification is pending', async () => {
  const dir = scratch();
  const directory = await open(dir);
  for (const a of ['1', '2']) await directory.publish(snapshot({ a, 'b/..pending': a }));
  assert.equal(readdirSync(join(dir, '..data'), { recursive: true }).sort(), ['a', 'b', 'b/..pending']);
  assert.equal(directory.pendingNotification(), ['a', 'b/..pending']);
  directory.clearPendingNotification();
  await directory.end();
  assert.equal(leftovers(dir), []);
});

test('compares contents to the last byte, even beyond the first chunk', async () => {
  for (const size of [1, 4096, 65_535, 65_536, 65_537, 200_000]) {
    const dir = scratch();
    const text = 'x'.repeat(size);
    for (const next of [text, `${text.slice(1)}y`, `${text}y`, text.slice(1)]) {
      assert.is((await publishOnce(dir, snapshot({ a: next }))).kind, 'changed', `${size}`);
      assert.equal(await publishOnce(dir, snapshot({ a: next })), { kind: 'unchanged' }, `${size}`);
      assert.is(readFileSync(join(dir, 'a'), 'utf8'), next);
    }
  }
});

test('writes bytes that are not text unchanged', async () => {
  const dir = scratch();
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const [file] = snapshot({ bin: '' }).files;
  assert.ok(file);
  await publishOnce(dir, { files: [{ ...file, content: new Secret(bytes) }] });
  assert.equal(new Uint8Array(readFileSync(join(dir, 'bin'))), bytes);
});

test('a change of the mode alone is a change', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: ['x', 0o644], b: 'x' }));
  const change = await publishOnce(dir, snapshot({ a: ['x', 0o440], b: 'x' }));
  assert.equal(change, { kind: 'changed', added: [], updated: ['a'], removed: [] });
  assert.is(modeOf(join(dir, 'a')), 0o440);
});

test('the umask does not affect modes, and other users may enter the directories', async () => {
  const dir = scratch();
  const before = process.umask(0o077);
  try {
    await publishOnce(join(dir, 'files'), snapshot({ 'a/b/c': ['x', 0o666] }));
  } finally {
    process.umask(before);
  }
  const target = join(dir, 'files');
  assert.is(modeOf(join(target, 'a/b/c')), 0o666);
  for (const path of ['..data', 'a', 'a/b', '.']) assert.is(modeOf(join(target, path)), 0o755, path);
});

test('accepts every valid name: spaces, unicode, newlines, 255 bytes', async () => {
  const dir = scratch();
  const long = 'é'.repeat(127);
  const files = {
    'two words': '1',
    'ключ-🔑': '2',
    'new\nline': '3',
    [long]: '4',
    '-rf': '5',
    '.hidden': '6',
    'a..b': '7',
  };
  const nested = Object.fromEntries(Object.entries(files).map(([name, text]) => [`${long}x/${name}`, text]));
  await publishOnce(dir, snapshot({ ...files, ...nested }));
  assert.equal(shown(dir), Object.fromEntries(Object.entries({ ...files, ...nested }).sort()));
  assert.equal(await publishOnce(dir, snapshot({ ...files, ...nested })), { kind: 'unchanged' });
});

test('a file may become a directory, and a directory a file', async () => {
  const dir = scratch();
  for (const files of [
    { a: '1' },
    { 'a/b': '2' },
    { 'a/b/c': '3', 'a/d': '3' },
    { 'a/b': '4' },
    { a: '5' },
  ]) {
    await publishOnce(dir, snapshot(files));
    assert.equal(shown(dir), files);
    assert.equal(leftovers(dir), []);
  }
});

test('publishes a thousand files', async () => {
  const dir = scratch();
  const files = (text: string) =>
    Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${index % 2 ? 'n/' : ''}file-${index}`, text]),
    );
  await publishOnce(dir, snapshot(files('1')));
  assert.equal(await publishOnce(dir, snapshot(files('1'))), { kind: 'unchanged' });
  const change = await publishOnce(dir, snapshot({ ...files('1'), 'file-500': '2' }));
  assert.equal(change, { kind: 'changed', added: [], updated: ['file-500'], removed: [] });
  assert.is(Object.keys(shown(dir)).length, 1000);
});

test('a snapshot without files makes an empty generation, and is no change', async () => {
  const dir = scratch();
  assert.equal(await publishOnce(dir, snapshot({})), { kind: 'unchanged' });
  assert.equal(readdirSync(join(dir, '..data')), []);
  const before = fingerprint(dir);
  assert.equal(await publishOnce(dir, snapshot({})), { kind: 'unchanged' });
  assert.equal(fingerprint(dir), before);
});

for (const [what, make] of Object.entries({
  'a file': (path: string) => writeFileSync(path, 'theirs'),
  'a directory': (path: string) => mkdirSync(path),
  'a link elsewhere': (path: string) => symlinkSync('/nowhere', path),
  'a link to another name of podsecrets': (path: string) => symlinkSync('..data/other', path),
})) {
  test(`does not replace ${what} that another program created, and writes nothing`, async () => {
    const dir = scratch();
    await publishOnce(dir, snapshot({ other: '1' }));
    make(join(dir, 'theirs'));
    const before = fingerprint(dir);
    for (const path of ['theirs', 'theirs/below']) {
      const problem = await rejects(publishOnce(dir, snapshot({ other: '2', [path]: '2' })));
      assert.instance(problem, Problem);
      assert.is((problem as Problem).code, 'publish.directory');
      assert.is((problem as Problem).subject, join(dir, 'theirs'));
    }
    assert.equal(fingerprint(dir), before);
  });
}

test('keeps foreign names that do not conflict', async () => {
  const dir = scratch();
  writeFileSync(join(dir, 'theirs'), 'theirs');
  symlinkSync('/nowhere', join(dir, 'their-link'));
  mkdirSync(join(dir, '..their-directory'));
  await publishOnce(dir, snapshot({ a: '1' }));
  await publishOnce(dir, snapshot({ b: '1' }));
  assert.equal(
    readdirSync(dir).filter((name) => name.includes('their')),
    ['..their-directory', 'their-link', 'theirs'],
  );
});

test('rejects a ..data that podsecrets did not create', async () => {
  for (const make of [
    (path: string) => mkdirSync(path),
    (path: string) => symlinkSync('elsewhere', path),
    (path: string) => writeFileSync(path, ''),
  ]) {
    const dir = scratch();
    make(join(dir, '..data'));
    const problem = await rejects(publishOnce(dir, snapshot({ a: '1' })));
    assert.is((problem as Problem).code, 'publish.directory');
    assert.is((problem as Problem).subject, join(dir, '..data'));
  }
});

test('repairs damage to a link, a value, a mode, a file, or the generation itself', async () => {
  const files = { a: '1', 'b/c': '1', d: '1' };
  const current = (dir: string) => join(dir, readlinkSync(join(dir, '..data')));
  const damages: Readonly<
    Record<string, [damage: (dir: string) => void, added: string[], updated: string[]]>
  > = {
    'a link removed': [(dir) => unlinkSync(join(dir, 'a')), ['a'], []],
    'a value overwritten': [(dir) => writeFileSync(join(dir, 'b/c'), '2'), [], ['b/c']],
    'a mode changed': [(dir) => chmodSync(join(dir, 'd'), 0o4755), [], ['d']],
    'a file removed': [(dir) => unlinkSync(join(current(dir), 'a')), ['a'], []],
    'the generation removed': [(dir) => rmSync(current(dir), { recursive: true }), ['a', 'b/c', 'd'], []],
    'the link to the generation removed': [(dir) => unlinkSync(join(dir, '..data')), ['a', 'b/c', 'd'], []],
    'a file replaced by a link to the same value': [
      (dir) => {
        unlinkSync(join(current(dir), 'a'));
        writeFileSync(join(dir, 'copy'), '1');
        symlinkSync('../copy', join(current(dir), 'a'));
      },
      [],
      ['a'],
    ],
  };
  for (const [what, [damage, added, updated]] of Object.entries(damages)) {
    const dir = scratch();
    await publishOnce(dir, snapshot(files));
    damage(dir);
    const change = await publishOnce(dir, snapshot(files));
    assert.equal(change, { kind: 'changed', added, updated, removed: [] }, what);
    for (const name of ['a', 'b', 'd']) assert.ok(lstatSync(join(dir, name)).isSymbolicLink(), what);
    assert.equal({ ...shown(dir), copy: '1' }, { ...files, copy: '1' }, what);
    assert.is(modeOf(join(dir, 'd')), 0o644);
    assert.equal(leftovers(dir), [], what);
  }
});

if (isAllowed('files of another owner', ['chown', '1000:2000', scratch()])) {
  test('the owner is set on the files, and a change of the owner alone is a change', async () => {
    const dir = scratch();
    const files = snapshot({ a: ['x', 0o400], 'b/c': 'x' });
    await publishOnce(dir, files, { owner: { uid: 1000, gid: 2000 } });
    assert.equal(await publishOnce(dir, files, { owner: { uid: 1000, gid: 2000 } }), { kind: 'unchanged' });
    assert.equal(await publishOnce(dir, files), { kind: 'unchanged' });
    const change = await publishOnce(dir, files, { owner: { uid: 1000, gid: 2001 } });
    assert.equal(change, { kind: 'changed', added: [], updated: ['a', 'b/c'], removed: [] });
    for (const path of ['a', 'b/c']) {
      const { uid, gid } = statSync(join(dir, path));
      assert.equal([uid, gid], [1000, 2001]);
    }
    assert.is(modeOf(join(dir, 'a')), 0o400);
  });
}

test('files that take more than half of the volume are published with a warning, because a change to them would not fit', async () => {
  const dir = scratch();
  for (const [pages, blocks, warns] of [
    [2, 4, false],
    [3, 4, true],
    // A tmpfs without a size.
    [3, 0, false],
  ] as const) {
    const statfsSync = (path: string) => ({ ...fs.statfsSync(path), bsize: 4096, blocks, bavail: 1000 });
    const volume = { ...fs, statfsSync: statfsSync as unknown as typeof fs.statfsSync };
    const directory = await open(dir, { fs: volume });
    const { warning } = await directory.published(snapshot({ a: 'x'.repeat(pages * 4096) }));
    assert.is(warning?.code, warns ? 'publish.space' : undefined);
    if (warns) assert.match(warning?.message ?? '', 'the files take 12Ki of a volume of 16Ki');
    assert.is(shown(dir).a?.length, pages * 4096);
    await directory.end();
  }
});

test('so are files that take more than half of the inodes', async () => {
  // Two generations, each with its pending file, the link to it, a subdirectory and two files; two links; five others.
  for (const [files, warns] of [
    [19, false],
    [18, true],
  ] as const) {
    const statfsSync = (path: string) => ({ ...fs.statfsSync(path), files, ffree: files });
    const volume = { ...fs, statfsSync: statfsSync as unknown as typeof fs.statfsSync };
    const directory = await open(scratch(), { fs: volume });
    const { warning } = await directory.published(snapshot({ a: '1', 'b/c': '2' }));
    assert.is(warning?.code, warns ? 'publish.space' : undefined);
    if (warns) {
      assert.match(
        warning?.message ?? '',
        'the files take 8 inodes of a volume with 18: a change to them cannot be published',
      );
      assert.match(warning?.remedy ?? '', 'at least 19');
    }
    await directory.end();
  }
});

test.run();
