import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  findByName,
  hasOwnPidNamespace,
  isReused,
  isSelfOrDescendant,
  type ProcessEntry,
  type ProcessTable,
  parsePidFile,
  parseProcess,
} from '../../src/notify/process-matching.ts';

const test = suite('the process table');

/** A row of /proc/PID/stat as Linux 6 writes it; state, parent and start time are given. */
function stat(pid: number, name: string, state: string, parent: number, started: number): string {
  const before = `${pid} (${name}) ${state} ${parent} ${pid} ${pid} 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0`;
  return `${before} ${started} 2600960 200 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n`;
}

function tableOf(...rows: (Partial<ProcessEntry> & { pid: number })[]): ProcessTable {
  return new Map(
    rows.map((row) => [
      row.pid,
      { parent: 0, name: 'app', program: '', zombie: false, started: 0, ...row } satisfies ProcessEntry,
    ]),
  );
}

const pidsFor = (table: ProcessTable, name: string, self = 99): readonly number[] =>
  findByName(table, name, self).map((process) => process.pid);

test('parses the text of the kernel', () => {
  assert.equal(parseProcess(stat(42, 'nginx', 'S', 7, 123_456), 'nginx: master process\0-g\0'), {
    pid: 42,
    parent: 7,
    name: 'nginx',
    program: 'nginx: master process',
    zombie: false,
    started: 123_456,
  });
});

test('a name may contain spaces and parentheses', () => {
  const entry = parseProcess(stat(42, 'a) S 1 (b', 'Z', 7, 5), '');
  assert.is(entry?.name, 'a) S 1 (b');
  assert.is(entry?.parent, 7);
  assert.is(entry?.zombie, true);
});

test('ignores a text that the kernel never writes', () => {
  for (const text of ['', '42', '42 (x', '42 (x)', 'x (y) S 1', ') 1 (', '42 (x) S y']) {
    assert.is(parseProcess(text, ''), undefined, text);
  }
});

for (const [text, pid] of [
  ['42', 42],
  ['42\n', 42],
  ['  42 \r\n', 42],
  ['42\n/data\n5432\n', 42],
  ['4194304\n', 4_194_304],
  ['1', 1],
] as const) {
  test(`a pid file may contain ${JSON.stringify(text)}`, () => assert.is(parsePidFile(text), pid));
}

for (const text of [
  '',
  '\n',
  '\n42',
  '0',
  '-1',
  '-42',
  '+42',
  '42 43',
  '4194305',
  '0x2a',
  '4e1',
  '{"pid":42}',
]) {
  test(`rejects the pid file ${JSON.stringify(text)}`, () => assert.is(parsePidFile(text), undefined));
}

test('finds a process by its kernel name and by the name of its program', () => {
  const table = tableOf(
    { pid: 2, name: 'nginx', program: 'nginx: master process' },
    { pid: 3, name: 'MainThread', program: '/usr/bin/node' },
    { pid: 4, name: 'run.sh', program: '/bin/sh' },
  );
  assert.equal(pidsFor(table, 'nginx'), [2]);
  assert.equal(pidsFor(table, 'node'), [3]);
  assert.equal(pidsFor(table, '/usr/bin/node'), [3]);
  assert.equal(pidsFor(table, 'run.sh'), [4]);
  assert.equal(pidsFor(table, 'ngin'), []);
});

test('compares a long name as the kernel truncates it, unless argv[0] shows another name', () => {
  const table = tableOf(
    { pid: 2, name: 'secret-consumer', program: '/app/secret-consumer-a' },
    { pid: 3, name: 'secret-consumer', program: '/app/secret-consumer-b' },
    { pid: 4, name: 'secret-consumer', program: 'serving 12 clients' },
  );
  assert.equal(pidsFor(table, 'secret-consumer-a'), [2, 4]);
});

test('truncates a long name after 15 bytes, not characters', () => {
  assert.equal(pidsFor(tableOf({ pid: 2, name: `${'ä'.repeat(7)}\ufffd` }), 'ääääääää'), [2]);
});

test('signals a master but not its workers, and both of two masters', () => {
  const table = tableOf(
    { pid: 10 },
    { pid: 11, parent: 10 },
    { pid: 12, parent: 11 },
    { pid: 20, parent: 1 },
    { pid: 21, parent: 20 },
  );
  assert.equal(pidsFor(table, 'app'), [10, 20]);
});

test('never signals itself or its descendants, even if they have the name', () => {
  const table = tableOf(
    { pid: 9 },
    { pid: 10, parent: 9 },
    { pid: 11, parent: 10, name: 'sh' },
    { pid: 12, parent: 11 },
  );
  assert.equal(pidsFor(table, 'app', 10), [9]);
  assert.ok(isSelfOrDescendant(table, 12, 10));
  assert.not(isSelfOrDescendant(table, 9, 10));
});

test('does not signal a zombie', () => {
  assert.equal(pidsFor(tableOf({ pid: 2, zombie: true }), 'app'), []);
});

test('has its own PID namespace if process 1 is itself or an ancestor', () => {
  assert.ok(hasOwnPidNamespace(tableOf({ pid: 1 }), 1));
  assert.ok(hasOwnPidNamespace(tableOf({ pid: 1, name: 'tini' }, { pid: 7, parent: 1 }), 7));
  assert.not(hasOwnPidNamespace(tableOf({ pid: 1, name: 'pause' }, { pid: 7, parent: 0 }), 7));
});

test('a cycle of parents does not hang: a table that changes while it is read can contain one', () => {
  assert.not(isSelfOrDescendant(tableOf({ pid: 2, parent: 3 }, { pid: 3, parent: 2 }), 2, 99));
});

test('a pid is reused if its process started well after the pid file was written', () => {
  const boot = Date.UTC(2026, 0, 1);
  const at = (seconds: number): ProcessEntry => ({
    ...(tableOf({ pid: 2 }).get(2) as ProcessEntry),
    started: seconds * 100,
  });
  assert.not(isReused(at(50), boot, boot + 50_000));
  assert.not(isReused(at(59), boot, boot + 50_000), 'the wall clock may have been set a little');
  assert.ok(isReused(at(61), boot, boot + 50_000));
  assert.not(isReused(at(0), boot, boot), 'unknown');
});

test.run();
