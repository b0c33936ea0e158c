/** The shell commands of an example's README, as a reader copies them. */

import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const examplesRoot = join(import.meta.dirname, '../../examples');

/** The folders with a SecretProviderClass. */
export const examples = globSync('*/secret-provider-class.yaml', { cwd: examplesRoot }).map(dirname).sort();

export function readExample(example: string, file: string): string {
  return readFileSync(join(examplesRoot, example, file), 'utf8');
}

/** The lines of every block of shell; what goes on in the next line, after `\` or `|`, is one line. */
export function commandsOf(example: string): readonly string[] {
  return [...readExample(example, 'README.md').matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].flatMap(
    ([, indent = '', block = '']) =>
      block
        .replaceAll(/\\\n\s*/g, '')
        .replaceAll(/\|\n\s*/g, '| ')
        .split('\n')
        .map((line) => line.slice(indent.length).trimEnd())
        .filter((line) => line !== ''),
  );
}

/** The words of a command; quotes are removed. */
export function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}

/** The value after a flag. */
export function flagValue(words: readonly string[], flag: string): string | undefined {
  return words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined;
}
