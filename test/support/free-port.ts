/**
 * A port for a program that has to be told one, because its pages are asked for before it says where they are.
 *
 * Not from the range that the kernel gives to whoever leaves the choice to it, as all other tests do: one of those could
 * get it before the program does.
 */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the usual /proc/sys/net/ipv4/ip_local_port_range, which begins at 32768. */
const FIRST = 10_000;
const LAST = 32_767;

/** A port at which nobody listens, on any address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = createServer().listen(port, '0.0.0.0');
    // Rejects when the port is taken.
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
