import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { usesColour } from '../../src/commands/logging.ts';
import { writeReport } from '../../src/commands/terminal.ts';

const terminal = { isTerminal: true, columns: 20 };
const pipe = { isTerminal: false, columns: Number.POSITIVE_INFINITY };

async function written(text: string, output: typeof terminal, env = {}): Promise<string> {
  let all = '';
  await writeReport({ env, stdout: { ...output, write: (part) => (all += part) } }, text);
  return all;
}

test('a terminal has colours, unless NO_COLOR or TERM=dumb turn them off; FORCE_COLOR decides first', () => {
  assert.is(usesColour({}, terminal), true);
  assert.is(usesColour({}, pipe), false);
  assert.is(usesColour({ NO_COLOR: '1' }, terminal), false);
  assert.is(usesColour({ NO_COLOR: '' }, terminal), true);
  assert.is(usesColour({ TERM: 'dumb' }, terminal), false);
  assert.is(usesColour({ FORCE_COLOR: '1', NO_COLOR: '1' }, pipe), true);
  assert.is(usesColour({ FORCE_COLOR: '' }, pipe), true);
  assert.is(usesColour({ FORCE_COLOR: '0' }, terminal), false);
  assert.is(usesColour({ FORCE_COLOR: 'false' }, terminal), false);
});

test('a report is wrapped on a terminal, and unchanged in a pipe', async () => {
  const text = '  FAIL  one two three four\n';
  assert.is(await written(text, pipe), text);
  assert.is(await written(text, terminal, { NO_COLOR: '1' }), '  FAIL  one two\n        three four\n');
});

test('colours distinguish successes, warnings and errors', async () => {
  const coloured = (line: string) => written(line, pipe, { FORCE_COLOR: '1' });
  const [bold, red, green, yellow] = [
    ['\x1b[1m', '\x1b[22m'],
    ['\x1b[31m', '\x1b[39m'],
    ['\x1b[32m', '\x1b[39m'],
    ['\x1b[33m', '\x1b[39m'],
  ];
  for (const [line, word, [on, off] = []] of [
    ['FILE  MODE', 'FILE  MODE', bold],
    ['  FILE db/password', 'FILE ', bold],
    ['  ok    token', 'ok', green],
    ['All checks passed.', 'All checks passed.', green],
    ['podsecrets 1.2.3: ready, up 3h', 'ready', green],
    ['podsecrets 1.2.3: not ready, up 3h', 'not ready', yellow],
    ['  warn  config', 'warn', yellow],
    ['warning: objects[1]', 'warning', yellow],
    ['  invalid configuration, still using the previous version:', 'invalid configuration', yellow],
    ['  FAIL  directory', 'FAIL', red],
    ['  failed 0s ago:', 'failed', red],
    ['  Wait. [fetch.throttled]', '[fetch.throttled]', red],
    ['2 problems; exit code 5.', '2 problems; exit code 5.', red],
    ['        fix: Wait.', 'fix:', bold],
  ] as const)
    assert.is(await coloured(line), line.replace(word, `${on}${word}${off}`));
  assert.is(await coloured('okay to go'), 'okay to go');
});

test.run();
