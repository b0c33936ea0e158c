/** Writes new values into existing YAML: equal parts keep every byte, and the text parses to the new value. */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as yaml from 'yaml';
import { parseManifests } from '../../src/inject/yaml.ts';
import { applyEdits, editsFor } from '../../src/inject/yaml-edit.ts';

const { parse } = yaml;

function rewritten(source: string, after: unknown): string {
  const [document] = parseManifests(source, 'test');
  if (document === undefined) throw new Error('no document');
  return applyEdits(source, editsFor(source, document, after));
}

const pod = `# The shop.
kind: Pod   # three spaces
spec:
    containers:
    # the application
    -   name: app
        image: 'nginx'    # pinned below
        args: [ "-c",  '/etc/x' ]

    - {name: log, image: "log"}
    volumes:
    -   name: a
        csi:
            driver: x
            # inside
            readOnly: true
# the end
`;
const value = () => structuredClone(parse(pod)) as PodView;

interface PodView {
  kind: string;
  spec: { containers: Record<string, unknown>[]; volumes: unknown[] };
}

test('changes nothing if the value does not change', () => {
  assert.is(rewritten(pod, value()), pod);
});

test('puts a new key in the place of a removed one, and keeps the lines around it', () => {
  const after = value();
  after.spec.volumes[0] = { name: 'a', emptyDir: { medium: 'Memory' } };
  assert.is(
    rewritten(pod, after),
    pod.replace(/csi:[\s\S]*true\n/, 'emptyDir:\n            medium: Memory\n'),
  );
});

test('inserts an item after the previous one, and keeps comments with their lines', () => {
  const after = value();
  after.spec.containers.unshift({ name: 'first' });
  after.spec.containers.push({ name: 'last', image: 'x' });
  const text = rewritten(pod, after);
  assert.match(text, 'containers:\n    - name: first\n    # the application\n    -   name: app');
  assert.match(text, '    - {name: log, image: "log"}\n    - name: last\n      image: x\n    volumes:');
  assert.equal(parse(text), after);
});

test('inserts a key after the previous one, with the indentation of its siblings', () => {
  const { kind, spec } = value();
  const after = {
    kind,
    metadata: { name: 'x' },
    spec: { containers: spec.containers, hostNetwork: true, volumes: spec.volumes },
  };
  const text = rewritten(pod, after);
  assert.match(text, 'kind: Pod   # three spaces\nmetadata:\n    name: x\nspec:\n');
  assert.match(text, '    - {name: log, image: "log"}\n    hostNetwork: true\n    volumes:');
  assert.equal(parse(text), after);
});

test('changes one value, and keeps its neighbours and the comment after it', () => {
  const after = value();
  Object.assign(after.spec.containers[0] ?? {}, { image: 'nginx:1.29' });
  assert.is(rewritten(pod, after), pod.replace("image: 'nginx'", 'image: nginx:1.29'));
});

test('replaces and removes a key after a dash', () => {
  const source = 'list:\n- b: 1\n  name: x\n- name: v\n  c: 2\n';
  assert.is(
    rewritten(source, {
      list: [
        { d: 1, name: 'x' },
        { name: 'v', c: 2 },
      ],
    }),
    source.replace('b: 1', 'd: 1'),
  );
  assert.is(rewritten(source, { list: [{ name: 'x' }, { name: 'v' }] }), 'list:\n- name: x\n- name: v\n');
  assert.is(rewritten('list:\n- a: 1\n  b: 2\n  name: x\n', { list: [{ name: 'x' }] }), 'list:\n- name: x\n');
});

test('removes an item', () => {
  const after = value();
  after.spec.containers.pop();
  assert.is(rewritten(pod, after), pod.replace('    - {name: log, image: "log"}\n', ''));
});

test('expands an alias or a merge only where its value changes', () => {
  const source = 'a: &x\n  - name: m\nb: *x\nc:\n  <<: &y {k: 1, l: 2}\n  m: 3\n';
  const before = { a: [{ name: 'm' }], b: [{ name: 'm' }], c: { k: 1, l: 2, m: 3 } };
  assert.is(rewritten(source, before), source);
  const after = { ...before, b: [{ name: 'm' }, { name: 'n' }], c: { k: 1, l: 9, m: 3 } };
  const text = rewritten(source, after);
  assert.equal(parse(text, { version: '1.1' }), after);
  assert.match(text, 'a: &x\n  - name: m\nb:\n');
  assert.match(text, '  m: 3\n');
});

