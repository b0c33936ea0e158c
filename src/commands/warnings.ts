/**
 * Warnings of the commands that people run by hand: on stderr, so that the output can be piped.
 */

import { wrapText } from '../core/layout.ts';
import { type Problem, problemLine } from '../core/problem.ts';
import type { Context } from './context.ts';

/** Writes a line for each. */
export function writeWarnings({ stderr }: Context, warnings: readonly Problem[]): void {
  for (const warning of warnings) {
    const line = `warning: ${problemLine(warning)}
`;
    stderr.write(stderr.isTerminal ? wrapText(line, stderr.columns) : line);
  }
}
