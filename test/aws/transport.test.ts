import { execFileSync } from 'node:child_process';
import dns from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { createTransport, type Transport } from '../../src/aws/transport.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Problem } from '../../src/core/problem.ts';
import type { Authorities } from '../../src/http/authorities.ts';
import type { RequestError } from '../../src/http/request.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { until, WAIT_LIMIT, within } from '../support/wait.ts';
import { openSilentServer } from './silent-server.ts';
import { realClock } from './world.ts';

const test = suite('transport');

const servers: { close(): void }[] = [];
const directory = mkdtempSync(join(tmpdir(), 'podsecrets-transport-'));
test.after(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  servers.push({
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener): Promise<number> => listening(createServer(listener));

function open(
  options: {
    env?: Environment;
    awsTimeout?: number;
    clock?: Clock;
    collectGarbage?: () => void;
    authorities?: Authorities;
  } = {},
): Transport {
  const { env = {}, awsTimeout = WAIT_LIMIT, clock = realClock, ...more } = options;
  return createTransport({ environment: readAwsEnvironment(env), awsTimeout, clock, ...more });
}

async function get(transport: Transport, port: number, more: object = {}, abortSignal?: AbortSignal) {
  const { response } = await transport.handle(
    {
      protocol: 'http:',
      hostname: '127.0.0.1',
      port,
      method: 'POST',
      path: '/',
      headers: {},
      body: '',
      ...more,
    },
    abortSignal === undefined ? {} : { abortSignal },
  );
  return `${response.statusCode} ${new TextDecoder().decode(response.body)}`;
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = (await rejects(promise)) as NodeJS.ErrnoException;
  return error.code ?? error.name;
}

test('transfers requests and responses completely, over kept-alive connections', async () => {
  const sockets = new Set<unknown>();
  const port = await serve((request, response) => {
    sockets.add(request.socket);
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.writeHead(201).end(`${request.method} ${request.headers.a} ${body}`));
  });
  const transport = open();
  for (const body of ['one', new TextEncoder().encode('two')])
    assert.match(await get(transport, port, { body, headers: { a: 'b' } }), /^201 POST b (one|two)$/);
  assert.is(sockets.size, 1);
});

test('keeps sixteen requests in flight, and the others wait', async () => {
  const held: (() => void)[] = [];
  const most: number[] = [];
  const port = await serve((_, response) => held.push(() => response.end()));
  const other = await serve((_, response) => response.end());
  const transport = open();
  let left = 60;
  const all = Array.from({ length: left }, () => get(transport, port).finally(() => left--));
  while (left > 0) {
    await until('16 requests', () => held.length >= Math.min(16, left));
    // A seventeenth would have come before these, which set out later.
    for (let times = 0; times < 3; times++) await get(open(), other);
    most.push(held.length);
    const expected = left - held.length;
    for (const respond of held.splice(0)) respond();
    await until('their responses', () => left <= expected);
  }
  await Promise.all(all);
  assert.equal(most, [16, 16, 16, 12]);
});

test('a response that is missing, stalls or is slow times out', async () => {
  const never = await serve(() => {});
  const stalls = await serve((_, response) => response.write('half'));
  const drips = await serve((_, response) => {
    const timer = setInterval(() => response.write('.'), 10);
    response.on('close', () => clearInterval(timer));
  });
  for (const port of [never, stalls, drips])
    assert.is(await failureOf(get(open({ awsTimeout: 100 }), port)), 'TimeoutError');
});

test('a connection attempt times out after two seconds', async () => {
  const silent = await openSilentServer();
  const clock = fakeClock();
  const failing = failureOf(get(open({ clock }), silent.port));
  await until('a limit of two seconds', () => clock.sleepers.includes(2000));
  await clock.advance(2000);
  assert.is(await failing, 'TimeoutError');
  assert.equal(clock.sleepers, []);
  silent.close();
});

test('closed connections, refused connections and invalid HTTP are errors with a code', async () => {
  const before = await serve((request) => request.socket.destroy());
  const amid = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => response.destroy());
  });
  const garbage = await serve((request) => request.socket.end('this is not HTTP\r\n\r\n'));
  const transport = open();
  assert.is(await failureOf(get(transport, before)), 'ECONNRESET');
  assert.is(await failureOf(get(transport, amid)), 'ECONNRESET');
  assert.match(await failureOf(get(transport, garbage)), /^HPE_/);
  assert.is(await failureOf(get(transport, 1)), 'ECONNREFUSED');
});

