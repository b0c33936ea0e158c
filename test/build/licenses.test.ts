/** The image contains the name and the licence of each package of the program. */

import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../support/scratch.ts';

const root = join(import.meta.dirname, '../..');
const directory = scratch();
execFileSync(process.execPath, ['--no-warnings', join(root, 'src/build/licenses.ts'), directory]);
const folders = globSync('**/package.json', { cwd: directory }).map(dirname);

/** Licences that allow distribution in the image, if their text is included. */
const LICENCES = /^(Apache-2\.0|MIT|MIT-0|ISC|BSD-3-Clause|\(BSD-3-Clause OR GPL-2\.0\))$/;

test('lists the packages of the bundle and Node, without those for build and tests', () => {
  const names = folders.map((folder) => folder.replace(/.*node_modules\//, ''));
  for (const name of ['yaml', '@aws-sdk/client-ssm', 'string-width', `node-linux-${process.arch}`])
    assert.ok(names.includes(name), name);
  for (const name of ['esbuild', 'typescript', 'fast-check', 'uvu'])
    assert.not.ok(names.includes(name), name);
});

test('each package has a permissive licence, with its text if the package has one', () => {
  for (const folder of folders) {
    const { license } = JSON.parse(readFileSync(join(directory, folder, 'package.json'), 'utf8'));
    assert.match(license, LICENCES, folder);
    // Packages of AWS without a text have that of the others; MIT-0 requires none.
    const free = /^node_modules\/@aws(-sdk|-lambda-powertools)?\//.test(folder);
    assert.ok(
      free || globSync('{LICENSE,License,license}*', { cwd: join(directory, folder) }).length > 0,
      folder,
    );
  }
});

test.run();
