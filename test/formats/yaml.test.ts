/** Structure: what counts, what is rejected, and in which line. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseYaml } from '../../src/formats/yaml.ts';
import type { YamlValue } from '../../src/formats/yaml-values.ts';

/** The value as plain data: scalars as their text, null as null. */
function plain(value: YamlValue | undefined): unknown {
  switch (value?.kind) {
    case undefined:
      return undefined;
    case 'null':
      return null;
    case 'scalar':
      return value.text;
    case 'list':
      return value.items.map(plain);
    case 'map':
      return Object.fromEntries(value.entries.map((entry) => [entry.key, plain(entry.value)]));
  }
}

const data = (text: string) => plain(parseYaml(text)[0]?.root);
const errors = (text: string) => parseYaml(text)[0]?.errors.map(({ line, message }) => `${line} ${message}`);

for (const [what, text, expected] of [
  ['nothing', '', undefined],
  ['a null document', '---\n---\na: b\n', null],
  [
    'quoted text is never a number',
    'a: "12"\nb: \'yes\'\nc: |\n  0x1F\n',
    { a: '12', b: 'yes', c: '0x1F\n' },
  ],
  ['the last of equal keys', '{a: 1, a: 2}', { a: '2' }],
  ['keys that are numbers or booleans', '{1.10: a, yes: b}', { 1.1: 'a', true: 'b' }],
  ['a flow map without values', '{a, b: }', { a: null, b: null }],
  ['an alias', 'a: &x [1]\nb: *x\n', { a: ['1'], b: ['1'] }],
  [
    'the last anchor of a name before the alias',
    'a: &x 1\nb: *x\nc: &x 2\nd: *x\n',
    { a: '1', b: '1', c: '2', d: '2' },
  ],
  ['an alias as a key', 'a: &x k\n*x : v\n', { a: 'k', k: 'v' }],
  ['a merge', 'a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n', { a: { k: '1', l: '2' }, b: { k: '1', l: '3' } }],
  [
    'a merge after a key, which overwrites it',
    'a: &x {k: 1}\nb: {k: 2, <<: *x}\n',
    { a: { k: '1' }, b: { k: '1' } },
  ],
  [
    'a merge of several, the first of which counts most',
    'a: {<<: [{k: 1}, {k: 2, l: 3}]}',
    { a: { k: '1', l: '3' } },
  ],
  ['"<<" in quotes, which is a key', '{"<<": a}', { '<<': 'a' }],
  ['tags', 'a: !!str 12\nb: !!int "12"\nc: !!binary aGk=\n', { a: '12', b: '12', c: 'hi' }],
  ['a comment right after quotes', 'a: "b"#c\n', { a: 'b' }],
  ['old line breaks', 'a: b\rc: d\u0085e: f\n', { a: 'b', c: 'd', e: 'f' }],
  ['a byte order mark', '\ufeffa: b\n', { a: 'b' }],
  ['a block that ends with the text, without a line break', 'a: |\n  b\n  c', { a: 'b\nc' }],
  [
    'brackets that close below their key',
    'a:\n  b: [\n  {c: d},\n{e: f}\n  ]\n',
    { a: { b: [{ c: 'd' }, { e: 'f' }] } },
  ],
  ['quotes whose text goes back to the margin', 'a:\n  b: "c\nd"\n', { a: { b: 'c d' } }],
  ['a tab in brackets, which is white space', 'a: [b,\n\tc]\n', { a: ['b', 'c'] }],
  ['a tab after the column of its block, which is white space', 'a: b\n  \t\nc: d\n', { a: 'b', c: 'd' }],
] as const) {
  test(`reads ${what}`, () => assert.equal(data(text), expected));
}

