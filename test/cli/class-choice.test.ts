import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classChoice } from '../../src/cli/values.ts';

const choices: readonly (readonly [string, string, string | undefined])[] = [
  ['classes.yaml', 'classes.yaml', undefined],
  ['classes.yaml#shop', 'classes.yaml', 'shop'],
  ['/etc/a#b/classes.yaml#shop.v2-x', '/etc/a#b/classes.yaml', 'shop.v2-x'],
  ['/etc/a#b/classes_v1.yaml', '/etc/a#b/classes_v1.yaml', undefined],
  ['classes.yaml#', 'classes.yaml#', undefined],
  ['#shop', '#shop', undefined],
];

for (const [text, path, className] of choices)
  test(`${text} is ${className === undefined ? 'a path' : `the class ${className} of ${path}`}`, () =>
    assert.equal(classChoice(text), { path, className }));

test.run();
