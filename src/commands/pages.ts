/**
 * The server of the HTTP pages, loaded only with `--listen`.
 */

import type { Settings } from '../cli/options.ts';
import type { Pages } from '../http/routes.ts';
import type { PageServer } from '../sidecar/run.ts';

/** Opens the server; undefined: `--listen off`. */
export function serverOf(listen: Settings['listen']): ((pages: Pages) => Promise<PageServer>) | undefined {
  if (listen === 'off') return undefined;
  return async (pages) => {
    const { openHttpServer } = await import('../http/server.ts');
    const server = await openHttpServer(listen, pages);
    return { address: `${server.address.host}:${server.address.port}`, close: () => server.close() };
  };
}