for (const [what, text, expected] of [
  [
    'an alias without anchor',
    'a: 1\nb: *x\n',
    '2 expected the name of an anchor, got "x", which is not defined',
  ],
  [
    'an alias before its anchor',
    'a: *x\nb: &x 1\n',
    '1 expected the name of an anchor, got "x", which is not defined',
  ],
  [
    'an alias inside of itself',
    'a: &x [*x]\n',
    '1 expected an alias of another value, got one that contains itself',
  ],
  ['a null key', 'a: 1\n~: 2\n', '2 expected text as a key, got nothing'],
  ['a list as a key', '? [a]\n: b\n', '1 expected text as a key, got a list'],
  ['a merge of text', 'a: {<<: b}', '1 expected a map or a list of maps after "<<", got something else'],
  ['a tag that does not fit', 'a: !!int b\n', '1 expected a value of the tag !!int, got "b"'],
  ['a control character', 'a: b\nc: \u0001\n', '2 expected printable characters, got the character U+0001'],
  ['a tab that indents', 'a: b\n\t\nc: d\n', '2 expected spaces as indentation, got a tab'],
  [
    'a tab that indents a comment in a list',
    'a:\n  - "b"\n  \t# c\n  - d\n',
    '3 expected spaces as indentation, got a tab',
  ],
  ['a tab in the place of a block', 'a: |\n\tb: c\n', '2 expected spaces as indentation, got a tab'],
  ['a tab below a value', 'a: x\n \tb: y\n', '2 expected spaces as indentation, got a tab'],
  ['a tab below a block', 'a: |\n  b\n\tc: d\n', '3 expected spaces as indentation, got a tab'],
  ['a quote that is not closed', 'a: "b\nc: "d"\n', '1 expected a closing quote, got none'],
  ['another YAML', '%YAML 1.2\n---\na: b\n', '1 expected YAML 1.1, got a directive for 1.2'],
  ['half a surrogate pair', 'a: b\nc: "\\ud800"\n', '2 expected Unicode text, got half a surrogate pair'],
] as const) {
  test(`rejects ${what}`, () => assert.equal(errors(text), [expected]));
}

// The line of the mistake, the sentence, and the repair; one of each, however many tokens follow.
for (const [what, text, message, remedy] of [
  ['a tab', 'a:\n\tb: c\n', '2 expected spaces as indentation, got a tab', 'Replace the tab by spaces.'],
  [
    'a missing colon',
    'spec:\n  provider aws\n  parameters:\n    region: x\n',
    '2 expected a colon after the key, got "provider aws"',
    'Write provider: aws',
  ],
  [
    'a missing colon of a map',
    'spec:\n  provider: aws\n  parameters\n    region: x\n',
    '3 expected a colon after the key, got "parameters"',
    'Write parameters:',
  ],
  [
    'a missing space after the colon',
    'a: b\nc:d\n',
    '2 expected a space after the colon, got "c:d"',
    'Write c: d',
  ],
  [
    'a missing space after the colon of the first key of an entry',
    '- objectName:a\n  objectType: b\n',
    '1 expected a space after the colon, got "objectName:a"',
    'Write objectName: a',
  ],
  [
    'an equals sign in the place of a colon',
    'a: b\nc = "d"\n',
    '2 expected a colon after the key, got "c = \\"d\\""',
    'Write c: "d"',
  ],
  [
    'a value that ends with a colon',
    '- objectName: arn:aws:a:b:c:secret:d:key::\n  objectAlias: b\n',
    '1 expected a value in quotes, got "arn:aws:a:b:c:secret:d:key::"',
    'Put the value in quotes: it ends with a colon.',
  ],
  [
    'a no-break space that indents',
    '- objectName: a\n \u00a0objectType: b\n',
    '2 expected spaces as indentation, got the character U+00A0, which looks like a space',
    'Replace it by a space.',
  ],
  [
    "a conflict marker of Git's",
    'a: b\n<<<<<<< HEAD\nc: d\n=======\nc: e\n>>>>>>> other\n',
    '2 expected YAML, got the conflict marker "<<<<<<< HEAD" of Git',
    'Resolve the conflict.',
  ],
  [
    'a missing space after the dash',
    '- a: b\n-c: d\n  e: f\n',
    '2 expected a space after the dash, got "-c: d"',
    'Write - c: d',
  ],
  [
    'a key one column too deep',
    '- objectName: a\n   objectType: b\n',
    '2 expected the key "objectType" aligned with the other keys of its map, got another indent',
    'Indent it by as many spaces as the other keys.',
  ],
  [
    'a key that is not deep enough',
    '- objectName: a\n objectType: b\n  x: y\n',
    '2 expected the key "objectType" aligned with the other keys of its map, got another indent',
    'Indent it by as many spaces as the other keys.',
  ],
  [
    'a key between two columns',
    'spec:\n    provider: aws\n  parameters:\n    region: x\n',
    '3 expected the key "parameters" aligned with the other keys of its map, got another indent',
    'Indent it by as many spaces as the other keys.',
  ],
  [
    'a missing indent below a block',
    'parameters:\n    objects: |\n    - a: b\n      c: d\n    - e: f\n    - g: h\n',
    '3 expected the text of objects indented deeper than its key, got it at column 5',
    'Indent this line, and what follows, by at least 6 spaces.',
  ],
  [
    'a list in the place of a key',
    'a: b\n- c\n',
    '2 expected a key, got the list entry "- c"',
    'Write the key of the list above it, or correct the indent.',
  ],
  [
    'two colons in a value',
    'a: b: c\n',
    '1 expected a value in quotes, got "b: c"',
    'Put the value in quotes: it has a colon.',
  ],
  [
    'a value that begins with @',
    'a: b\nc: @d\n',
    '2 expected a value in quotes, got "@d"',
    'Put it in quotes: a plain value cannot begin with @.',
  ],
  [
    'an open bracket',
    'a: [b\nc: d\n',
    '2 expected "]", got none',
    'Close the bracket that was opened above.',
  ],
  [
    'text after a quote',
    'a: "b" c\n',
    '1 expected nothing after the closing quote, got "a: \\"b\\" c"',
    'Put the whole value in one pair of quotes.',
  ],
  [
    'text after the header of a block',
    'a: |x\n b\n',
    '1 expected the end of the line after | or >, got "a: |x"',
    'Begin the text on the next line.',
  ],
  [
    'anything else',
    'a: &a &b c\n',
    '1 expected YAML, got "a: &a &b c"',
    'Correct this line or the one above it: a quote, bracket or indent is wrong.',
  ],
] as const) {
  test(`explains ${what} in one sentence with its line and repair`, () => {
    assert.equal(errors(text), [message]);
    assert.is(parseYaml(text)[0]?.errors[0]?.remedy, remedy);
  });
}

