/**
 * A process stays within the chart's memory limit of 128 MiB for any response: each kind of response that could fill the memory,
 * from each service. The kernel would kill a process that needs more.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { selfSigned } from '../fake-aws/certificate.ts';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { openMemoryLimit } from '../support/memory-limit.ts';
import { binary, start } from '../support/program.ts';
import { irsaEnv, makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
import { WITH_ACCOUNT } from './kubernetes-rows.ts';

const LIMIT = 128 * 1024 * 1024;
const KIB = 1024;

/** The operations, and the bytes that the response of each may have (src/aws/transport.ts). */
const OPERATIONS = {
  agent: 64 * KIB,
  AssumeRoleWithWebIdentity: 64 * KIB,
  GetSecretValue: 512 * KIB,
  BatchGetSecretValue: 10 * 1024 * KIB,
  GetParameters: 1024 * KIB,
} as const;
type Operation = keyof typeof OPERATIONS;

/** Answers; `size` is what the operation may have. */
const ATTACKS: Readonly<Record<string, (response: ServerResponse, size: number) => void>> = {
  'a body without an end': (response) => endless((chunk, sent) => response.write(chunk, sent), 'a'),
  'headers without an end': (response) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\n');
    endless((chunk, sent) => socket?.write(chunk, sent), 'x-header: a\r\n');
  },
  'a status line without an end': ({ socket }) => {
    socket?.write('HTTP/1.1 200 ');
    endless((chunk, sent) => socket?.write(chunk, sent), 'a');
  },
  'informational responses without an end': ({ socket }) => {
    endless((chunk, sent) => socket?.write(chunk, sent), 'HTTP/1.1 102 Processing\r\n\r\n');
  },
  'a gzip bomb': (response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' });
    response.end(bomb);
  },
  'lists in lists': (response, size) => response.end('['.repeat(size)),
  'lists in lists that are closed': (response, size) =>
    response.end('['.repeat(size / 2) + ']'.repeat(size / 2)),
  'objects in objects': (response, size) => response.end(filled('', '{"a":', '', size)),
  'empty objects': (response, size) => response.end(filled('{"SecretValues":[', '{},', '{}]}', size)),
  'empty parameters': (response, size) => response.end(filled('{"Parameters":[', '{},', '{}]}', size)),
  'empty lists': (response, size) => response.end(filled('[', '[],', '[]]', size)),
  'many keys': (response, size) => {
    let keys = '';
    for (let key = 0; keys.length < size - 100; key++) keys += `"${key.toString(36)}x":{},`;
    response.end(`{${keys}"last":{}}`);
  },
  'one long value': (response, size) => response.end(filled('{"SecretString":"', 'a', '"}', size)),
  'a value of escapes': (response, size) => response.end(filled('{"SecretString":"', '\\u00e4', '"}', size)),
  'elements in elements': (response, size) => response.end(filled('', '<a>', '', size)),
  'an error of the largest size': (response, size) =>
    response.writeHead(500).end(filled('{"__type":"X","message":"', 'a', '"}', size)),
};

const bomb = gzipSync(Buffer.alloc(256 * 1024 * KIB, 'a'));

function filled(before: string, piece: string, after: string, size: number): string {
  return before + piece.repeat(Math.floor((size - before.length - after.length) / piece.length)) + after;
}

function endless(write: (chunk: string, sent: (error?: Error | null) => void) => void, piece: string): void {
  const chunk = piece.repeat(256 * KIB);
  const more = (error?: Error | null): void => {
    if (!error) write(chunk, more);
  };
  more();
}

