/** Finding the class among the documents of a file, and the problem of a file without one. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classNames, kindsIn } from '../../src/config/document.ts';
import { config, files, parse, problems, warnings } from '../support/config.ts';

const good = config('- {objectName: db, objectType: secretsmanager}');

async function rejected(text: string): Promise<readonly string[]> {
  const parsed = await parse(text);
  assert.is(parsed.plan, undefined);
  return problems(parsed);
}

test('plans a SecretProviderClass and keeps its name', async () => {
  const { plan } = await parse(good);
  assert.is(plan?.name, 'demo');
  assert.is(plan?.file, 'demo.yaml');
});

test('accepts v1alpha1', async () => {
  assert.equal(files(await parse(good.replace('/v1', '/v1alpha1'))), ['db 0644']);
});

for (const [what, text, expected] of [
  ['an empty file', '', ['- config.document config']],
  ['a file of comments', '# nothing\n', ['- config.document config']],
  ['a list', '- a\n', ['1 config.document config']],
  ['text', 'hello\n', ['1 config.document config']],
  ['another kind', good.replace('SecretProviderClass', 'ConfigMap'), ['2 config.document kind']],
  ['no kind', 'apiVersion: v1\n', ['1 config.document kind']],
  ['another API group', good.replace('secrets-store', 'secrets'), ['1 config.document apiVersion']],
  ['no spec', good.slice(0, good.indexOf('spec:')), ['1 config.document spec']],
  [
    'a spec that is text',
    `${good.slice(0, good.indexOf('spec:'))}spec: text`,
    ['4 config.document config.spec'],
  ],
  ['another provider', good.replace('aws', 'azure'), ['5 config.provider spec.provider']],
  ['no provider', good.replace('  provider: aws\n', ''), ['5 config.provider spec.provider']],
  ['a provider in other letters', good.replace('aws', 'AWS'), ['5 config.provider spec.provider']],
  [
    'parameters that are a list',
    good.replace(/parameters:[\s\S]*/, 'parameters: []'),
    ['6 config.document spec.parameters'],
  ],
] as const) {
  test(`rejects ${what}`, async () => {
    assert.equal([...(await rejected(text))].sort(), [...expected].sort());
  });
}

test('a document next to the class that is not YAML is a warning', async () => {
  const parsed = await parse(`---\n${good}\n---\nkind: [\n`);
  assert.equal(files(parsed), ['db 0644']);
  assert.equal(warnings(parsed), ['11 config.document config']);
});

const named = (name: string) => good.replace('{name: demo}', `{name: ${name}}`);
const vault = named('vault').replace('provider: aws', 'provider: vault');
const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n';
const list = (...items: readonly string[]) =>
  `apiVersion: v1\nkind: List\nitems:\n${items.map((item) => `- ${item.trimEnd().replaceAll('\n', '\n  ')}\n`).join('')}`;

for (const [what, text] of [
  ['after another kind and an empty document', `${pod}---\n---\n${good}`],
  ['before another kind', `${good}\n---\n${pod}`],
  ['in a List', list(pod, good)],
  ['in a List after a List', `${list(pod)}---\n${list(good)}`],
  ['next to classes of other providers', `${vault}\n---\n${good}`],
] as const) {
  test(`finds the class ${what}, without a warning`, async () => {
    const parsed = await parse(text);
    assert.equal(files(parsed), ['db 0644']);
    assert.equal(warnings(parsed), []);
    assert.is(parsed.plan?.name, 'demo');
  });
}

test('selects one of two classes for AWS by name; without a name one problem names both', async () => {
  const text = `${named('one')}\n---\n${named('two')}`;
  assert.is((await parse(text, { className: 'two' })).plan?.name, 'two');
  const parsed = await parse(text);
  assert.equal(problems(parsed), ['11 config.document config']);
  assert.is(
    parsed.problems[0]?.message,
    'expected one SecretProviderClass for AWS, got "one" in line 1 and "two" in line 11',
  );
  const other = await parse(text, { className: 'three' });
  assert.is(other.problems[0]?.message, 'expected "three", got "one", "two"');
});

