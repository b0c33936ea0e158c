/**
 * A network with a round trip time, as a separate process: node test/bench/delay.ts PORT MS
 *
 * Forwards TCP connections to PORT of this machine. Bytes arrive half of MS later in each direction, and the first ones
 * another MS later, which is the handshake of TCP. Prints the port that it listens on; at the end of its stdin it prints its
 * traffic as JSON and ends.
 */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What went over the network so far. */
export interface Traffic {
  readonly connections: number;
  /** Bytes to AWS and from AWS, as encrypted. */
  readonly sent: number;
  readonly received: number;
}

const [target, rtt] = process.argv.slice(2).map(Number);
if (target === undefined || rtt === undefined) throw new Error('expected PORT and MS');
const delay = rtt / 2;
const traffic = { connections: 0, sent: 0, received: 0 };

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const opened = performance.now();
  const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  traffic.connections += 1;
  forward(client, upstream, 'sent', () => Math.max(delay, opened + rtt + delay - performance.now()));
  forward(upstream, client, 'received', () => delay);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin
  .on('end', () => process.stdout.write(`${JSON.stringify(traffic)}\n`, () => process.exit()))
  .resume();

/** Timers of equal length fire in order, so bytes stay in order too. */
function forward(from: Socket, to: Socket, direction: 'sent' | 'received', wait: () => number): void {
  from.on('data', (chunk) => {
    traffic[direction] += chunk.length;
    setTimeout(() => to.write(chunk), wait());
  });
  from.on('end', () => setTimeout(() => to.end(), wait()));
  from.on('error', () => to.destroy());
}
