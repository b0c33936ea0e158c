/**
 * An address to which no connection is ever established, as if a firewall dropped the packets.
 *
 * A process listens with the shortest queue and is stopped; once the queue is full the kernel responds to no connection.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { within } from '../support/wait.ts';

export interface SilentServer {
  readonly port: number;
  close(): void;
}

export async function openSilentServer(): Promise<SilentServer> {
  const listen =
    "const s = require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await within('a port', once(child.stdout, 'data'));
  const port = Number(String(line));
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: 8 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
  // The queue has two places; once the first is connected, all others hang.
  await within('a connection', Promise.any(fillers.map((socket) => once(socket, 'connect'))));
  return {
    port,
    close() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
