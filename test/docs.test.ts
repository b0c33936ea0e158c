import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { flagOf, optionEntries } from '../src/cli/options.ts';
import { version } from '../src/core/version.ts';
import { benchChart } from './bench/table.ts';
import { readme, root, sections, written } from './docs/sections.ts';

for (const [name, write] of Object.entries(sections)) {
  test(`the section ${name} of the README is that of the code (npm run docs writes it)`, () => {
    assert.is(written(readme(), name), write());
  });
}

test('the chart is that of the results of the bench (npm run docs draws it)', () => {
  assert.is(readFileSync(join(root, 'test/bench/starts.svg'), 'utf8'), benchChart());
});

test('the version of the program is that of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.is(version, manifest.version);
});

test('the variable of an option is called as its flag', () => {
  for (const [name, { env }] of optionEntries())
    assert.is(env, `PODSECRETS_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`);
});

test('the README names the two commands of a fresh machine', () => {
  assert.match(readme(), 'npm ci && npm run demo');
  assert.match(readme(), 'npm ci && npm test');
});

test('SECURITY.md counts the packages that the program is made of', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<
      Record<string, { readonly dev?: true; readonly optional?: true; readonly hasInstallScript?: true }>
    >;
  };
  const own = Object.entries(lock.packages).filter(([path, { dev, optional }]) => path && !dev && !optional);
  assert.match(readFileSync(join(root, 'SECURITY.md'), 'utf8'), `${own.length} packages and Node itself`);
  assert.not.ok(own.some(([, { hasInstallScript }]) => hasInstallScript));
});

const pages = globSync(['*.md', 'examples/*/README.md', 'helm/*/README.md'], { cwd: root }).sort();

for (const page of pages) {
  test(`${page}: what it links to is there`, () => {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), `${target} in ${page}`);
      if (anchor !== undefined) assert.ok(anchors(file).includes(anchor), `${target} in ${page}`);
    }
  });

  test(`${page}: what it names of the tree, and of npm run, is there`, () => {
    const text = readFileSync(join(root, page), 'utf8');
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    for (const [, path = ''] of text.matchAll(/[`\s]((?:src|test|helm|examples|\.ci)\/[\w./-]*\w)/g))
      assert.ok(existsSync(join(root, path)), `${path} in ${page}`);
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
      assert.ok(name in scripts, `npm run ${name} in ${page}`);
  });
}

/** The anchors that GitHub gives to the headings of a page. */
function anchors(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/^```.*?^```/gms, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.run();
