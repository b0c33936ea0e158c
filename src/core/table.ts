/**
 * Tables in plain text, for people.
 */

import { printable } from './text.ts';

/** Lines with columns as wide as their widest cell, two spaces apart. The head is ours, the cells may be foreign. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [head, ...rows.map((row) => row.map((cell) => printable(cell)))];
  const widths = head.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, line[column]?.length ?? 0), 0),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
      .join('')
      .trimEnd(),
  );
}
