import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flagOf, optionEntries } from '../src/cli/options.ts';
import { image, version } from '../src/core/version.ts';
import { benchChart } from './bench/table.ts';
import { readPage, root, type SectionName, sections, sectionText } from './docs/pages.ts';

const pages = globSync(['*.md', 'examples/**/*.md', 'helm/*/README.md'], { cwd: root }).sort();

for (const [name, { page, write }] of Object.entries(sections)) {
  test(`the section ${name} of ${page} matches the code (npm run docs writes it)`, () => {
    assert.is(sectionText(name as SectionName), write());
  });
}

test('the chart matches the results of the bench (npm run docs draws it)', () => {
  assert.is(readFileSync(join(root, 'test/bench/starts.svg'), 'utf8'), benchChart());
});

test('the program has the version of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.is(version, manifest.version);
});

test('the variable of an option has the name of its flag', () => {
  for (const [name, { env }] of optionEntries())
    assert.is(env, `PODSECRETS_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`);
});

test('the front page shows a SecretProviderClass first, then two commands and one pod spec, within two screens', () => {
  const page = readPage('README.md');
  const order = [
    'kind: SecretProviderClass',
    'npm ci && npm run demo',
    'npm ci && npm test',
    'initContainers:',
  ];
  const places = order.map((text) => page.indexOf(text));
  assert.ok(!places.includes(-1));
  assert.equal(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.is(page.match(/^```yaml$/gm)?.length, 2);
  assert.ok(page.split('\n').length <= 120, `${page.split('\n').length} lines`);
});

test('terminal examples fit 80 columns', () => {
  for (const page of pages) {
    let block: string | undefined;
    for (const line of readPage(page).split('\n')) {
      const fence = /^ *```(\w*)/.exec(line)?.[1];
      if (fence !== undefined) block = block === undefined ? fence : undefined;
      else if (block === '' || block === 'console') assert.ok([...line].length <= 80, `${page}: ${line}`);
    }
  }
});

test('no page names an image that is not published', () => {
  for (const page of pages) {
    const text = readPage(page);
    for (const [name] of text.matchAll(/[\w./-]*\bpodsecrets:\d[\w.]*/g)) assert.is(name, image, page);
    assert.not.match(text, /ghcr\.io|oci:\/\/(?!\$)|releases\/download/);
  }
});

test('SECURITY.md has the number of packages in the program', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<
      Record<string, { readonly dev?: true; readonly optional?: true; readonly hasInstallScript?: true }>
    >;
  };
  const own = Object.entries(lock.packages).filter(([path, { dev, optional }]) => path && !dev && !optional);
  assert.match(readFileSync(join(root, 'SECURITY.md'), 'utf8'), `${own.length} packages and Node itself`);
  assert.not.ok(own.some(([, { hasInstallScript }]) => hasInstallScript));
});

test('each claim in SECURITY.md names a test, or why it has none; each test that it names exists', () => {
  const text = readPage('SECURITY.md');
  const limits = text.slice(text.indexOf('## What it cannot do'));
  const claims = [
    ...text
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (threat|when|connection|---)/.test(line)),
    ...limits.slice(0, limits.indexOf('\n## ')).split(/^- /m).slice(1),
    ...limits
      .slice(limits.indexOf('## Verifying'))
      .split('\n\n')
      .slice(1)
      .filter((block) => !block.startsWith('```')),
  ];
  assert.ok(claims.length > 35, `${claims.length} claims`);
  for (const claim of claims) assert.match(claim, /`test\/[\w./-]+\.test\.ts`|\(No test: [^)]+\)/);
  for (const [, path = ''] of text.matchAll(/`(test\/[\w./-]+)`/g))
    assert.ok(existsSync(join(root, path)), path);
});

for (const page of pages) {
  test(`${page}: every link has a target`, () => {
    const text = readPage(page);
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), `${target} in ${page}`);
      if (anchor !== undefined) assert.ok(anchors(file).includes(anchor), `${target} in ${page}`);
    }
  });

  test(`${page}: every path and npm script that it names exists`, () => {
    const text = readPage(page);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    for (const [, path = ''] of text.matchAll(/[`\s]((?:src|test|helm|examples|\.ci)\/[\w./-]*\w)/g))
      assert.ok(existsSync(join(root, path)), `${path} in ${page}`);
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
      assert.ok(name in scripts, `npm run ${name} in ${page}`);
  });
}

/** The anchors that GitHub creates for the headings of a page. */
function anchors(page: string): readonly string[] {
  const text = readPage(page).replace(/^```.*?^```/gms, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.run();
