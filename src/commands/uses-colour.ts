/**
 * Decides whether logs and reports have colours.
 */

import type { Environment } from '../core/environment.ts';
import type { Output } from './context.ts';

/**
 * Whether to write colours. FORCE_COLOR decides if it is set (0 and false: none), as for Node; else NO_COLOR
 * (https://no-color.org) and TERM=dumb turn them off.
 */
export function usesColour(env: Environment, output: Pick<Output, 'isTerminal'>): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = env;
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR);
  return output.isTerminal && !NO_COLOR && TERM !== 'dumb';
}
