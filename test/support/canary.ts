/** Values that must never appear outside their files, and the search for them in all output. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A value that occurs nowhere by chance. */
export function canary(name: string): string {
  return `CANARY-${name}-7f3a9c21`;
}

const mark = 'CANARY-';

/** The encodings in which a value is printed by accident: unchanged, base64 at any offset, hex, escaped. */
const forms: readonly RegExp[] = [
  new RegExp(mark),
  ...[0, 1, 2].map((offset) => {
    // The first and last characters of base64 mix with the bytes around: only the middle is the value's own.
    const encoded = Buffer.from(`${'x'.repeat(offset)}${mark}`)
      .toString('base64')
      .replaceAll('=', '');
    const own = encoded.slice(Math.ceil((offset * 4) / 3), -1);
    return new RegExp(own.replace(/[+/]/g, '\\$&'));
  }),
  new RegExp(Buffer.from(mark).toString('hex'), 'i'),
  new RegExp([...Buffer.from(mark)].join(',\\s*')),
];

/** Where the text shows part of a canary; undefined when it shows none. */
export function canaryIn(text: string): string | undefined {
  for (const form of forms) {
    const match = form.exec(text);
    if (match !== null) return text.slice(Math.max(0, match.index - 60), match.index + 60);
  }
  return undefined;
}

/** Files below `root` that hold a canary, those below `except` aside. */
export function filesWithCanary(root: string, except: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => !path.startsWith(except) && statSync(path, { throwIfNoEntry: false })?.isFile())
    .filter((path) => canaryIn(readFileSync(path, 'latin1')) !== undefined);
}
