/**
 * Collects the licences of the image: `node src/build/licenses.ts DIRECTORY` writes the package.json and the licence of each package in
 * the bundle, and of Node, into a folder like node_modules. Vulnerability scanners read the package.json, because they cannot look
 * into an executable.
 */

import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('expected a directory, got none');

const { meta } = JSON.parse(readFileSync(join(root, 'dist/bundle.json'), 'utf8')) as {
  readonly meta: Metafile;
};
for (const folder of [...packagesOf(meta), `node_modules/node-${process.platform}-${process.arch}`]) {
  const files = readdirSync(join(root, folder)).filter((name) =>
    /^(package\.json$|licen[cs]e|notice)/i.test(name),
  );
  mkdirSync(join(directory, folder), { recursive: true });
  for (const file of files) copyFileSync(join(root, folder, file), join(directory, folder, file));
}

/** The folders of the bundled packages, such as node_modules/cliui/node_modules/string-width. */
function packagesOf({ outputs }: Metafile): ReadonlySet<string> {
  const files = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return new Set(
    files
      .map((file) => /^.*\bnode_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0])
      .filter((folder) => folder !== undefined),
  );
}
