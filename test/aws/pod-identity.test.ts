import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createContainerClient, fetchFromPodIdentity } from '../../src/aws/container-credentials.ts';
import type { AwsCredentials } from '../../src/aws/credential-cache.ts';
import type { Clock } from '../../src/core/clock.ts';
import { type Problem, problemLine } from '../../src/core/problem.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { until, within } from '../support/wait.ts';
import { openSilentServer } from './silent-server.ts';
import { realClock } from './world.ts';

const test = suite('Pod Identity');

const CANARY = 'canary-0815';
const TOKEN = `${CANARY}.token.text`;
const GOOD = {
  AccessKeyId: 'ASIAEXAMPLE',
  SecretAccessKey: `${CANARY}-key`,
  Token: `${CANARY}-session`,
  AccountId: '111122223333',
  Expiration: '2030-01-01T00:00:00Z',
};

const directory = mkdtempSync(join(tmpdir(), 'podsecrets-agent-'));
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, `${TOKEN}\n`);
const servers: Server[] = [];
test.after(() => {
  rmSync(directory, { recursive: true });
  for (const server of servers) server.close().closeAllConnections();
});

async function serve(listener: RequestListener, host = '127.0.0.1'): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port, family, address } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/v1/credentials`;
}

/** As the agent writes what the EKS Auth API rejected. */
function rejection(code: string): string {
  return `[0a1b2c3d-0a1b-4c2d-8e3f-0a1b2c3d4e5f]: (${code}): ${CANARY} is why, fault: client`;
}

interface Asking {
  readonly tokenFile?: string;
  readonly injected?: boolean;
  readonly timeout?: number;
  readonly clock?: Clock;
}

function ask(addresses: readonly string[], asking: Asking = {}): Promise<AwsCredentials> {
  const { timeout = 20_000, injected = true, clock = realClock } = asking;
  return fetchFromPodIdentity(
    { kind: 'pod-identity', addresses, tokenFile: asking.tokenFile ?? tokenFile, injected },
    createContainerClient(timeout, clock),
  );
}

/** The problem, after making sure that nothing secret hides anywhere in it, and that nothing was printed. */
async function problem(addresses: readonly string[], asking?: Asking): Promise<Problem> {
  const failure = (await rejects(ask(addresses, asking))) as Problem;
  const everything = `${inspect(failure, { showHidden: true, depth: 20 })}${JSON.stringify(failure)}${failure.stack}`;
  assert.not.match(everything, CANARY);
  return failure;
}

/** Nothing listens there. */
const CLOSED = 'http://127.0.0.1:1/v1/credentials';

const printed: unknown[][] = [];
const { warn } = console;
test.before(() => {
  console.warn = (...words: unknown[]) => printed.push(words);
});
test.after(() => {
  console.warn = warn;
});

test('sends the token in the Authorization header and returns credentials', async () => {
  let header: string | undefined;
  const address = await serve((request, response) => {
    header = request.headers.authorization;
    response.end(JSON.stringify(GOOD));
  });
  const credentials = await ask([address]);
  assert.is(header, TOKEN);
  assert.is(credentials.accessKeyId, 'ASIAEXAMPLE');
  assert.equal(credentials.expiration, new Date('2030-01-01T00:00:00Z'));
});

test('reads the token each time', async () => {
  const headers: (string | undefined)[] = [];
  const file = join(directory, 'renewed');
  const address = await serve((request, response) => {
    headers.push(request.headers.authorization);
    response.end(JSON.stringify(GOOD));
  });
  for (const token of ['first', 'second']) {
    writeFileSync(file, token);
    await ask([address], { tokenFile: file });
  }
  assert.equal(headers, ['first', 'second']);
});

test('ignores the variables of ECS', async () => {
  process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = '/astray';
  process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN = 'astray';
  try {
    const address = await serve((request, response) => {
      assert.is(request.headers.authorization, TOKEN);
      response.end(JSON.stringify(GOOD));
    });
    assert.is((await ask([address])).accessKeyId, 'ASIAEXAMPLE');
  } finally {
    delete process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
    delete process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  }
});

test('without variables and token reports a missing association', async () => {
  const failure = await problem(['http://127.0.0.1:1/'], {
    tokenFile: join(directory, 'none'),
    injected: false,
  });
  assert.is(failure.code, 'credentials.variables');
  assert.not(failure.retry);
  assert.match(problemLine(failure), /Fargate.*IRSA/);
});

test('reports a missing token file if the variables are set', async () => {
  const failure = await problem(['http://127.0.0.1:1/'], { tokenFile: join(directory, 'none') });
  assert.is(failure.code, 'credentials.token');
  assert.match(failure.message, /no file$/);
});

test('reports a refused connection', async () => {
  const address = CLOSED;
  const failure = await problem([address]);
  assert.is(failure.code, 'credentials.agent');
  assert.is(failure.subject, address);
  assert.match(failure.message, /no connection \(ECONNREFUSED\)$/);
  assert.ok(failure.retry);
});

const loopbacks = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const SECOND = loopbacks.some(({ address }) => address === '::1') ? '::1' : '127.0.0.2';

test(`uses the second address if the first is unreachable: ${SECOND}`, async () => {
  const address = await serve((_, response) => response.end(JSON.stringify(GOOD)), SECOND);
  assert.is((await ask([CLOSED, address])).accessKeyId, 'ASIAEXAMPLE');
});

test('names both addresses if both are unreachable', async () => {
  const addresses = [CLOSED, CLOSED.replace('127.0.0.1', '127.0.0.2')];
  assert.is((await problem(addresses)).subject, addresses.join(', '));
});

test('tries no other address after any response', async () => {
  let others = 0;
  const address = await serve((_, response) => response.writeHead(404).end());
  const other = await serve((_, response) => {
    others++;
    response.end(JSON.stringify(GOOD));
  });
  assert.is((await problem([address, other])).subject, address);
  assert.is(others, 0);
});

test('a connection attempt times out after a second', async () => {
  const silent = await openSilentServer();
  const clock = fakeClock({ turns: 20 });
  const authentication = {
    kind: 'pod-identity',
    addresses: [`http://127.0.0.1:${silent.port}/`],
    tokenFile,
    injected: true,
  } as const;
  const failing = rejects(fetchFromPodIdentity(authentication, createContainerClient(5000, clock)));
  await until('a limit of one second', () => clock.sleepers.includes(1000));
  await clock.advance(1000);
  assert.match(((await failing) as Problem).message, /no connection \(ETIMEDOUT\)$/);
  assert.equal(clock.sleepers, []);
  silent.close();
});