/** As envsubst and shells write it. */
const variable = (name: string) => `\${${name}}`;

for (const [what, text, line, found] of [
  ['of Helm as a value', good.replace('eu-west-1', '{{ .Values.region }}'), 7, '{{ .Values.region }}'],
  ['of Helm in quotes', good.replace('eu-west-1', '"{{ .Values.region }}"'), 7, '{{ .Values.region }}'],
  ['of Helm around the class', `{{- if .Values.on }}\n${good}\n{{- end }}\n`, 1, '{{- if .Values.on }}'],
  ['of Helm in the objects', good.replace('db,', '{{ .Values.a }},'), 9, '{{ .Values.a }}'],
  ['of envsubst', good.replace('db,', `"${variable('SECRET')}",`), 9, variable('SECRET')],
  [
    'of envsubst, several times',
    good.replace('db,', `"${variable('A')}",`).replace('eu-west-1', `"${variable('B')}"`),
    7,
    variable('B'),
  ],
] as const) {
  test(`a template ${what} is one problem: render it first`, async () => {
    const parsed = await parse(text);
    assert.equal(problems(parsed), [`${line} config.document config`]);
    assert.is(
      parsed.problems[0]?.message,
      `expected a rendered file, got the template expression "${found.replaceAll('"', '\\"')}"`,
    );
    assert.match(parsed.problems[0]?.remedy ?? '', /^Render it first: /);
  });
}

test('accepts a template in a comment, and in a label or annotation of secretObjects', async () => {
  const text = good
    .replace('{name: demo}', '{name: demo, labels: {a: "{{ x }}"}}')
    .replace(
      'spec:',
      '# {{ x }}\nspec:\n  secretObjects: [{secretName: s, type: Opaque, annotations: {a: "{{ x }}"}, data: [{objectName: db, key: k}]}]',
    );
  assert.equal(files(await parse(text)), ['db 0644']);
});

test('a missing indent, a tab or a missing colon is one problem', async () => {
  const broken = [
    good
      .replace('      - {', '    - {')
      .replace('secretsmanager}', 'secretsmanager}\n    - {objectName: b}\n    - {objectName: c}'),
    good.replace('  provider: aws', '\tprovider: aws'),
    good.replace('provider: aws', 'provider aws'),
  ];
  const lines = await Promise.all(broken.map(async (text) => problems(await parse(text))));
  assert.equal(lines, [['9 config.yaml config'], ['5 config.yaml config'], ['5 config.yaml config']]);
});

test('a class for another provider that was chosen by name, and AWS in upper case, are reported with their provider', async () => {
  const vault = good.replace('name: demo', 'name: vault').replace('provider: aws', 'provider: vault');
  const both = `${good}\n---\n${vault}`;
  const chosen = await parse(both, { className: 'vault' });
  assert.match(chosen.problems.map(String).join(), 'expected "aws", got "vault"');
  const upper = good.replace('provider: aws', 'provider: AWS');
  assert.equal(classNames(upper), [undefined]);
  assert.equal(classNames(vault), []);
  const [problem] = (await parse(upper)).problems;
  assert.match(String(problem), 'expected "aws", got "AWS"');
});

for (const [what, text, expected] of [
  [
    'a kind with a typing error',
    good.replace('SecretProviderClass', 'SecretProviderClasses'),
    'kind: SecretProviderClass',
  ],
  ['another API group', good.replace('csi.x-k8s', 'csi.k8s'), 'apiVersion: secrets-store.csi.x-k8s.io/v1'],
  ['no spec', good.slice(0, good.indexOf('spec:')), 'spec with provider and parameters'],
] as const) {
  test(`the remedy of a class with ${what} is what to write`, async () => {
    assert.equal(classNames(text), [undefined]);
    assert.equal(
      (await parse(text)).problems.map(({ remedy }) => remedy),
      [`Write ${expected}.`],
    );
  });
}

