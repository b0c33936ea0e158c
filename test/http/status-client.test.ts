import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { openHttpServer } from '../../src/http/server.ts';
import { fetchStatus } from '../../src/http/status-client.ts';
import { readStatus } from '../../src/sidecar/read-status.ts';
import { rejects } from '../support/rejects.ts';
import { exampleStatus } from '../support/status.ts';
import { WAIT_LIMIT } from '../support/wait.ts';

const test = suite('status client');

async function problem(listener: RequestListener, timeout = WAIT_LIMIT): Promise<Problem> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const error = await rejects(fetchStatus({ host: '127.0.0.1', port }, timeout, readStatus));
    if (!(error instanceof Problem)) throw error;
    return error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

for (const host of ['127.0.0.1', '0.0.0.0', 'localhost']) {
  test(`gets the status of a sidecar that listens on ${host}`, async () => {
    const server = await openHttpServer(
      { host: host === 'localhost' ? '127.0.0.1' : host, port: 0 },
      { status: exampleStatus, metrics: () => '', refresh: () => {} },
    );
    try {
      assert.equal(
        await fetchStatus({ host, port: server.address.port }, WAIT_LIMIT, readStatus),
        exampleStatus(),
      );
    } finally {
      await server.close();
    }
  });
}

test('reports a refused connection', async () => {
  const error = (await rejects(
    fetchStatus({ host: '127.0.0.1', port: 1 }, WAIT_LIMIT, readStatus),
  )) as Problem;
  assert.is(error.message, 'no sidecar responds at 127.0.0.1:1: ECONNREFUSED');
  assert.match(error.remedy, '--listen');
});

test('reports a timeout', async () => {
  assert.match((await problem(() => {}, 50)).message, 'no response in time');
});

for (const [name, page] of [
  ['no JSON', '<html>'],
  ['JSON of another program', '{"version":"1"}'],
  ['null', 'null'],
  ['a list', '[]'],
  [
    'a page with a field of another type',
    JSON.stringify({ ...exampleStatus(), configs: [{ ...exampleStatus().configs[0], files: null }] }),
  ],
  ['a page with a time that is none', JSON.stringify({ ...exampleStatus(), startedAt: 'yesterday' })],
  [
    'a page of a config with a time that is none',
    JSON.stringify({ ...exampleStatus(), configs: [{ ...exampleStatus().configs[0], lastSuccess: '' }] }),
  ],
  ['a page without a field', JSON.stringify({ ...exampleStatus(), ready: undefined })],
] as const) {
  test(`reports a page that is not the status: ${name}`, async () => {
    assert.match((await problem((_, response) => response.end(page))).message, 'not the status page');
  });
}

test('reports a protocol upgrade', async () => {
  const error = await problem((_, response) =>
    response.writeHead(101, { connection: 'Upgrade', upgrade: 'x' }).end(),
  );
  assert.match(error.message, 'another protocol');
});

test('cuts off an endless page', async () => {
  const error = await problem((_, response) => {
    const pour = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', pour);
    pour();
  });
  assert.match(error.message, 'larger than 4 MiB');
});

test.run();
