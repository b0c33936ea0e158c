/** In the making. */
import type { Context } from './context.ts';
export async function doctor(_context: Context): Promise<number> {
  throw new Error('not there yet');
}
