import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { urlNotifier } from '../../src/notify/url.ts';
import { rejects } from '../support/rejects.ts';
import { WAIT_LIMIT } from '../support/wait.ts';

const test = suite('notifying a URL');
const names = ['a "c"', 'b'];
const never = new AbortController().signal;
const closers: (() => void)[] = [];
test.after.each(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/reload`;
}

/** A TCP server that does not speak HTTP; the test handles each connection. */
async function serveBytes(connected: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    connected(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function problem(
  url: string,
  options: { readonly timeout?: number; readonly redact?: (text: string) => string } = {},
): Promise<Problem> {
  const error = await rejects(
    urlNotifier(url, { redact: (text) => text, timeout: WAIT_LIMIT, ...options }).notify(names, never),
  );
  if (!(error instanceof Problem)) throw error;
  assert.is(error.code, 'notify.url');
  return error;
}

const notify = (url: string) =>
  urlNotifier(url, { redact: (text) => text, timeout: WAIT_LIMIT }).notify(names, never);

test('posts the names of the files, on a connection that ends with the request', async () => {
  let seen: { request: IncomingMessage; body: string } | undefined;
  const url = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen = { request, body };
    response.end('ok');
  });
  await notify(`${url}?token=x`);
  assert.is(seen?.body, '{"files":["a \\"c\\"","b"]}');
  assert.is(seen?.request.method, 'POST');
  assert.is(seen?.request.url, '/reload?token=x');
  assert.is(seen?.request.headers['content-type'], 'application/json');
  assert.is(seen?.request.headers.connection, 'close');
});

for (const status of [200, 201, 202, 204, 299]) {
  test(`${status} is success`, async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.writeHead(status).end();
    });
    assert.is(await notify(url), undefined);
    assert.is(requests, 1);
  });
}

test('success does not wait for a body that never ends, nor read one that is too long', async () => {
  const endless = await serve((_, response) => response.writeHead(200).write('x'));
  // On a slow machine the timeout may come before the status.
  for (let timeout = 100, notified = false; !notified; timeout *= 4) {
    assert.ok(timeout < WAIT_LIMIT);
    const notifier = urlNotifier(endless, { redact: (text) => text, timeout });
    notified = await notifier.notify(names, never).then(
      () => true,
      () => false,
    );
  }
  await notify(
    await serve((_, response) => {
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      pour();
    }),
  );
});

test('shows neither query nor password nor a value of the target of a redirect', async () => {
  const url = await serve((_, response) =>
    response.writeHead(302, { location: 'https://me:pass@app.example/hunter22?token=x#y' }).end(),
  );
  assert.is(
    (await problem(url, { redact: (text) => text.replaceAll('hunter22', '[secret]') })).message,
    'redirects (302) to https://app.example/[secret]',
  );
  const odd = await serve((_, response) => response.writeHead(302, { location: '//me@[/?token=x' }).end());
  assert.is((await problem(odd)).message, 'redirects (302) to //[/');
});

test('a server that changes the protocol is an error, and does not hang', async () => {
  const address = await serveBytes((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    );
  });
  const { message, retry } = await problem(`http://${address}/`);
  assert.is(message, 'the endpoint changed to another protocol (ERR_UPGRADED)');
  assert.ok(retry);
});

test('any other status is an error with the start of the body, redacted, escaped and truncated', async () => {
  const url = await serve((_, response) =>
    response.writeHead(500).end(`bad\n\x1b[31mhunter22${'y'.repeat(1000)}`),
  );
  const error = await problem(`${url}?token=x`, {
    redact: (text) => text.replaceAll('hunter22', '[secret]'),
  });
  assert.is(error.subject, url);
  assert.match(error.message, /^responded with 500: bad\\n\\x1b\[31m\[secret\]y+…$/);
  assert.ok(error.message.length < 300);
  assert.ok(error.retry);
  assert.is(
    (await problem(await serve((_, response) => response.writeHead(404).end()))).message,
    'responded with 404',
  );
});

test('does not follow a redirect', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests++;
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  const error = await problem(url);
  assert.is(error.message, 'redirects (307) to /elsewhere');
  assert.is(requests, 1);
});

for (const [status, retry] of [
  [302, false],
  [400, false],
  [404, false],
  [408, true],
  [425, true],
  [429, true],
  [503, true],
] as const) {
  test(`${status} is ${retry ? 'retried' : 'permanent'}`, async () => {
    assert.is((await problem(await serve((_, response) => response.writeHead(status).end()))).retry, retry);
  });
}

