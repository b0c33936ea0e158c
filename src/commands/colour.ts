/**
 * Colour in the reports of the commands that people run by hand.
 */

import { styleText } from 'node:util';
import type { Context } from './context.ts';

/** Whether standard output is a terminal that shows colours; NO_COLOR turns them off (https://no-color.org). */
export function usesColour({ env, stdout }: Pick<Context, 'env' | 'stdout'>): boolean {
  return !env.NO_COLOR && env.TERM !== 'dumb' && stdout.isTerminal;
}

/** The report with its headings bold, and good and bad results in green, yellow and red. */
export function colourReport(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, style] = STYLES.find(([pattern]) => pattern.test(line)) ?? [];
      return style === undefined ? line : styleText(style, line, { validateStream: false });
    })
    .join('\n');
}

const STYLES: readonly (readonly [RegExp, 'bold' | 'green' | 'yellow' | 'red'])[] = [
  // The head of a table.
  [/^[A-Z]{2,}( +[A-Z]+)*$/, 'bold'],
  [/^\s*(warning|pending)\b/, 'yellow'],
  [/^\s*(failed|error)\b|\bproblems?\b.*\.$|\[[a-z]+\.[a-zA-Z]+\]$/, 'red'],
  [/^\s*ok\b|^All checks passed/, 'green'],
];
