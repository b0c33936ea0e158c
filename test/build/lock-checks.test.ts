import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { disableLockChecks } from '../../src/build/lock-checks.ts';

const original = readFileSync(process.execPath);

/** KiB of each anonymous writable mapping of a Node that has just started. */
function mappingsOf(node: string): readonly number[] {
  const script = "process.stdout.write(require('node:fs').readFileSync('/proc/self/maps'))";
  const maps = execFileSync(node, ['-e', script], { encoding: 'latin1' });
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *$/gm)].map(
    ([, from = '', to = '']) => (Number.parseInt(to, 16) - Number.parseInt(from, 16)) / 1024,
  );
}

/** The old and the new value of each byte that changed. */
function changedBytes(changed: Buffer): readonly (readonly [number, number])[] {
  const size = 64 * 1024;
  const pairs: [number, number][] = [];
  for (let from = 0; from < original.length; from += size) {
    const to = Math.min(from + size, original.length);
    if (original.compare(changed, from, to, from, to) === 0) continue;
    for (let at = from; at < to; at++) {
      const [old, now] = [original[at] ?? 0, changed[at] ?? 0];
      if (old !== now) pairs.push([old, now]);
    }
  }
  return pairs;
}

/** KiB of the graph: a hash table of 262,139 entries of 4 bytes, in pages of 64 KiB. */
const GRAPH = 1088;
const STARTS = 20;

test('only the mode of the search changes, and Node then allocates no graph of locks', () => {
  const changed = disableLockChecks(original);
  assert.equal(changedBytes(changed), [[2, 0]]);
  const place = mkdtempSync(join(tmpdir(), 'podsecrets-locks-'));
  try {
    const node = join(place, 'node');
    writeFileSync(node, changed, { mode: 0o755 });
    // The kernel may have joined the graph with another mapping: in every third start.
    const starts = Array.from({ length: STARTS });
    assert.ok(
      starts.some(() => mappingsOf(process.execPath).includes(GRAPH)),
      'Node needs this change',
    );
    assert.not.ok(starts.slice(0, 4).some(() => mappingsOf(node).includes(GRAPH)));
  } finally {
    rmSync(place, { recursive: true });
  }
});

test('an executable with another mode, without the variable or without symbols fails the build', () => {
  assert.throws(() => disableLockChecks(disableLockChecks(original)), /expected 2 as the value .*, got 0$/);
  const renamed = Buffer.from(original);
  for (let at = -1; ; ) {
    at = renamed.indexOf('synch_deadlock_detection', at + 1);
    if (at === -1) break;
    renamed.write('other', at);
  }
  assert.throws(() => disableLockChecks(renamed), /expected one variable .*, got 0$/);
  assert.throws(() => disableLockChecks(Buffer.alloc(64)), /no symbol table/);
});

test('the image strips Node of all symbols but the one that the build needs', () => {
  const root = join(import.meta.dirname, '../..');
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const source = readFileSync(join(root, 'src/build/lock-checks.ts'), 'utf8');
  const [, variable] = /const VARIABLE = '(\w+)'/.exec(source) ?? [];
  assert.match(dockerfile, `RUN strip --wildcard --keep-symbol='${variable}*' `);
});

test.run();
