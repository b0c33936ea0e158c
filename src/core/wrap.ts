/**
 * Wraps text for a terminal.
 */

import { widthOf } from './table.ts';

/**
 * The text with lines of at most `columns`, broken at spaces. What follows a break is indented as its line, or as the second
 * column of a line such as `  ok    found it`. A longer word, such as an ARN, is left whole, so that it can be copied.
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => (widthOf(line) <= columns ? [line] : wrapLine(line, columns)))
    .join('\n');
}

function wrapLine(line: string, columns: number): readonly string[] {
  const [indent = ''] = /^ *(\S+ {2,})?/.exec(line) ?? [];
  const hanging = ' '.repeat(indent === '' || indent.length > columns / 2 ? 2 : indent.length);
  const lines: string[] = [];
  let current = '';
  for (const [, gap = '', word = ''] of line.matchAll(/( *)(\S+)/g)) {
    if (current === '' || widthOf(current + gap + word) <= columns) current += gap + word;
    else {
      lines.push(current);
      current = hanging + word;
    }
  }
  return [...lines, current];
}