test('cuts off an endless response', async () => {
  const port = await serve((_, response) => {
    const chunk = Buffer.alloc(1024 * 1024);
    const more = (error?: Error | null): void => {
      if (!error) response.write(chunk, more);
    };
    more();
  });
  assert.is(await failureOf(get(open(), port)), 'ERR_RESPONSE_TOO_LARGE');
});

for (const [target, limit] of [
  ['secretsmanager.GetSecretValue', 512 * 1024],
  ['secretsmanager.BatchGetSecretValue', 10 * 1024 * 1024],
  ['AmazonSSM.GetParameters', 1024 * 1024],
  [undefined, 64 * 1024],
] as const) {
  test(`limits a response to ${target ?? 'STS'} to ${limit / 1024} KiB`, async () => {
    for (const announced of [true, false]) {
      const port = await serve((request, response) => {
        const length = Number(request.headers.length);
        if (announced) response.setHeader('content-length', length);
        response.end(Buffer.alloc(length, 'a'));
      });
      const headers = (length: number) => ({
        length: String(length),
        ...(target === undefined ? {} : { 'X-Amz-Target': target }),
      });
      assert.is((await get(open(), port, { headers: headers(limit) })).length, limit + 4);
      const failure = await failureOf(get(open(), port, { headers: headers(limit + 1) }));
      assert.is(failure, 'ERR_RESPONSE_TOO_LARGE');
    }
  });
}

test('reads responses of at most 2 MiB at a time, and the others wait', async () => {
  const size = 900 * 1024;
  const held: (() => void)[] = [];
  const port = await serve((_, response) => {
    response.writeHead(200, { 'content-length': size });
    response.write('a');
    held.push(() => response.end(Buffer.alloc(size - 1, 'a')));
  });
  const headers = { 'x-amz-target': 'secretsmanager.BatchGetSecretValue' };
  const transport = open();
  let done = 0;
  const all = Array.from({ length: 3 }, () => get(transport, port, { headers }).then(() => done++));
  await until('three requests', () => held.length === 3);
  // The last one may not read while the first two hold the budget.
  held[2]?.();
  const small = await serve((_, response) => response.end('small'));
  await get(open(), small);
  assert.is(done, 0);
  held[0]?.();
  await until('two responses', () => done === 2);
  held[1]?.();
  await Promise.all(all);
});

test('collects garbage after each 4 MiB of responses', async () => {
  const events: string[] = [];
  const size = 1024 * 1024;
  const port = await serve((_, response) => response.end(Buffer.alloc(size, 'a')));
  const headers = { 'x-amz-target': 'secretsmanager.BatchGetSecretValue' };
  const transport = open({ collectGarbage: () => events.push('collected') });
  for (let response = 0; response < 8; response++) {
    await get(transport, port, { headers });
    events.push('read');
    await new Promise(setImmediate);
  }
  assert.equal(
    events,
    [1, 2].flatMap(() => ['read', 'read', 'read', 'read', 'collected']),
  );
});

test('rejects a response that is not UTF-8', async () => {
  const port = await serve((_, response) => response.end(Buffer.from([0x22, 0xe4, 0x22])));
  assert.is(await failureOf(get(open(), port)), 'ERR_RESPONSE_NOT_UTF8');
});

test('rejects a protocol upgrade', async () => {
  const port = await serve((request) =>
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  );
  assert.is(await failureOf(get(open(), port)), 'ERR_UPGRADED');
});

test('ignores NODE_TLS_REJECT_UNAUTHORIZED', async () => {
  const port = await serveTls();
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    assert.is(await failureOf(get(open(), port, tls)), 'DEPTH_ZERO_SELF_SIGNED_CERT');
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
});