test("the remedy of a class that the file does not have is to name one of the file's", async () => {
  const [problem] = (await parse(good, { className: 'other' })).problems;
  assert.is(problem?.remedy, 'Name one that the file has: --config FILE#NAME.');
});

test('the kinds of a text without a class for AWS are those of its objects, of a class with its provider', () => {
  assert.equal(kindsIn(`${vault}\n---\n${list(pod, pod)}---\n---\n<html>\n`), [
    'SecretProviderClass for vault',
    'Pod',
    'Pod',
    'no Kubernetes object',
  ]);
  const status = good.replace('SecretProviderClass', 'SecretProviderClassPodStatus');
  assert.equal(classNames(status), []);
});

test('a key in a wrong place is a warning that names the right one', async () => {
  const object =
    '- {objectName: db, objectType: secretsmanager, region: x, jmesPath: [{path: a, objectAlias: b, objectType: c}]}';
  const text = config(object, { secretObjects: '[]' }).replace('spec:', 'spec:\n  failoverRegion: us-east-1');
  const moved = (await parse(text)).warnings.map(({ remedy }) => remedy);
  assert.equal(moved.toSorted(), [
    'Move it to spec.parameters: here it is ignored.',
    'Move it to spec.parameters: here it is ignored.',
    'Move it to spec: here it is ignored.',
    'Move it to the object: here it is ignored.',
  ]);
});

test('ignores a byte order mark, carriage returns and a missing last line break', async () => {
  const parsed = await parse(`\ufeff${good.replaceAll('\n', '\r\n')}`);
  assert.equal(files(parsed), ['db 0644']);
});

test("matches Kubernetes' own keys exactly, unlike those of objects", async () => {
  const parsed = await parse(good.replace('parameters:', 'Parameters:'), { environmentRegion: 'eu-west-1' });
  assert.equal(files(parsed), ['- config.objects parameters.objects']);
  assert.match(parsed.problems[0]?.message ?? '', /spec\.Parameters\.objects on line \d+, which is ignored$/);
  assert.equal(warnings(parsed), ['6 config.unknownKey spec']);
});

test('accepts any keys in metadata', async () => {
  const text = good.replace('{name: demo}', '{name: demo, labels: {a: b}, managedFields: []}');
  assert.equal(warnings(await parse(text)), []);
});

test('a syntax error names its line', async () => {
  assert.equal(await rejected('kind: a\nb: [c\n'), ['3 config.yaml config']);
  assert.equal(await rejected('kind: a\n\tb: c\n'), ['2 config.yaml config']);
  assert.equal(await rejected('kind: "\u0007"\n'), ['1 config.yaml config']);
});

test('one mistake in the YAML is one problem', async () => {
  assert.is((await rejected(`a: ${'!!b '.repeat(5000)}`)).length, 1);
});

test('rejects a file above 1 MiB', async () => {
  assert.equal(await rejected(`${good}\n#${'x'.repeat(1024 * 1024)}`), ['- config.file config']);
  assert.equal(files(await parse(`${good}\n#${'x'.repeat(1000 * 1000)}`)), ['db 0644']);
});

test('accepts 100 expansions of aliases and rejects more', async () => {
  const text = (count: number) => `x: &x 1\ny: [${'*x, '.repeat(count)}]\n${good}`;
  assert.equal(files(await parse(text(100))), ['db 0644']);
  assert.equal(
    (await rejected(text(101))).map((line) => line.replace(/^\d+ /, '')),
    ['config.yaml config'],
  );
});

test('counts each expansion of an alias of an alias, against a "billion laughs" attack', async () => {
  const levels = Array.from({ length: 20 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`);
  assert.equal(await rejected(`a0: &a0 ha\n${levels.join('\n')}\n`), ['1 config.yaml config']);
});

test('rejects nesting beyond 100 levels', async () => {
  assert.equal(await rejected(`a: ${'['.repeat(100_000)}`), ['1 config.yaml config']);
  assert.equal(await rejected('- '.repeat(50_000)), ['1 config.yaml config']);
});

test.run();