test('reads all documents with content and their lines, also if one of them has an error', () => {
  const lines = (text: string) => parseYaml(text).map(({ line, errors }) => `${line} ${errors.length}`);
  assert.equal(lines('a: b\n---\nc: d\n'), ['1 0', '2 0']);
  assert.equal(lines('a: b\n---\n---\nc: ['), ['1 0', '3 1']);
  assert.equal(lines('a: b\n---\nc: *x\n---\nd: e\n'), ['1 0', '2 1', '4 0']);
  for (const nothing of ['...\n', '---\n', '---', '--- # nothing\n---\n'])
    assert.is(parseYaml(`a: b\n${nothing}`).length, 1);
});

test('counts one expansion for an alias, and one for each alias in its target', () => {
  const nested = (copies: number) => `a: &a 1\nb: &b [*a, *a]\nc: [${'*b, '.repeat(copies)}]\n`;
  // Two for b itself, and three for each copy of it.
  assert.equal(errors(nested(32)), []);
  assert.equal(errors(nested(33)), ['1 expected at most 100 expansions of aliases, got more']);
});

for (const [what, text, line] of [
  ['in a block', 'a: |\n  x: 1\n  y: *z\n', 3],
  ['below lines that are empty', 'a: |\n\n  # c\n\n  y: *z\n', 5],
  ['where a tab indents', 'a: |\n  x: 1\n  \ty: 2\n', 3],
  ['where a line is only a tab', 'a: |\n  x: 1\n\n  \t\n  y: 2\n', 4],
  ['at the end', 'a: |\n  x: 1\n  y: "z\n', 3],
  ['in a folded block', 'a: >\n  [x,\n  *z]\n', 3],
  ['in quotes', 'a: "[x,\n  *z]"\n', 2],
] as const) {
  test(`maps lines of text inside of text to lines of the file ${what}`, () => {
    const root = parseYaml(text)[0]?.root;
    const inner = root?.kind === 'map' ? root.entries[0]?.value : undefined;
    if (inner?.kind !== 'scalar') throw new Error('expected text in text');
    assert.is(parseYaml(inner.text, inner.lineAt)[0]?.errors[0]?.line, line);
  });
}

test.run();