test('errors name host, port and phase', async () => {
  const silent = await openSilentServer();
  const never = await serve(() => {});
  const clock = fakeClock();
  const failing = rejects(get(open({ clock }), silent.port));
  await until('a limit of two seconds', () => clock.sleepers.includes(2000));
  await clock.advance(2000);
  const facts = (error: unknown) => {
    const { code, peer, phase } = error as RequestError;
    return [code, peer, phase];
  };
  assert.equal(facts(await failing), ['TimeoutError', `127.0.0.1:${silent.port}`, 'connect']);
  assert.equal(facts(await rejects(get(open({ awsTimeout: 50 }), never))), [
    'TimeoutError',
    `127.0.0.1:${never}`,
    'response',
  ]);
  assert.equal(facts(await rejects(get(open(), 1))), ['ECONNREFUSED', '127.0.0.1:1', 'connect']);
  const [code, peer] = facts(await rejects(get(open(), 9, { hostname: 'none.invalid' })));
  assert.match(String(code), /^(ENOTFOUND|EAI_AGAIN)$/);
  assert.is(peer, 'none.invalid:9');
  silent.close();
});

test('reports the phase lookup if the resolver hangs', async () => {
  const { lookup } = dns;
  (dns as { lookup: unknown }).lookup = () => {};
  try {
    const clock = fakeClock();
    const failing = rejects(get(open({ clock }), 443, { hostname: 'aws.example' }));
    await until('a limit of two seconds', () => clock.sleepers.includes(2000));
    await clock.advance(2000);
    assert.is(((await failing) as RequestError).phase, 'lookup');
  } finally {
    (dns as { lookup: unknown }).lookup = lookup;
  }
});

test('an abort ends a request in flight with its reason, and frees its slot', async () => {
  let closed: Promise<unknown> | undefined;
  const port = await serve((request) => {
    closed = new Promise((resolve) => request.socket.once('close', resolve));
  });
  const transport = open();
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  const all = Array.from({ length: 20 }, () => rejects(get(transport, port, {}, stop.signal)));
  await until('a request', () => closed !== undefined);
  stop.abort(reason);
  assert.equal(new Set(await Promise.all(all)), new Set([reason]));
  await within('the end of its connection', closed ?? Promise.reject());
  const good = await serve((_, response) => response.end('good'));
  const later = await Promise.all(Array.from({ length: 20 }, () => get(transport, good)));
  assert.equal(new Set(later), new Set(['200 good']));
});

test('a request that is aborted while it waits is not sent', async () => {
  let requests = 0;
  const port = await serve((_, response) => {
    requests++;
    response.end('late');
  });
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  const getting = rejects(get(open(), port, {}, stop.signal));
  stop.abort(reason);
  assert.is(await getting, reason);
  assert.is(requests, 0);
});

/** A name of AWS, which the proxy of these tests resolves. */
const AWS_HOST = 'secretsmanager.eu-west-1.amazonaws.com';

/** A self-signed certificate for localhost. */
function certificate(): { readonly key: string; readonly cert: string } {
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const cert = forge.pki.createCertificate();
  cert.publicKey = keys.publicKey;
  cert.serialNumber = '01';
  cert.validity.notBefore = new Date(Date.now() - 86_400_000);
  cert.validity.notAfter = new Date(Date.now() + 86_400_000);
  const name = [{ name: 'commonName', value: 'localhost' }];
  cert.setSubject(name);
  cert.setIssuer(name);
  cert.setExtensions([
    { name: 'basicConstraints', cA: true },
    {
      name: 'subjectAltName',
      altNames: ['localhost', 'aws.example', AWS_HOST].map((value) => ({ type: 2, value })),
    },
  ]);
  cert.sign(keys.privateKey, forge.md.sha256.create());
  return { key: forge.pki.privateKeyToPem(keys.privateKey), cert: forge.pki.certificateToPem(cert) };
}

