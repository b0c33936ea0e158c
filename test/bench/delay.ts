/**
 * A network with a round trip time, as a separate process: node test/bench/delay.ts PORT MS
 *
 * Forwards TCP connections to PORT of this machine. Bytes arrive half of MS later in each direction, and the first ones
 * another MS later, which is the handshake of TCP. Prints the port that it listens on and ends with its stdin.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const [target, rtt] = process.argv.slice(2).map(Number);
if (target === undefined || rtt === undefined) throw new Error('expected PORT and MS');
const delay = rtt / 2;

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const opened = performance.now();
  const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  forward(client, upstream, () => Math.max(delay, opened + rtt + delay - performance.now()));
  forward(upstream, client, () => delay);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.on('end', () => process.exit()).resume();

/** Timers of equal length fire in order, so bytes stay in order too. */
function forward(from: Socket, to: Socket, wait: () => number): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), wait()));
  from.on('end', () => setTimeout(() => to.end(), wait()));
  from.on('error', () => to.destroy());
}
