/**
 * A free port, for a program that is called before it logs its address.
 *
 * Not from the kernel's ephemeral range, which all other tests use: one of them could take the port before the program does.
 */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the usual /proc/sys/net/ipv4/ip_local_port_range, which begins at 32768. */
const FIRST = 10_000;
const LAST = 32_767;

/** A port that no process listens on, on any address. */
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