test('honors a Retry-After in seconds', async () => {
  const serverWith = (value: string) =>
    serve((_, response) => response.writeHead(503, { 'retry-after': value }).end());
  assert.is((await problem(await serverWith('7'))).retryAfter, 7000);
  assert.is((await problem(await serverWith('Wed, 21 Oct 2026 07:28:00 GMT'))).retryAfter, undefined);
});

test('explains a refused connection', async () => {
  const url = await serve(() => {});
  for (const close of closers.splice(0)) close();
  const error = await problem(url);
  assert.is(error.message, 'connection refused (ECONNREFUSED)');
  assert.match(error.remedy, 'correct the port');
});

test('explains a host that does not resolve', async () => {
  assert.match(
    // Longer than a label may be, so that no resolver sends a query, which may be slow or succeed.
    (await problem(`http://${'x'.repeat(64)}.invalid/`)).message,
    /^the host name does not resolve \(E/,
  );
});

test('explains a timeout', async () => {
  const error = await problem(await serve(() => {}), { timeout: 50 });
  assert.is(error.message, 'no response within 50ms');
});

test('headers that trickle in do not extend the timeout', async () => {
  const host = await serveBytes((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write('x: y\r\n'), 10);
    socket.on('close', () => clearInterval(timer));
  });
  assert.match((await problem(`http://${host}/`, { timeout: 100 })).message, 'no response within 100ms');
});

test('explains an endpoint that does not speak HTTP', async () => {
  const host = await serveBytes((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  assert.match((await problem(`http://${host}/`)).message, /^the endpoint does not use HTTP\/1\.1 \(HPE_/);
});

test('explains an endpoint that does not speak TLS', async () => {
  const host = await serveBytes((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const error = await problem(`https://${host}/`);
  assert.is(error.message, 'the endpoint does not use TLS (EPROTO)');
  assert.match(error.remedy, 'write http: instead');
});

test('explains a connection that is closed early', async () => {
  const host = await serveBytes((socket) => socket.destroy());
  assert.match((await problem(`http://${host}/`)).message, /^no response \(E/);
});

test('explains a certificate that cannot be verified', async () => {
  // openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 36500 -subj /CN=localhost
  const server = createTlsServer({ key: TLS_KEY, cert: TLS_CERTIFICATE }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const error = await problem(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  assert.match(error.message, /^the certificate cannot be verified \(DEPTH_ZERO_SELF_SIGNED_CERT/);
  assert.not(error.retry);
});

test('an abort ends the request with its reason', async () => {
  const stop = new AbortController();
  const url = await serve(() => stop.abort('SIGTERM'));
  const notified = urlNotifier(url, { redact: (text) => text }).notify(names, stop.signal);
  assert.is(await rejects(notified), 'SIGTERM');
  assert.is(
    await rejects(urlNotifier(url, { redact: (text) => text }).notify(names, stop.signal)),
    'SIGTERM',
  );
});

const TLS_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRizDIzdOwHOzyf2H
/Zuj7HO2TKB3tjGmRbQFtVC105uhRANCAATfvQQjks5HE3J296pPU6jYMNEs4tOC
1Rq26gnE5OYze7rIlpVnt+c/s62/iM4w7ikt3t2P1TPjgXRH/jBKx79c
-----END PRIVATE KEY-----`;

const TLS_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUIXJUONpgxRpsGQP4A6R5W0LZPqAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTAxNTMyNloYDzIxMjYxMTAx
MDE1MzI2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATfvQQjks5HE3J296pPU6jYMNEs4tOC1Rq26gnE5OYze7rIlpVnt+c/
s62/iM4w7ikt3t2P1TPjgXRH/jBKx79co1MwUTAdBgNVHQ4EFgQUlAvaDLHznzrn
xgFPHIIxPyLvKaQwHwYDVR0jBBgwFoAUlAvaDLHznzrnxgFPHIIxPyLvKaQwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAdNqN2Rbf5Cy8wtOqg9Ky1
iLQgHzqvqjC+NdwmnnYk5gIgZCfJdXI/kO5jV35gfxjOaYVc7jojfo3qA4wcplAT
hp8=
-----END CERTIFICATE-----`;

test.run();