for (const [status, body, message, remedy, retryFor] of [
  [
    403,
    rejection('AccessDeniedException'),
    /got AccessDeniedException \(HTTP status 403, request id 0a1b/,
    /sts:TagSession/,
    15_000,
  ],
  [
    400,
    rejection('InvalidTokenException'),
    /got InvalidTokenException \(HTTP status 400/,
    /Check the token file/,
    0,
  ],
  [
    500,
    rejection('ThrottlingException'),
    /got ThrottlingException \(HTTP status 500/,
    /throttles requests/,
    undefined,
  ],
  [
    400,
    `Service account token cannot be parsed: ${CANARY}`,
    /HTTP status 400: the service account's token cannot be parsed$/,
    /Check the token file/,
    0,
  ],
  [302, '', /got HTTP status 302$/, /address is that of the agent/, undefined],
  [204, '', /got HTTP status 204$/, /address is that of the agent/, undefined],
  [403, `${CANARY} says no`, /got HTTP status 403$/, /log of the eks-pod-identity-agent/, 15_000],
] as const) {
  test(`the agent responds with ${status} ${body.slice(40, 90)}`, async () => {
    const address = await serve((_, response) => response.writeHead(status).end(`${body}\n`));
    const failure = await problem([address]);
    assert.is(failure.code, 'credentials.agent');
    assert.match(failure.message, message);
    assert.match(failure.remedy, remedy);
    assert.is(failure.retry ? failure.retryFor : 0, retryFor);
  });
}

for (const [what, body] of [
  ['no JSON', `${CANARY} is not JSON`],
  ['half of it', JSON.stringify(GOOD).slice(0, 60)],
  ['null', 'null'],
  ['a list', JSON.stringify([GOOD])],
  ['nothing', ''],
  ['a response without a key', JSON.stringify({ ...GOOD, SecretAccessKey: undefined })],
  ['an empty token', JSON.stringify({ ...GOOD, Token: '' })],
  ['a number for a key', JSON.stringify({ ...GOOD, AccessKeyId: 7 })],
  ['an expiry that is no date', JSON.stringify({ ...GOOD, Expiration: `${CANARY} soon` })],
] as const) {
  test(`the agent responds with ${what}`, async () => {
    const failure = await problem([await serve((_, response) => response.end(body))]);
    assert.is(failure.code, 'credentials.agent');
    assert.match(
      failure.message,
      /a response without valid AccessKeyId, SecretAccessKey, Token and Expiration$/,
    );
  });
}

test('the agent closes the connection before or during its response', async () => {
  const before = await serve((request) => request.socket.destroy());
  assert.match((await problem([before])).message, /no connection \(ECONNRESET\)$/);
  const amid = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write(JSON.stringify(GOOD).slice(0, 50), () => response.destroy());
  });
  assert.match((await problem([amid])).message, /no connection \(ECONNRESET\)$/);
});

test('destroys a request without a response, or with one that never ends', async () => {
  for (const start of [undefined, '{"AccessKeyId":"']) {
    let gone: Promise<unknown> | undefined;
    const address = await serve((request, response) => {
      gone = new Promise((resolve) => request.socket.once('close', resolve));
      if (start !== undefined) response.write(start);
    });
    const failure = await problem([address], { timeout: 100 });
    assert.match(failure.message, /got no response within 100ms$/);
    assert.ok(failure.retry);
    await within('the end of its connection', gone ?? Promise.reject());
  }
});

test('destroying one request leaves concurrent ones with the same token alone', async () => {
  let requests = 0;
  const hanging = await serve(() => requests++);
  const held: (() => void)[] = [];
  const slow = await serve((_, response) => held.push(() => response.end(JSON.stringify(GOOD))));
  const clock = fakeClock();
  const ended = problem([hanging], { timeout: 200, clock });
  await until('the request', () => requests > 0);
  const others = Array.from({ length: 20 }, () => ask([slow]));
  await until('the others', () => held.length === 20);
  await clock.advance(200);
  assert.match((await ended).message, /got no response within 200ms$/);
  for (const respond of held) respond();
  for (const other of others) assert.is((await other).accessKeyId, 'ASIAEXAMPLE');
});

test('cuts off an endless response at 64 KiB and closes its connection', async () => {
  for (const status of [200, 500]) {
    let sent = 0;
    let gone: Promise<unknown> | undefined;
    const address = await serve((request, response) => {
      gone = new Promise((resolve) => request.socket.once('close', resolve));
      response.writeHead(status);
      const chunk = Buffer.alloc(1024, ' ');
      const more = (error?: Error | null): void => {
        sent += chunk.length;
        if (!error && !response.destroyed) response.write(chunk, (failed) => setImmediate(more, failed));
      };
      more();
    });
    const failure = await within('the end of the response', problem([address]));
    assert.match(
      failure.message,
      status === 200 ? /a response without valid AccessKeyId/ : /got HTTP status 500$/,
    );
    await within('the end of its connection', gone ?? Promise.reject());
    assert.ok(sent < 64 * 1024 * 1024, String(sent));
  }
});

test('reports a protocol upgrade as a rejection, without a hang', async () => {
  const address = await serve((request) =>
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  );
  assert.match((await problem([address])).message, /got HTTP status 101$/);
});

test('prints nothing after a suspension for longer than every timeout', async () => {
  const requested = Promise.withResolvers<void>();
  const address = await serve(() => requested.resolve());
  const failed = problem([address], { timeout: 100 });
  await requested.promise;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await failed;
  // The timers that are due at the same time.
  await new Promise(setImmediate);
  assert.equal(printed, []);
});

test('accepts a slow response and prints nothing about it', async () => {
  const address = await serve((_, response) => setTimeout(() => response.end(JSON.stringify(GOOD)), 1200));
  assert.is((await ask([address])).accessKeyId, 'ASIAEXAMPLE');
  assert.equal(printed, []);
});

test.run();
