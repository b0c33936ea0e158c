import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, get } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CachedCredentials } from '../../src/aws/credential-cache.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { openSecretSource } from '../../src/aws/secret-source.ts';
import { noState } from '../../src/aws/source-state.ts';
import { createTransport, type Transport } from '../../src/aws/transport.ts';
import type { RequestError } from '../../src/http/request.ts';
import { selfSigned } from '../fake-aws/certificate.ts';
import { startFakeAws } from '../fake-aws/server.ts';
import { rejects } from '../support/rejects.ts';
import { until, WAIT_LIMIT } from '../support/wait.ts';
import { outcomeText, POD_TOKEN, parameter, REGION, ROLE, realClock, recordingLog, secret } from './world.ts';

const test = suite('early connections');

const certificate = selfSigned();
const directory = mkdtempSync(join(tmpdir(), 'podsecrets-early-'));
const authority = join(directory, 'ca.pem');
writeFileSync(authority, certificate.cert);
const closers: (() => void)[] = [];
test.after(() => {
  for (const close of closers) close();
  rmSync(directory, { recursive: true });
});

interface Listening {
  readonly port: number;
  /** Every connection so far. */
  readonly sockets: Socket[];
}

async function listening(server: Server): Promise<Listening> {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** Passes every connection on to another port. */
function forwarder(port: number): Server {
  return createServer((socket) => {
    const further = connect(port, '127.0.0.1');
    socket.pipe(further).pipe(socket);
    for (const side of [socket, further])
      side
        .on('error', () => {})
        .on('close', () => {
          socket.destroy();
          further.destroy();
        });
  });
}

function open(awsTimeout = WAIT_LIMIT): Transport {
  return createTransport({
    environment: readAwsEnvironment({ AWS_CA_BUNDLE: authority }),
    awsTimeout,
    clock: realClock,
  });
}

async function request(transport: Transport, port: number): Promise<number> {
  const { response } = await transport.handle({
    protocol: 'https:',
    hostname: 'localhost',
    port,
    method: 'POST',
    path: '/',
    headers: {},
    body: '',
  });
  return response.statusCode;
}

const earlyTo = (transport: Transport, port: number): Promise<void> =>
  transport.connectEarly(new URL(`https://localhost:${port}`));

test('the connections to both services open while the credentials are fetched', async () => {
  const aws = await startFakeAws({
    tls: certificate,
    seed: {
      identities: { app: { role: ROLE, podIdentityTokens: [POD_TOKEN] } },
      regions: { [REGION]: { secrets: { one: 'v' }, parameters: { '/two': 'w' } } },
    },
  });
  closers.push(() => void aws.close());
  const awsPort = Number(new URL(aws.url).port);
  const services = {
    secretsManager: await listening(forwarder(awsPort)),
    ssm: await listening(forwarder(awsPort)),
  };
  // Responds only after both services have a connection.
  const agent = await listening(
    createHttpServer(async ({ headers: { authorization } }, response) => {
      await until('connections before the credentials', () =>
        Object.values(services).every(({ sockets }) => sockets.length > 0),
      );
      get(aws.agentUrl, { headers: { authorization } }, (credentials) => credentials.pipe(response));
    }),
  );
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, POD_TOKEN);
  const environment = readAwsEnvironment({
    AWS_CA_BUNDLE: authority,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `https://localhost:${services.secretsManager.port}`,
    AWS_ENDPOINT_URL_SSM: `https://localhost:${services.ssm.port}`,
  });
  const source = openSecretSource({
    authentication: {
      kind: 'pod-identity',
      addresses: [`http://127.0.0.1:${agent.port}/v1/credentials`],
      tokenFile,
      injected: true,
    },
    environment,
    transport: createTransport({ environment, awsTimeout: WAIT_LIMIT, clock: realClock }),
    fetch: 'auto',
    awsTimeout: WAIT_LIMIT,
    clock: realClock,
    log: recordingLog([]),
    meter: { apiCall() {} },
  });
  const reads = [secret('one'), parameter('/two')];
  for (let times = 0; times < 2; times++) {
    const outcomes = await source.read(reads, new AbortController().signal);
    assert.equal(
      reads.map((read) => outcomeText(outcomes.get(read.key)).split(' ').slice(0, 2).join(' ')),
      ['found v', 'found w'],
    );
  }
  // The requests used these connections, and the second fetch, which had credentials, opened no others.
  assert.is(services.secretsManager.sockets.length, 1);
  assert.is(services.ssm.sockets.length, 1);
});