const own = certificate();
const bundle = join(directory, 'bundle.pem');
writeFileSync(bundle, own.cert);
const tls = { protocol: 'https:', hostname: 'localhost' };
const serveTls = (): Promise<number> =>
  listening(createTlsServer(own, (_, response) => response.end('over TLS')));

test('trusts the CA of AWS_CA_BUNDLE, and no private CA without it', async () => {
  const port = await serveTls();
  assert.is(await failureOf(get(open(), port, tls)), 'DEPTH_ZERO_SELF_SIGNED_CERT');
  assert.is(await get(open({ env: { AWS_CA_BUNDLE: bundle } }), port, tls), '200 over TLS');
});

test('rejects a certificate for another name', async () => {
  const transport = open({ env: { AWS_CA_BUNDLE: bundle } });
  const failure = await failureOf(get(transport, await serveTls(), { ...tls, hostname: '127.0.0.1' }));
  assert.is(failure, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('names a CA bundle that is missing, no file, or has no certificate', () => {
  const empty = join(directory, 'empty.pem');
  writeFileSync(empty, 'nothing\n');
  const damaged = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return [join(directory, name), /got a damaged or indented one for/] as const;
  };
  const pipe = join(directory, 'pipe.pem');
  execFileSync('mkfifo', [pipe]);
  for (const [file, got] of [
    [join(directory, 'none.pem'), /got ENOENT for/],
    [pipe, /got a named pipe for/],
    ['/dev/zero', /got a device for/],
    damaged('truncated.pem', `${own.cert}${own.cert.slice(0, 300)}`),
    damaged('indented.pem', own.cert.replace(/^/gm, '  ')),
    damaged('text.pem', own.cert.replace(/^M.*/m, '<html>')),
    [empty, /got a file without one for/],
  ] as const) {
    try {
      open({ env: { AWS_CA_BUNDLE: file } });
      assert.unreachable();
    } catch (error) {
      const { code, subject, message } = error as Problem;
      assert.equal([code, subject], ['usage.environment', 'AWS_CA_BUNDLE']);
      assert.match(message, got);
    }
  }
});

/** A proxy that records the hosts of CONNECT requests. */
async function openProxy(): Promise<{ readonly url: string; readonly requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`plain ${request.url}`);
    response.end();
  });
  server.on('connect', (request, socket, head) => {
    requests.push(String(request.url));
    const [, port] = String(request.url).split(':');
    // Every name is a server of the tests.
    const there = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    there.on('error', () => socket.destroy());
    socket.on('error', () => there.destroy());
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, requests };
}

test('sends https requests through HTTPS_PROXY, except to hosts in NO_PROXY, and never http requests', async () => {
  const [proxy, port] = [await openProxy(), await serveTls()];
  const env = { SSL_CERT_FILE: bundle, HTTPS_PROXY: proxy.url.replace('http://', '') };
  const aws = { ...tls, hostname: 'aws.example' };
  assert.is(await get(open({ env }), port, aws), '200 over TLS');
  assert.equal(proxy.requests, [`aws.example:${port}`]);
  assert.is(await get(open({ env }), port, tls), '200 over TLS');
  const failure = await failureOf(get(open({ env: { ...env, NO_PROXY: 'example' } }), port, aws));
  assert.match(failure, /^(ENOTFOUND|EAI_AGAIN)$/);
  const plain = await serve((_, response) => response.end('direct'));
  assert.is(await get(open({ env: { ...env, HTTP_PROXY: proxy.url } }), plain), '200 direct');
  assert.is(proxy.requests.length, 1);
});

