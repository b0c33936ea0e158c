/**
 * Formats texts for a terminal: wrapped at its width, and coloured. In a pipe or a file they are unchanged.
 */

import { wrapText } from '../core/layout.ts';
import type { Context } from './context.ts';
import { usesColour } from './uses-colour.ts';

/** Writes a report to standard output. */
export async function writeReport(
  { env, stdout }: Pick<Context, 'env' | 'stdout'>,
  text: string,
): Promise<void> {
  const wrapped = stdout.isTerminal ? wrapText(text, stdout.columns) : text;
  if (!usesColour(env, stdout)) return stdout.write(wrapped);
  const { colourReport } = await import('./colour.ts');
  stdout.write(colourReport(wrapped));
}
