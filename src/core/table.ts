/**
 * Tables in plain text, for people.
 */

import { escapeControl } from './text.ts';

/**
 * Lines with columns as wide as their widest cell, two spaces apart. Cells are escaped, because they may be untrusted; the
 * head is not.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [head, ...rows.map((row) => row.map((cell) => escapeControl(cell)))];
  const widths = head.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, widthOf(line[column] ?? '')), 0),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell) + 2))
      .join('')
      .trimEnd(),
  );
}

/** Columns of a terminal: none for a combining mark, two for a character of East Asia or an emoji. */
function widthOf(text: string): number {
  const wide = text.match(WIDE)?.length ?? 0;
  return [...text.replace(/\p{Mark}/gu, '')].length + wide;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/gu;
