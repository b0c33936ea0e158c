/**
 * `podsecrets status`: fetches the status of a running sidecar and prints it. The exit code is 0 once every config was
 * published.
 */

import { exitCodes } from '../core/problem.ts';
import { escapedJson } from '../core/text.ts';
import { fetchStatus } from '../http/status-client.ts';
import { readStatus } from '../sidecar/read-status.ts';
import { statusText } from '../sidecar/status-text.ts';
import type { Context } from './context.ts';
import { writeReport, writeWarnings } from './terminal.ts';

/** Milliseconds: the sidecar closes every connection after this time. */
const TIMEOUT = 10_000;

/** Prints the page; the exit code of fetch while the sidecar is not ready. Throws a Problem if no sidecar responds. */
export async function status(context: Context): Promise<number> {
  const { settings, stdout, clock } = context;
  writeWarnings(context, context.warnings);
  // `off` was rejected when the settings were read.
  const listen = settings.listen as Exclude<typeof settings.listen, 'off'>;
  const page = await fetchStatus(listen, TIMEOUT, readStatus);
  if (settings.output === 'json') stdout.write(`${escapedJson(page)}\n`);
  else writeReport(context, statusText(page, clock.now(), stdout.columns));
  // Health checks use this exit code, because the image has no other HTTP client.
  return page.ready ? exitCodes.done : exitCodes.fetch;
}
