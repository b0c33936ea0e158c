import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EventName, events } from '../../src/core/events.ts';

const src = join(import.meta.dirname, '..', '..', 'src');

/** Every line that the code can write: level and event, with the file that writes it. */
const written = globSync('**/*.ts', { cwd: src }).flatMap((file) =>
  [
    ...readFileSync(join(src, file), 'utf8').matchAll(
      /\.?(?:write|problem)\(\s*'(debug|info|warn|error)',\s*'([\w.]+)'/g,
    ),
  ].map(([, level = '', event = '']) => ({ file, level, event })),
);

test('every event that is written is in the table, at its level', () => {
  const strange = written.filter(({ level, event }) => events[event as EventName]?.level !== level);
  assert.equal(strange, []);
});

test('every event in the table is written somewhere', () => {
  const names = new Set(written.map(({ event }) => event));
  assert.equal(
    Object.keys(events).filter((name) => !names.has(name)),
    [],
  );
});

test.run();
