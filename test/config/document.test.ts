/** Which documents are read at all, and how the rest of them is told apart from a typing error. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config, files, parse, problems, warnings } from '../support/config.ts';

const good = config('- {objectName: db, objectType: secretsmanager}');

async function refused(text: string): Promise<readonly string[]> {
  const parsed = await parse(text);
  assert.is(parsed.plan, undefined);
  return problems(parsed);
}

test('a SecretProviderClass is planned, under its name', async () => {
  const { plan } = await parse(good);
  assert.is(plan?.name, 'demo');
  assert.is(plan?.file, 'demo.yaml');
});

test('the old version of the API is read as well', async () => {
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
    [
      '6 config.document spec.parameters',
      '- config.objects parameters.objects',
      '- config.region parameters.region',
    ],
  ],
] as const) {
  test(`${what} is refused`, async () => {
    assert.equal([...(await refused(text))].sort(), [...expected].sort());
  });
}

test('of several documents the first one counts, and the rest need not even be YAML', async () => {
  const parsed = await parse(`---\n${good}\n---\nkind: [\n`);
  assert.equal(files(parsed), ['db 0644']);
  assert.equal(warnings(parsed), ['11 config.document config']);
});

test('a byte order mark, carriage returns and a missing last line break change nothing', async () => {
  const parsed = await parse(`\ufeff${good.replaceAll('\n', '\r\n')}`);
  assert.equal(files(parsed), ['db 0644']);
});

test("Kubernetes' own keys match exactly, unlike those of objects", async () => {
  const parsed = await parse(good.replace('parameters:', 'Parameters:'), { environmentRegion: 'eu-west-1' });
  assert.equal(files(parsed), ['- config.objects parameters.objects']);
  assert.match(
    parsed.problems[0]?.message ?? '',
    /spec\.Parameters\.objects on line \d+, which nothing reads$/,
  );
  assert.equal(warnings(parsed), ['6 config.unknownKey spec']);
});

test('metadata may hold what it likes', async () => {
  const text = good.replace('{name: demo}', '{name: demo, labels: {a: b}, managedFields: []}');
  assert.equal(warnings(await parse(text)), []);
});

test('YAML that cannot be read names its line', async () => {
  assert.equal(await refused('kind: a\nb: [c\n'), ['3 config.yaml config']);
  assert.equal(await refused('kind: a\n\tb: c\n'), ['2 config.yaml config']);
  assert.equal(await refused('kind: "\u0007"\n'), ['1 config.yaml config']);
});

test('one mistake in the YAML does not become thousands of errors', async () => {
  assert.ok((await refused(`a: ${'!!b '.repeat(5000)}`)).length <= 10);
});

test('a file above 1 MiB is refused', async () => {
  assert.equal(await refused(`${good}\n#${'x'.repeat(1024 * 1024)}`), ['- config.file config']);
  assert.equal(files(await parse(`${good}\n#${'x'.repeat(1000 * 1000)}`)), ['db 0644']);
});

test('more than 100 expansions of aliases are refused, 100 are not', async () => {
  const text = (count: number) => `x: &x 1\ny: [${'*x, '.repeat(count)}]\n${good}`;
  assert.equal(files(await parse(text(100))), ['db 0644']);
  assert.equal(
    (await refused(text(101))).map((line) => line.replace(/^\d+ /, '')),
    ['config.yaml config'],
  );
});

test('aliases of aliases count each time: no billion laughs', async () => {
  const levels = Array.from({ length: 20 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`);
  assert.equal(await refused(`a0: &a0 ha\n${levels.join('\n')}\n`), ['1 config.yaml config']);
});

test('nesting beyond 100 levels is refused', async () => {
  assert.equal(await refused(`a: ${'['.repeat(100_000)}`), ['1 config.yaml config']);
  assert.equal(await refused('- '.repeat(50_000)), ['1 config.yaml config']);
});

test.run();
