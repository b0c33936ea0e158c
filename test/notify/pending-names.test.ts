import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FilePath } from '../../src/core/file-path.ts';
import { Secret } from '../../src/core/secret.ts';
import { changedPaths, changeToNotify, mergeChanges, notifyBackoff } from '../../src/notify/pending-names.ts';
import type { Change, Changed, Snapshot } from '../../src/publish/snapshot.ts';

const test = suite('notifying');

function changed(added: string[] = [], updated: string[] = [], removed: string[] = []): Changed {
  return {
    kind: 'changed',
    added: added as FilePath[],
    updated: updated as FilePath[],
    removed: removed as FilePath[],
  };
}

function published(...paths: string[]): Snapshot {
  return { files: paths.map((path) => ({ path: path as FilePath, mode: 0o644, content: new Secret('s') })) };
}

const merges: readonly (readonly [string, Changed, Changed, Changed])[] = [
  ['updated twice is updated', changed([], ['a']), changed([], ['a']), changed([], ['a'])],
  ['added, then updated is added', changed(['a']), changed([], ['a']), changed(['a'])],
  ['added, then removed is removed', changed(['a']), changed([], [], ['a']), changed([], [], ['a'])],
  ['updated, then removed is removed', changed([], ['a']), changed([], [], ['a']), changed([], [], ['a'])],
  ['removed, then added is updated', changed([], [], ['a']), changed(['a']), changed([], ['a'])],
  ['other files stay', changed(['a'], ['b']), changed(['c'], [], ['d']), changed(['a', 'c'], ['b'], ['d'])],
];
for (const [name, earlier, later, merged] of merges) {
  test(`merged: ${name}`, () => assert.equal(mergeChanges(earlier, later), merged));
}

test('the files of a change are sorted by name, each once', () => {
  assert.equal(changedPaths(changed(['c'], ['a'], ['b'])), ['a', 'b', 'c']);
});

const same: Change = { kind: 'same' };
const publishes: readonly (readonly [string, Change, boolean, boolean, Changed | undefined])[] = [
  ['the first set in an empty directory is told to nobody', changed(['a', 'b']), false, false, undefined],
  ['unless it is asked for', changed(['a', 'b']), false, true, changed(['a', 'b'])],
  ['a change of another set is told', changed([], ['a']), true, false, changed([], ['a'])],
  ['also when that set had no file', changed(['a', 'b']), true, false, changed(['a', 'b'])],
  ['nothing changed tells nobody', same, true, false, undefined],
  ['unless it is asked for, with every file', same, true, true, changed([], ['a', 'b'])],
];
for (const [name, change, replaces, always, expected] of publishes) {
  test(name, () => assert.equal(changeToNotify(change, published('a', 'b'), replaces, always), expected));
}

test('waits grow from a second to a minute, and never become none', () => {
  assert.equal(
    [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => notifyBackoff(failures, 0, undefined)),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
  );
  assert.is(notifyBackoff(1, 0.999, undefined), 1999);
  assert.ok(notifyBackoff(2000, 0.9999, undefined) <= 60_000);
});

test('the other side may ask for a longer wait, but not for more than a minute', () => {
  assert.is(notifyBackoff(1, 0, 5000), 5000);
  assert.is(notifyBackoff(9, 0, 5000), 30_000);
  assert.is(notifyBackoff(1, 0, 3_600_000), 60_000);
});

test.run();
