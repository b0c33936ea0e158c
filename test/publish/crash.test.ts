/**
 * For every operation of a publish, in turn: it fails, or the process is killed in the middle of it. In every case a reader
 * sees either the old or the new set of files, and the next publish leaves the new one and no leftovers.
 */

import { symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import type { Snapshot } from '../../src/publish/snapshot.ts';
import { leftovers, open, publishOnce, shown, shownInData, snapshot } from '../support/directory.ts';
import { faultInjectingFs } from '../support/fault-injecting-fs.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('a publish that fails at any step');

interface Scene {
  readonly name: string;
  readonly old: Snapshot | undefined;
  readonly next: Snapshot;
  /** What happened to the directory between the two. */
  readonly meanwhile?: (dir: string) => void;
}

const old = snapshot({
  changed: 'old',
  same: 'same',
  gone: 'old',
  turning: 'old',
  'deep/er/one': 'old',
  'both/file': 'old',
});
const next = snapshot({
  changed: 'new',
  same: 'same',
  added: 'new',
  'turning/into/a/directory': 'new',
  'deep/er/one': 'new',
  'deep/two': 'new',
  both: 'new',
});

const scenes: readonly Scene[] = [
  { name: 'the first generation', old: undefined, next },
  { name: 'files added, changed, removed, turned into directories and back', old, next },
  { name: 'the last file removed', old, next: snapshot({}) },
  {
    name: 'over the leftovers of a crash',
    old,
    next,
    meanwhile: (dir) => {
      symlinkSync('..2020_01_01_00_00_00.aaaaaa', join(dir, '..data_tmp'));
      symlinkSync('..data/never-published', join(dir, 'never-published'));
    },
  },
  { name: 'a link restored', old, next: old, meanwhile: (dir) => unlinkSync(join(dir, 'same')) },
];

for (const scene of scenes) {
  const texts = (of: Snapshot | undefined) =>
    Object.fromEntries(
      (of?.files ?? []).map((file) => [file.path, Buffer.from(file.content.reveal()).toString()]).sort(),
    );
  const oldTexts = texts(scene.old);
  const newTexts = texts(scene.next);

  /** A directory with the old generation in it, opened on a file system that injects faults. */
  const staged = async () => {
    const dir = scratch();
    if (scene.old !== undefined) await publishOnce(dir, scene.old);
    scene.meanwhile?.(dir);
    // What is visible before the publish: in one scene it is less than the old generation.
    const before = shown(dir);
    const faulty = faultInjectingFs();
    return { dir, before, faulty, directory: await open(dir, { fs: faulty.fs }) };
  };

  const countOperations = async () => {
    const { faulty, directory } = await staged();
    faulty.arm({ kind: 'none' });
    await directory.publish(scene.next);
    const { length } = faulty.operations;
    await directory.end();
    return length;
  };

  const isShown = (dir: string, before: Readonly<Record<string, string>>, point: string) => {
    const now = JSON.stringify(shown(dir));
    // A link that is made again before the rename shows one whole old value before the new one.
    const whole = [before, oldTexts, newTexts].map((set) => JSON.stringify(set));
    assert.ok(whole.includes(now), `${point}: a reader sees ${now}`);
    const data = JSON.stringify(shownInData(dir));
    assert.ok(whole.includes(data), `${point}: in ..data a reader sees ${data}`);
  };

  /** Killed between the publish and the notification: only then does the next process find pending names. */
  const isRemembered = async (dir: string, point: string) => {
    if (scene.next === scene.old) return;
    const published = JSON.stringify(shownInData(dir)) === JSON.stringify(newTexts);
    const successor = await open(dir);
    assert.is(successor.pendingNotification().length > 0, published, point);
    const change = await successor.publish(scene.next);
    assert.is(change.kind, published ? 'unchanged' : 'changed', point);
    assert.is(successor.pendingNotification().length > 0, true, point);
    await successor.end();
  };

  const converges = async (dir: string, point: string) => {
    await publishOnce(dir, scene.next);
    assert.equal(shown(dir), newTexts, point);
    assert.equal(shownInData(dir), newTexts, point);
    assert.equal(leftovers(dir), [], point);
  };

  test(`${scene.name}: the process is killed in any operation`, async () => {
    const count = await countOperations();
    assert.ok(count > 10);
    for (let at = 1; at <= count; at++) {
      const { dir, before, faulty, directory } = await staged();
      faulty.arm({ kind: 'crash', at });
      await directory.publish(scene.next).catch(() => undefined);
      const point = `died in ${faulty.operations[at - 1]}`;
      isShown(dir, before, point);
      // The kernel would release the lock; pending removals end with the process.
      await directory.end();
      isShown(dir, before, point);
      await isRemembered(dir, point);
      await converges(dir, point);
    }
  });

  test(`${scene.name}: any operation fails`, async () => {
    const count = await countOperations();
    for (let at = 1; at <= count; at++) {
      const { dir, before, faulty, directory } = await staged();
      faulty.arm({ kind: 'error', at, code: 'EIO' });
      const outcome = await directory.publish(scene.next).catch((error: unknown) => error);
      const operation = faulty.operations[at - 1];
      const point = `failed in ${operation}`;
      faulty.arm({ kind: 'none' });

      const flipped =
        JSON.stringify(shownInData(dir)) === JSON.stringify(newTexts) && scene.old !== scene.next;
      if (outcome instanceof Problem) {
        assert.is(outcome.code, 'publish.write', point);
        isShown(dir, before, point);
        assert.not.ok(flipped, `${point}: a change was published but not reported`);
      } else {
        // A failure after the rename does not undo the publish.
        assert.is((outcome as { kind?: string }).kind, 'changed', `${point}: ${String(outcome)}`);
        assert.equal(shown(dir), newTexts, point);
      }
      await directory.publish(scene.next);
      assert.equal(shown(dir), newTexts, point);
      await directory.end();
      await converges(dir, point);
    }
  });
}

test('a failed write leaves nothing of the unpublished generation', async () => {
  const dir = scratch();
  await publishOnce(dir, old);
  const faulty = faultInjectingFs();
  const directory = await open(dir, { fs: faulty.fs });
  faulty.arm({ kind: 'none' });
  await directory.publish(old);
  const steps = faulty.operations.length;
  // Everything after the comparison: the new generation, its files, the links.
  for (let at = steps + 1; at < steps + 20; at++) {
    faulty.arm({ kind: 'error', at, code: 'ENOSPC' });
    const error = await directory.publish(next).catch((error: unknown) => error);
    assert.is((error as Problem).code, 'publish.write', faulty.operations[at - 1]);
    assert.equal(leftovers(dir), [], faulty.operations[at - 1]);
    assert.equal(shown(dir), shownInData(dir));
  }
  await directory.end();
});

test.run();
