/** The rule by which tests judge what an application may open. */

import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mayFollow, refusedLinks } from './protected-symlinks.ts';
import { scratch } from './scratch.ts';

const test = suite('protected symlinks');

test('rejects only a link of another owner in a sticky, world-writable directory', () => {
  for (const [reader, link, uid, mode, follows] of [
    [1000, 65_532, 0, 0o1777, false],
    [0, 65_532, 0, 0o1777, false],
    [65_532, 65_532, 0, 0o1777, true],
    [1000, 65_532, 65_532, 0o1777, true],
    [1000, 65_532, 0, 0o0777, true],
    [1000, 65_532, 0, 0o1775, true],
    [1000, 65_532, 0, 0o0755, true],
  ] as const)
    assert.is(
      mayFollow({ reader, link: { uid: link }, directory: { uid, mode: 0o040_000 | mode } }),
      follows,
      `${reader} ${link} ${uid} ${mode.toString(8)}`,
    );
});

test('checks every link below a directory', () => {
  const dir = scratch();
  const me = process.getuid?.() ?? 0;
  mkdirSync(join(dir, 'sub'));
  writeFileSync(join(dir, 'file'), '');
  symlinkSync('file', join(dir, 'one'));
  symlinkSync('nowhere', join(dir, 'sub/two'));
  assert.equal(refusedLinks(dir, me + 1), []);
  if (me !== 0) return;
  for (const folder of [dir, join(dir, 'sub')]) chmodSync(folder, 0o1777);
  assert.equal(refusedLinks(dir, 1), [], 'links of the owner of the directory');
  for (const link of ['one', 'sub/two']) lchownSync(join(dir, link), 65_532, 65_532);
  assert.equal(refusedLinks(dir, 1).toSorted(), [join(dir, 'one'), join(dir, 'sub/two')]);
  assert.equal(refusedLinks(dir, 65_532), []);
});

test.run();
