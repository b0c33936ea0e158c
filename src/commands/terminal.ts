/**
 * Output of the commands that people run by hand. On a terminal it is wrapped at the width and coloured; in a pipe or a file it is
 * unchanged. Warnings go to stderr, so that the output can be piped.
 */

import { styleText } from 'node:util';
import { type Problem, problemLine } from '../core/problem.ts';
import { wrapText } from '../core/text-layout.ts';
import type { Context, Output } from './context.ts';
import { usesColour } from './logging.ts';

/** Writes a report to standard output. */
export function writeReport({ env, stdout }: Pick<Context, 'env' | 'stdout'>, text: string): void {
  const shown = wrapped(stdout, text);
  stdout.write(usesColour(env, stdout) ? colourReport(shown) : shown);
}

/** The text as this output shows it. */
export function wrapped({ isTerminal, columns }: Output, text: string): string {
  return isTerminal ? wrapText(text, columns) : text;
}

/** The report with its headings bold, and good and bad results in green, yellow and red. */
function colourReport(text: string): string {
  return text.split('\n').map(colourLine).join('\n');
}

function colourLine(line: string): string {
  for (const [pattern, style] of STYLES) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const [whole, word = whole] = match;
    const at = match.index + whole.lastIndexOf(word);
    const coloured = styleText(style, word, { validateStream: false });
    return `${line.slice(0, at)}${coloured}${line.slice(at + word.length)}`;
  }
  return line;
}

/** The first that matches a line is used. Its group is coloured, or the whole match. */
const STYLES: readonly (readonly [RegExp, 'bold' | 'green' | 'yellow' | 'red'])[] = [
  // The head of a table, and the first line of a row that is a block.
  [/^\s*[A-Z]{2,}(?: +[A-Z]+)*$/, 'bold'],
  [/^\s*((?:FILE|VARIABLE|API READS) )\S/, 'bold'],
  [/^\s*(ok|All checks passed\.)(?= |$)/, 'green'],
  [/^\s*(warn|warning|pending)\b/, 'yellow'],
  [/^\s*(FAIL|failed|error)\b/, 'red'],
  [/^\s*(invalid configuration)\b/, 'yellow'],
  [/^podsecrets \S+: (not ready|stopping)\b/, 'yellow'],
  [/^podsecrets \S+: (ready)\b/, 'green'],
  [/^\d+ problems?\b.*\.$/, 'red'],
  [/(\[[a-z]+\.[a-zA-Z]+\])$/, 'red'],
  [/^\s*(fix:)/, 'bold'],
];

/** Writes a line for each warning to standard error. */
export function writeWarnings({ stderr }: Context, warnings: readonly Problem[]): void {
  for (const warning of warnings) {
    stderr.write(wrapped(stderr, `warning: ${problemLine(warning)}\n`));
  }
}