test('with IRSA the connection to STS opens with the others, and not while credentials are kept', async () => {
  const aws = await startFakeAws({
    tls: certificate,
    seed: {
      identities: { app: { role: ROLE, webIdentityTokens: ['web-token'] } },
      regions: { [REGION]: { secrets: { one: 'v' } } },
    },
  });
  closers.push(() => void aws.close());
  const awsPort = Number(new URL(aws.url).port);
  const tokenFile = join(directory, 'web-token');
  writeFileSync(tokenFile, 'web-token');
  const [sts, secretsManager] = [await listening(forwarder(awsPort)), await listening(forwarder(awsPort))];
  const environment = readAwsEnvironment({
    AWS_CA_BUNDLE: authority,
    AWS_ENDPOINT_URL_STS: `https://localhost:${sts.port}`,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `https://localhost:${secretsManager.port}`,
  });
  const kept = new Map<string, CachedCredentials>();
  const connectedEarly: string[] = [];
  const read = async (): Promise<string> => {
    const transport = createTransport({ environment, awsTimeout: WAIT_LIMIT, clock: realClock });
    const source = openSecretSource({
      authentication: { kind: 'irsa', roleArn: ROLE, tokenFile, sessionName: 'test' },
      environment,
      transport: {
        ...transport,
        connectEarly(url) {
          connectedEarly.push(url.port);
          return transport.connectEarly(url);
        },
      },
      fetch: 'auto',
      awsTimeout: WAIT_LIMIT,
      clock: realClock,
      log: recordingLog([]),
      meter: { apiCall() {} },
      state: {
        ...noState,
        credentials: (identity) => kept.get(identity),
        keepCredentials(identity, credentials) {
          if (credentials !== undefined) kept.set(identity, credentials);
        },
      },
    });
    const ref = secret('one');
    return outcomeText((await source.read([ref], new AbortController().signal)).get(ref.key));
  };
  for (const early of [[sts.port, secretsManager.port], [secretsManager.port]]) {
    connectedEarly.length = 0;
    assert.match(await read(), /^found v/);
    assert.equal(connectedEarly, early.map(String));
  }
  // The requests used the connections.
  assert.equal([sts.sockets.length, secretsManager.sockets.length], [1, 2]);
});

test('the next request to the host takes the connection, the one after it the same', async () => {
  const server = createTlsServer({ ...certificate, keepAliveTimeout: WAIT_LIMIT }, (_, response) =>
    response.end(),
  );
  const { port, sockets } = await listening(server);
  const transport = open();
  await Promise.all([earlyTo(transport, port), earlyTo(transport, port)]);
  await until('a connection', () => sockets.length === 1);
  assert.equal([await request(transport, port), await request(transport, port)], [200, 200]);
  assert.is(sockets.length, 1);
});

test('a request opens its own connection when the early one has failed', async () => {
  let closedEarly = 0;
  const { port: awsPort } = await listening(createTlsServer(certificate, (_, response) => response.end()));
  const through = forwarder(awsPort);
  const { port, sockets } = await listening(through);
  through.prependOnceListener('connection', (socket) => {
    closedEarly++;
    socket.destroy();
  });
  const transport = open();
  await earlyTo(transport, port);
  await until('the end of the early connection', () => closedEarly === 1 && sockets[0]?.closed === true);
  await until('a response', async () => (await request(transport, port).catch(() => 0)) === 200);
  assert.is(sockets.length, 2);
});

test('an early connection that stops in its handshake is an error of the connection, not of the response', async () => {
  const { port, sockets } = await listening(createServer(() => {}));
  const transport = open(100);
  await earlyTo(transport, port);
  await until('a connection', () => sockets.length === 1);
  const { code, phase } = (await rejects(request(transport, port))) as RequestError;
  assert.equal([code, phase], ['TimeoutError', 'connect']);
  assert.is(sockets.length, 1);
});

test('a host that does not exist is an error of the lookup', async () => {
  const transport = open();
  void transport.connectEarly(new URL('https://host.invalid'));
  const failing = transport.handle({
    protocol: 'https:',
    hostname: 'host.invalid',
    method: 'POST',
    path: '/',
    headers: {},
  });
  assert.is(((await rejects(failing)) as RequestError).phase, 'lookup');
});

test('plain HTTP opens nothing early', async () => {
  const { port, sockets } = await listening(createHttpServer((_, response) => response.end()));
  const transport = open();
  await transport.connectEarly(new URL(`http://127.0.0.1:${port}`));
  await transport.handle({
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    method: 'POST',
    path: '/',
    headers: {},
  });
  assert.is(sockets.length, 1);
});

test.run();
