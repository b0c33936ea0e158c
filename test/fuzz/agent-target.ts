/** The responses of the Pod Identity agent. An input is what the agent sends on the socket before it closes it. */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import { agentProblem } from '../../src/aws/agent-problems.ts';
import { createContainerClient } from '../../src/aws/container-credentials.ts';
import { areUsable } from '../../src/aws/credential-cache.ts';
import { problemLine } from '../../src/core/problem.ts';
import { fakeClock } from '../support/clock.ts';
import type { Target } from './fuzz.ts';

/** The secret key in the saved responses. */
const CANARY = 'kanarienschluessel';

const inputs = new Map<string, string>();
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}));
  socket.once('data', (request) => {
    const number = /^GET \/(\d+) /.exec(request.toString('latin1'))?.[1] ?? '';
    socket.end(Buffer.from(inputs.get(number) ?? '', 'latin1'));
  });
});
const opened = new Promise<number>((resolve) =>
  server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
);
// A stopped clock: a slow machine reaches no timeout.
const fetchFrom = createContainerClient(5000, fakeClock({ now: Date.now() }));
let count = 0;

export const agentTarget: Target = {
  name: 'agent',
  lanes: 8,
  dictionary: [
    ...['null', '0', '[]', '{}', '""', '"\\n"', '\r\n', '\r\n\r\n', '\0', '\xff', 'HTTP/1.1 200 OK\r\n'],
    ...['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\n', 'Upgrade: x\r\n', ' 403 '],
    ...[
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
      '0\r\n\r\n',
      'Location: /\r\n',
      ' 429 ',
      ' 500 ',
    ],
    ...[
      'AccessKeyId',
      'SecretAccessKey',
      'Token',
      'Expiration',
      '2040-01-01T00:00:00Z',
      '[r-1]: (X): y, fault: client',
    ],
    ...['Connection: keep-alive\r\n', 'Content-Encoding: gzip\r\n'],
  ],
  async execute(input) {
    const port = await opened;
    const number = String(count++);
    inputs.set(number, input);
    try {
      const address = `http://127.0.0.1:${port}/${number}`;
      const result = await fetchFrom(address, 'token');
      if ('accessKeyId' in result) {
        assert.ok(areUsable(result));
        return 'credentials';
      }
      const problem = agentProblem(['http://agent'], result);
      const line = problemLine(problem);
      assert.not.match(line + inspect(problem), CANARY);
      assert.not.match(line, /[\u0000-\u001f\u007f-\u009f]/);
      return line.replace(/\(.*?\)|\d+/g, '');
    } finally {
      inputs.delete(number);
    }
  },
  async close() {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  },
};
