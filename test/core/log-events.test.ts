import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type EventName, events, type LoggedEvent, problemFields } from '../../src/core/log-events.ts';

const test = suite('log events');
const root = join(import.meta.dirname, '../..');
const table: Readonly<Record<string, LoggedEvent>> = events;

/** Every call of a log in the sources: the words between its quotes. */
const calls = globSync('src/**/*.ts', { cwd: root }).flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const call = /\blog\.(write|problem)\(\s*'([^']+)'/g;
  return [...text.matchAll(call)].map(([, method = '', name = '']) => ({ file, method, name }));
});

test('every event that the sources write is in the table', () => {
  assert.ok(calls.length > 20);
  for (const { file, name } of calls)
    assert.ok(Object.hasOwn(table, name), `${file}: ${name} is not in the table`);
});

test('every event of the table is used', () => {
  const used = new Set(calls.map(({ name }) => name));
  assert.equal(
    (Object.keys(events) as EventName[]).filter((name) => !used.has(name)),
    [],
  );
});

test('only events about a problem have the fields of problems', () => {
  for (const { method, name } of calls) {
    const both = calls.some((other) => other.name === name && other.method !== method);
    if (both) continue;
    assert.is(table[name]?.fields.includes('code'), method === 'problem', name);
  }
});

test('no field has the name of a standard field', () => {
  for (const [name, { fields }] of Object.entries(table)) {
    assert.is(new Set(fields).size, fields.length, name);
    for (const field of fields) assert.not.ok(['time', 'level', 'event', 'message'].includes(field), name);
  }
  assert.equal([...problemFields], ['code', 'subject', 'remedy', 'file', 'line']);
});

test.run();