test('an endpoint of AWS gets the authorities of Amazon, and all of them only if these are not enough', async () => {
  const [proxy, port, other] = [await openProxy(), await serveTls(), certificate().cert];
  const env = { HTTPS_PROXY: proxy.url };
  const connections = async (amazon: string[], all: string[], hostname = AWS_HOST) => {
    let parsed = 0;
    const authorities = {
      amazon: () => amazon,
      all: () => {
        parsed++;
        return all;
      },
    };
    const transport = open({ env, authorities });
    proxy.requests.length = 0;
    const results: string[] = [];
    for (let n = 0; n < 2; n++) {
      const result = get(transport, port, { ...tls, hostname });
      results.push(await result.catch((error) => error.code));
    }
    return [...results, `${proxy.requests.length} connections`, `all parsed ${parsed} times`];
  };
  const [served, self] = ['200 over TLS', 'DEPTH_ZERO_SELF_SIGNED_CERT'];
  assert.equal(await connections([own.cert], []), [served, served, '1 connections', 'all parsed 0 times']);
  assert.equal(await connections([other], [own.cert]), [
    served,
    served,
    '2 connections',
    'all parsed 1 times',
  ]);
  assert.equal(await connections([], [own.cert]), [served, served, '1 connections', 'all parsed 1 times']);
  assert.equal(await connections([other], [other]), [self, self, '3 connections', 'all parsed 1 times']);
  // Any other host gets all at once.
  assert.equal(await connections([own.cert], [other], 'aws.example'), [
    self,
    self,
    '2 connections',
    'all parsed 1 times',
  ]);
});

test('requests at the same time are all sent again when the authorities of Amazon are not enough', async () => {
  const [proxy, port] = [await openProxy(), await serveTls()];
  const authorities = { amazon: () => [certificate().cert], all: () => [own.cert] };
  const transport = open({ env: { HTTPS_PROXY: proxy.url }, authorities });
  const aws = { ...tls, hostname: AWS_HOST };
  const results = await Promise.all(Array.from({ length: 5 }, () => get(transport, port, aws)));
  assert.equal(new Set(results), new Set(['200 over TLS']));
});

test('a request that fails in TLS after it was sent is not sent again with all authorities', async () => {
  let requests = 0;
  const [proxy, sockets] = [await openProxy(), new Set<Socket>()];
  const server = createTlsServer(own, () => {
    requests++;
    // Not TLS.
    for (const socket of sockets) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  server.on('connection', (socket) => sockets.add(socket));
  const port = await listening(server);
  const authorities = { amazon: () => [own.cert], all: () => [own.cert] };
  const transport = open({ env: { HTTPS_PROXY: proxy.url }, authorities });
  const failure = await failureOf(get(transport, port, { ...tls, hostname: AWS_HOST }));
  assert.match(failure, /^(EPROTO|ERR_SSL_)/);
  assert.is(requests, 1);
});

test('a proxy that rejects is a network error', async () => {
  const server = createServer();
  server.on('connect', (_, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
  const env = { HTTPS_PROXY: `http://127.0.0.1:${await listening(server)}` };
  const { code, status } = (await rejects(
    get(open({ env }), await serveTls(), { ...tls, hostname: 'aws.example' }),
  )) as RequestError;
  assert.equal([code, status], ['ERR_PROXY_TUNNEL', 407]);
});

test('an error before the tunnel is open names the proxy, not the host', async () => {
  const facts = async (proxy: string) => {
    const env = { HTTPS_PROXY: proxy };
    const { code, peer, phase } = (await rejects(
      get(open({ env }), 443, { ...tls, hostname: 'aws.example' }),
    )) as RequestError;
    return [code, peer, phase];
  };
  assert.equal(await facts('user:password@127.0.0.1:1'), ['ECONNREFUSED', '127.0.0.1:1', 'proxy']);
  const [code, ...where] = await facts('none.invalid:3128');
  assert.match(String(code), /^(ENOTFOUND|EAI_AGAIN)$/);
  assert.equal(where, ['none.invalid:3128', 'proxy']);
});

test('an error after the tunnel is open names the host', async () => {
  const [proxy, port] = [await openProxy(), await serveTls()];
  const failing = get(open({ env: { HTTPS_PROXY: proxy.url } }), port, { ...tls, hostname: 'aws.example' });
  const { peer, phase } = (await rejects(failing)) as RequestError;
  assert.is(peer, `aws.example:${port}`);
  assert.is.not(phase, 'proxy');
});

test.run();
