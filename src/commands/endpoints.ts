/**
 * The server of the HTTP endpoints, loaded only with `--listen`.
 */

import type { Settings } from '../cli/options.ts';
import type { Endpoints } from '../http/routes.ts';
import type { EndpointServer } from '../sidecar/run.ts';

/** Opens the server; undefined: `--listen off`. */
export function serverOf(
  listen: Settings['listen'],
): ((endpoints: Endpoints) => Promise<EndpointServer>) | undefined {
  if (listen === 'off') return undefined;
  return async (endpoints) => {
    const { openHttpServer } = await import('../http/server.ts');
    const server = await openHttpServer(listen, endpoints);
    return { address: `${server.address.host}:${server.address.port}`, close: () => server.close() };
  };
}
