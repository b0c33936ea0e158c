import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import type { Endpoints } from '../../src/http/routes.ts';
import { type HttpLimits, type HttpServer, openHttpServer } from '../../src/http/server.ts';
import { rejects } from '../support/rejects.ts';
import { exampleStatus } from '../support/status.ts';
import { until, WAIT_LIMIT, within } from '../support/wait.ts';

const test = suite('HTTP server');
const open: { close(): unknown }[] = [];
test.after.each(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

let refreshes = 0;
const endpoints: Endpoints = {
  status: exampleStatus,
  metrics: () => 'metrics 1\n',
  refresh: () => refreshes++,
};

async function serve(limits: HttpLimits = {}): Promise<HttpServer> {
  const server = await openHttpServer({ host: '127.0.0.1', port: 0 }, endpoints, limits);
  open.push(server);
  return server;
}

interface Response {
  readonly response: IncomingMessage;
  readonly body: string;
}

function ask(server: HttpServer, method: string, path: string, body = ''): Promise<Response> {
  const responded = new Promise<Response>((resolve, reject) => {
    const { host, port } = server.address;
    const headers = { host: 'localhost', 'content-length': Buffer.byteLength(body) };
    request({ host, port, method, path, agent: false, headers }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ response, body: text });
    })
      .on('error', reject)
      .end(body);
  });
  return within(`a response to ${method} ${path}`, responded);
}

/** A connection on which a test writes any bytes; `received` holds the response; `closed` waits for its end. */
function dial({ address }: HttpServer): {
  socket: Socket;
  received: () => string;
  closed: () => Promise<unknown>;
} {
  const socket = connect(address.port, address.host);
  open.push({ close: () => socket.destroy() });
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  // Not by once() of node:events, which rejects with the ECONNRESET of a connection that ended while we wrote.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  return {
    socket,
    received: () => text,
    closed: () => within(() => `the end of the connection, got ${JSON.stringify(text)}`, closed),
  };
}

test('responds without caching and closes the connection', async () => {
  const { response, body } = await ask(await serve(), 'GET', '/metrics');
  assert.is(response.statusCode, 200);
  assert.is(body, 'metrics 1\n');
  assert.is(response.headers.connection, 'close');
  assert.is(response.headers['cache-control'], 'no-store');
  assert.is(response.headers['x-content-type-options'], 'nosniff');
});

test('HEAD has the length and no body', async () => {
  const { response, body } = await ask(await serve(), 'HEAD', '/status');
  assert.is(body, '');
  assert.ok(Number(response.headers['content-length']) > 1000);
});

test('POST /refresh over a real loopback connection triggers a sync', async () => {
  const before = refreshes;
  assert.is((await ask(await serve(), 'POST', '/refresh')).response.statusCode, 202);
  assert.is(refreshes, before + 1);
});

test('rejects POST /refresh through a proxy in the pod', async () => {
  for (const header of [
    'X-Forwarded-Proto: http',
    'X-Forwarded-For: 10.0.0.7',
    'Via: 1.1 proxy',
    'Forwarded: for=_x',
    'X-Forwarded-Host: app.example.com',
    'X-Real-IP: 10.0.0.7',
    'X-Envoy-External-Address: 10.0.0.7',
  ]) {
    const { socket, received, closed } = dial(await serve());
    socket.write(`POST /refresh HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`);
    await closed();
    assert.match(received(), /^HTTP\/1\.1 403 /, header);
  }
});

test('responds to a large body without reading it', async () => {
  const { socket, received, closed } = dial(await serve());
  socket.write('POST /refresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n');
  await closed();
  assert.match(received(), /^HTTP\/1\.1 202 /);
});

