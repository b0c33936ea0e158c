/**
 * `podsecrets status`: asks a running sidecar how it is, and shows it to a person. Fails until every config was published.
 */

import { exitCodes } from '../core/problem.ts';
import { escapedJson } from '../core/text.ts';
import { fetchStatus } from '../http/status-client.ts';
import { readStatus } from '../sidecar/read-status.ts';
import { statusText } from '../sidecar/status-text.ts';
import type { Context } from './context.ts';
import { writeWarnings } from './warnings.ts';

/** Milliseconds: the sidecar itself lets no connection live longer. */
const TIMEOUT = 10_000;

/** Prints the page; the exit code of fetch while the sidecar is not ready. Throws a Problem when nobody answers. */
export async function status(context: Context): Promise<number> {
  const { settings, stdout, clock } = context;
  writeWarnings(context, context.warnings);
  // `off` was refused with the settings.
  const listen = settings.listen as Exclude<typeof settings.listen, 'off'>;
  const page = await fetchStatus(listen, TIMEOUT, readStatus);
  stdout.write(settings.output === 'json' ? `${escapedJson(page)}\n` : statusText(page, clock.now()));
  // A health check goes by it, for the image has nothing else that could ask.
  return page.ready ? exitCodes.done : exitCodes.fetch;
}