test('keeps line ends, and a missing last one', () => {
  const windows = 'a: 1\r\nlist:\r\n- name: x\r\n';
  assert.is(
    rewritten(windows, { a: 1, list: [{ name: 'x' }, { name: 'v' }] }),
    'a: 1\r\nlist:\r\n- name: x\r\n- name: v\r\n',
  );
  assert.is(
    rewritten('list:\n- name: x', { list: [{ name: 'x' }, { name: 'v' }], z: 1 }),
    'list:\n- name: x\n- name: v\nz: 1',
  );
});

test('edits the line after block text', () => {
  const source = 'script: |\n  one\n  two\nlist:\n- name: x\n  text: |-\n    three\n';
  const after = { script: 'one\ntwo\n', list: [{ name: 'x', text: 'three' }, { name: 'v' }], last: true };
  assert.is(rewritten(source, after), `${source}- name: v\nlast: true\n`.replace("'y'", '"y"'));
});

test('quotes text that YAML 1.1 reads as another type', () => {
  assert.is(
    rewritten('a: b\n', { a: 'b', c: 'yes', d: '0644', e: '1:30' }),
    'a: b\nc: "yes"\nd: "0644"\ne: "1:30"\n',
  );
});

test('converts a changed document from flow style to block style', () => {
  assert.is(
    rewritten('{"kind": "Pod", "spec": {}}', { kind: 'Pod', spec: { a: [1] } }),
    'kind: Pod\nspec:\n  a:\n  - 1',
  );
});

test('any edit of any text parses to the expected value', () => {
  const scalar = fc.oneof(
    fc.constantFrom('a', 'yes', '0600', '', ' x', '#c', 'k: v', 'l1\nl2\n', '- d', '*a'),
    fc.integer(),
    fc.boolean(),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar,
      fc.dictionary(fc.constantFrom('a', 'b', 'c', 'spec', 'volumes'), tie('tree'), {
        noNullPrototype: true,
      }),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.uniqueArray(
        // The name stands first, last or between, and keys come and go.
        fc.record(
          { a: tie('tree'), b: tie('tree'), name: fc.constantFrom('p', 'q', 'r', 's'), c: tie('tree') },
          { noNullPrototype: true, requiredKeys: ['name'] },
        ),
        { selector: ({ name }) => name },
      ),
    ),
  }));
  const root = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'spec'), tree, {
    noNullPrototype: true,
    minKeys: 1,
  });
  const layout = fc.record({
    indent: fc.constantFrom(1, 2, 3, 4),
    indentSeq: fc.boolean(),
    comments: fc.boolean(),
    flow: fc.constantFrom('any' as const, 'block' as const),
    ending: fc.boolean(),
  });
  fc.assert(
    fc.property(root, root, layout, (before, after, { indent, indentSeq, comments, flow, ending }) => {
      const { Document } = yaml;
      const document = new Document(before, { version: '1.1' });
      if (flow === 'any') {
        let count = 0;
        yaml.visit(document, {
          Collection: (_, node) => void (count++ % 3 === 2 && Object.assign(node, { flow: true })),
        });
      }
      let source = document.toString({ indent, indentSeq, lineWidth: 0 });
      if (comments) source = source.replace(/(?<=^\s*- name: \w)$/gm, ' # c');
      if (!ending) source = source.replace(/\n$/, '');
      const text = rewritten(source, after);
      assert.equal(yaml.parse(text, { version: '1.1' }), after, `${source}\n---\n${text}`);
      assert.is(rewritten(text, after), text);
    }),
    { numRuns: 200, seed: 2026 },
  );
});

test('what is rewritten has an escape for each character that kubectl refuses or that has no glyph', () => {
  const texts = [
    '\u001b[31m',
    '\u009b1m',
    '\u007f',
    'a\u202eb',
    '\u2028',
    '\u{e0001}',
    'l\n\u0085\n',
    'plain',
  ];
  const after = { a: [...texts, ...texts.map((text) => ({ [`k${text}`]: text }))] };
  const text = rewritten('a: {b: 1}\n', after);
  assert.not.match(text, /[\p{Format}\p{Zl}\p{Zp}\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u);
  assert.equal(parse(text, { version: '1.1' }), after);
  assert.match(text, '- plain\n');
});

test('an escape in double quotes that stays keeps its bytes', () => {
  const source = 'a: "\\e[31m\\x9b"\nb: 1\n';
  assert.is(rewritten(source, { a: '\u001b[31m\u009b', b: 2 }), source.replace('b: 1', 'b: 2'));
});

test.run();