/** The fake AWS, reduced to what is needed here. The first part of the path names the operation, and the attack in the response. */
async function openServer() {
  const sockets = new Set<Socket>();
  const hits = new Map<string, number>();
  const server = createServer(async (request, response) => {
    for (const part of [response, request.socket.setMaxListeners(0)]) part.on('error', () => {});
    const operation = operationOf(request, await text(request).catch(() => ''));
    const [, place = ''] = (request.url ?? '').split('/');
    const [hostile, attack = ''] = decodeURIComponent(place).split('.');
    if (operation !== hostile) return respondWell(operation, response);
    hits.set(attack, (hits.get(attack) ?? 0) + 1);
    ATTACKS[attack]?.(response, OPERATIONS[operation]);
  }).on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    attack(operation: Operation, attack: string) {
      hits.delete(attack);
      const url = `http://127.0.0.1:${port}/${encodeURIComponent(`${operation}.${attack}`)}`;
      return { url, agentUrl: `${url}/v1/credentials`, hits: () => hits.get(attack) ?? 0 };
    },
    close(): void {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function operationOf({ url, headers }: IncomingMessage, body: string): Operation {
  if (url?.endsWith('/v1/credentials')) return 'agent';
  if (body.includes('AssumeRoleWithWebIdentity')) return 'AssumeRoleWithWebIdentity';
  return String(headers['x-amz-target']).split('.').at(-1) as Operation;
}

function respondWell(operation: Operation, response: ServerResponse): void {
  const Expiration = new Date(Date.now() + 3600_000).toISOString();
  response.end(
    operation === 'agent'
      ? JSON.stringify({ AccessKeyId: 'a', SecretAccessKey: 'b', Token: 'c', AccountId: '1', Expiration })
      : `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>a</AccessKeyId>
         <SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>${Expiration}</Expiration>
         </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
}

/** Several calls at once of each operation: 41 secrets are three batches. */
const secrets = Array.from({ length: 41 }, (_, at) => ({
  objectName: `s${at}`,
  objectType: 'secretsmanager',
}));
const parameters = Array.from({ length: 41 }, (_, at) => ({
  objectName: `/p${at}`,
  objectType: 'ssmparameter',
  objectAlias: `p${at}`,
}));

const memory = suite<{ server: Awaited<ReturnType<typeof openServer>> }>('memory limit');
memory.before(async (context) => {
  context.server = await openServer();
});
memory.after(({ server }) => server.close());

/** Each by another limit: of the bytes, of the headers, of the compression, of the structure, of the text. */
const KINDS = [
  'a body without an end',
  'headers without an end',
  'a gzip bomb',
  'many keys',
  'a value of escapes',
] as const;

/** A sidecar has other modules, but processes a response in the same way; the largest responses are those of a batch. */
const runs: readonly (readonly ['init' | 'sidecar', Operation, readonly string[]])[] = [
  ['init', 'BatchGetSecretValue', Object.keys(ATTACKS)],
  ['sidecar', 'BatchGetSecretValue', KINDS],
  ['init', 'GetSecretValue', KINDS],
  ['init', 'GetParameters', [...KINDS, 'empty parameters']],
  ['init', 'agent', KINDS],
  ['init', 'AssumeRoleWithWebIdentity', [...KINDS, 'elements in elements']],
];

for (const [command, operation, attacks] of runs) {
  memory(`${command} stays within 128 MiB for any response to ${operation}`, async ({ server }) => {
    const left = [...attacks];
    const work = async (): Promise<void> => {
      for (let attack = left.pop(); attack !== undefined; attack = left.pop())
        await staysWithinLimit(command, operation, attack, server.attack(operation, attack));
    };
    await Promise.all(Array.from({ length: 3 }, work));
  });
}

/** Responses of the Kubernetes API to a GET of each of twelve Secrets, of the largest size that is read. */
const SECRET_ATTACKS: Readonly<Record<string, readonly [status: number, body: string]>> = {
  'a message': [200, filled('{"message":"', 'a', '"}', 4 * 1024 * KIB)],
  'empty objects': [200, filled('[', '{},', '{}]', 4 * 1024 * KIB)],
  'a message of an error': [500, filled('{"message":"', 'a', '"}', 4 * 1024 * KIB)],
};

for (const [attack, [status, body]] of Object.entries(SECRET_ATTACKS)) {
  memory(`init stays within 128 MiB if the Kubernetes API responds with ${attack}`, async () => {
    const what = `the memory of init with a Kubernetes API that responds with ${attack}`;
    if (!isAllowed(what, ['unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/run'])) return;
    const limit = openMemoryLimit(what, LIMIT, binary);
    if (limit === undefined) return;
    const certificate = selfSigned();
    const kubernetes = createTlsServer(certificate, (request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((resolve) => kubernetes.listen(0, '127.0.0.1', resolve));
    const aws = await startFakeAwsProcess({
      identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['t'] } },
      regions: { 'eu-west-1': { secrets: { db: 'x' } } },
    });
    const box = makeSandbox();
    try {
      const names = Array.from({ length: 12 }, (_, at) => `app${at}`);
      const secretObjects = names.map((secretName) => ({
        secretName,
        type: 'Opaque',
        data: [{ objectName: 'db', key: 'k' }],
      }));
      const objects = [{ objectName: 'db', objectType: 'secretsmanager' }];
      box.writeConfig({ usePodIdentity: 'true', objects }, { secretObjects });
      for (const [name, text] of [
        ['token', 't'],
        ['namespace', 'shop'],
        ['ca.crt', certificate.cert],
      ] as const)
        box.write(name, text);
      const env = {
        ...podIdentityEnv(box, aws, 't'),
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: String((kubernetes.address() as AddressInfo).port),
      };
      const args = [
        'init',
        '--config',
        box.config,
        '--dir',
        box.dir,
        '--sync-secrets',
        '--start-timeout',
        '4s',
      ];
      const command = ['unshare', '-m', 'sh', '-c', WITH_ACCOUNT, box.root, ...limit.command] as const;
      const { code, stderr } = await start(args, env, command).ended();
      assert.is(limit.kills(), 0, `peak ${limit.peak()} bytes\n${stderr}`);
      assert.is(code, 8, stderr);
    } finally {
      await limit.remove();
      await aws.stop();
      kubernetes.close();
      kubernetes.closeAllConnections();
      box.remove();
    }
  });
}

async function staysWithinLimit(
  command: 'init' | 'sidecar',
  operation: Operation,
  attack: string,
  aws: ReturnType<Awaited<ReturnType<typeof openServer>>['attack']>,
): Promise<void> {
  const limit = openMemoryLimit(`the memory of ${command}, ${operation}, ${attack}`, LIMIT, binary);
  if (limit === undefined) return;
  const box = makeSandbox();
  try {
    const token = 'eyJhbGciOiJub25lIn0.e30.x';
    const isSts = operation === 'AssumeRoleWithWebIdentity';
    const objects = operation === 'GetParameters' ? parameters : secrets;
    box.writeConfig({ ...(isSts ? {} : { usePodIdentity: 'true' }), objects });
    const env = isSts
      ? irsaEnv(box, aws, 'arn:aws:iam::111122223333:role/app', token)
      : podIdentityEnv(box, aws, token);
    const args = ['--config', box.config, '--dir', box.dir, '--start-timeout', '4s', '--aws-timeout', '2s'];
    args.push('--fetch', operation === 'GetSecretValue' ? 'single' : 'batch');
    if (command === 'sidecar') args.push('--listen', 'off');
    const { code, signal, stderr } = await start([command, ...args], env, limit.command).ended();
    const about = `${attack}: ended with ${code ?? signal}, peak ${limit.peak()} bytes\n${stderr}`;
    assert.ok(aws.hits() > 0, `no request was sent: ${about}`);
    assert.is(limit.kills(), 0, about);
    // Credentials, or the fetch: an error of the program, not its end.
    assert.is(code, operation === 'agent' || isSts ? 4 : 5, about);
    assert.equal(box.files(), {}, about);
  } finally {
    await limit.remove();
    box.remove();
  }
}

memory.run();
