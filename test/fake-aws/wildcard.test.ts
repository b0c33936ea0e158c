import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matches } from './wildcard.ts';

const test = suite('wildcards');

test('* matches any text, ? one character, and all else itself', () => {
  const good = [
    ['*', ''],
    ['ssm:GetParameter*', 'ssm:GetParameters'],
    ['db/?', 'db/a'],
    ['a.b(c)', 'a.b(c)'],
    ['*:secret:db/*-?????', 'arn:aws:secret:db/x-12345'],
  ] as const;
  const bad = [
    ['a.b', 'axb'],
    ['db/?', 'db/'],
    ['db/?', 'db/ab'],
    ['ssm:*', 'my-ssm:x'],
    ['db', 'db/a'],
  ] as const;
  for (const [pattern, text] of good) assert.ok(matches(pattern, text), `${pattern} ${text}`);
  for (const [pattern, text] of bad) assert.not.ok(matches(pattern, text), `${pattern} ${text}`);
});

test.run();