for (const [name, bytes, status] of [
  ['not HTTP', 'hello\r\n\r\n', 400],
  ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
  ['headers without end', `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST /refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ['a NUL', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
] as const) {
  test(`rejects an invalid request: ${name}`, async () => {
    const server = await serve();
    const { socket, received, closed } = dial(server);
    socket.write(bytes);
    await closed();
    assert.match(received(), new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.is((await ask(server, 'GET', '/livez')).response.statusCode, 200);
  });
}

test('ignores a second request on a connection', async () => {
  const before = refreshes;
  const { socket, received, closed } = dial(await serve());
  socket.write('POST /refresh HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000));
  await closed();
  assert.is(received().match(/HTTP\/1\.1/g)?.length, 1);
  assert.is(refreshes, before + 1);
});

test('closes the connection of a client that sends nothing, sends slowly, or does not read, at the end of its lifetime', async () => {
  const server = await serve({ lifetime: 100 });
  const silent = dial(server);
  const slow = dial(server);
  const timer = setInterval(() => slow.socket.write('x'), 10);
  const stalled = dial(server);
  stalled.socket.pause();
  stalled.socket.write('GET /status HTTP/1.1\r\nHost: x\r\n\r\n');
  await Promise.all([silent.closed(), slow.closed()]).finally(() => clearInterval(timer));
  stalled.socket.resume();
  await stalled.closed();
});

test('a thousand idle connections do not block a probe', async () => {
  const server = await serve({ connections: 20, lifetime: 1_000_000 });
  const idle = Array.from({ length: 1000 }, () => dial(server));
  await within('a thousand connections', Promise.all(idle.map(({ socket }) => once(socket, 'connect'))));
  for (let times = 0; times < 5; times++) {
    assert.is((await ask(server, 'GET', '/livez')).response.statusCode, 200);
  }
  // Each later one pushed out one that came before it.
  const left = () => idle.filter(({ socket }) => !socket.destroyed).length;
  await until(
    () => `20 left, got ${left()}`,
    () => left() <= 20,
  );
});

test('closes at once despite incomplete requests, and can be closed twice', async () => {
  const server = await serve({ lifetime: 1_000_000 });
  const silent = dial(server);
  const half = dial(server);
  half.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n');
  await within('two connections', Promise.all([silent, half].map(({ socket }) => once(socket, 'connect'))));
  await ask(server, 'GET', '/livez');
  await Promise.all([server.close(), server.close()]);
  await Promise.all([silent.closed(), half.closed()]);
  await server.close();
  assert.is(((await rejects(ask(server, 'GET', '/livez'))) as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

test('keeps no process alive', () => {
  const module = new URL('../../src/http/server.ts', import.meta.url).href;
  const script = `
    import { openHttpServer } from ${JSON.stringify(module)};
    await openHttpServer({ host: '127.0.0.1', port: 0 }, {});
    console.log('listening');`;
  const { stdout, signal } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      timeout: WAIT_LIMIT,
    },
  );
  assert.is(stdout, 'listening\n');
  assert.is(signal, null);
});

test('leaves no timer, no socket and no handle that keeps a process alive', async () => {
  const active = () => process.getActiveResourcesInfo();
  // Standard streams are pipes or a terminal.
  const isIdle = () => active().every((resource) => /^(Pipe|TTY)Wrap$/.test(resource));
  const server = await serve();
  for (let times = 0; times < 20; times++) await ask(server, 'GET', '/status');
  await until(() => `nothing active, got ${active()}`, isIdle);
  await server.close();
  await until(() => `nothing active, got ${active()}`, isIdle);
});

test('0.0.0.0 listens on every address, IPv6 included', async () => {
  const server = await openHttpServer({ host: '0.0.0.0', port: 0 }, endpoints);
  open.push(server);
  assert.is(server.address.host, '0.0.0.0');
  const hosts = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (const host of ['127.0.0.1', '::1'].filter((own) => hosts.some(({ address }) => address === own))) {
    const there = { ...server, address: { ...server.address, host } };
    assert.is((await ask(there, 'POST', '/refresh')).response.statusCode, 202, host);
  }
});

test('a port in use is a Problem with a remedy', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  open.push(other);
  const { port } = other.address() as { port: number };
  const error = await rejects(openHttpServer({ host: '127.0.0.1', port }, endpoints));
  assert.instance(error, Problem);
  assert.is((error as Problem).message, `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
  assert.match((error as Problem).remedy, 'Containers of a pod share their ports');
});

test('a limit of open files that is reached is not reported as a wrong address', () => {
  const module = new URL('../../src/http/server.ts', import.meta.url).href;
  const script = `
    import { closeSync, openSync } from 'node:fs';
    const { openHttpServer } = await import(${JSON.stringify(module)});
    const open = [];
    try { for (;;) open.push(openSync('/dev/null')); } catch {}
    const end = await openHttpServer({ host: '127.0.0.1', port: 0 }, {}).catch((error) => error);
    for (const file of open) closeSync(file);
    console.log(end.message + '. ' + end.remedy);`;
  const { stdout, stderr } = spawnSync(
    'prlimit',
    ['--nofile=64', process.execPath, '--no-warnings', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  assert.match(stdout, /\(EMFILE\)\. The limit of open files is reached: raise it \(ulimit -n\)/, stderr);
});

test('an address of another machine is a Problem', async () => {
  const error = await rejects(openHttpServer({ host: '192.0.2.1', port: 0 }, endpoints));
  assert.match((error as Problem).message, '(EADDRNOTAVAIL)');
});

test.run();
