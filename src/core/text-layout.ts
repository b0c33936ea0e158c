/**
 * Lays out text for a terminal: tables, and wrapped lines.
 */

import { escapeControl } from './text.ts';

/**
 * Lines with columns as wide as their widest cell, two spaces apart. Cells are escaped, because they may be untrusted; the
 * head is not.
 *
 * A table wider than `columns` becomes a block for each row: the first cell on a line, the others below it, each after the
 * head of its column; empty cells are left out. So no cell is cut or broken, and every line can be copied.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number = Number.POSITIVE_INFINITY,
): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => escapeControl(cell)));
  const lines = [head, ...cells];
  const widths = head.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, widthOf(line[column] ?? '')), 0),
  );
  // The last cell of a line has no trailing space, and may be empty.
  const widest = Math.max(...lines.map((line) => widthOf(padded(line, widths))));
  return widest <= columns
    ? lines.map((line) => padded(line, widths))
    : cells.flatMap((row) => block(head, row, columns));
}

function padded(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell) + 2))
    .join('')
    .trimEnd();
}

function block(head: readonly string[], row: readonly string[], columns: number): readonly string[] {
  const named = row.map((cell, column) => (cell === '' ? '' : `${head[column]} ${cell}`));
  const [first = '', ...others] = named;
  const lines: string[] = [];
  for (const cell of others.filter((text) => text !== '')) {
    const longer = `${lines.at(-1)}  ${cell}`;
    if (lines.length > 0 && widthOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(`  ${cell}`);
  }
  return [first, ...lines];
}

/** Columns of a terminal: none for a combining mark, two for a character of East Asia or an emoji. */
function widthOf(text: string): number {
  // Not a constant of the module: V8 reads the character tables when it creates the expression, and every start would pay that.
  const wide =
    text.match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/gu,
    )?.length ?? 0;
  return [...text.replace(/\p{Mark}/gu, '')].length + wide;
}

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
