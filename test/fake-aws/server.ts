/**
 * An embedded fake AWS: Pod Identity agent, STS, Secrets Manager and Parameter Store behind one HTTP server, with the
 * real wire protocols and real signatures.
 *
 *   const aws = await startFakeAws({ seed });           // or { seed: parseSeed(yaml), host, port, tls, clock }
 *   process.env.AWS_ENDPOINT_URL = aws.url;             // serves every service and every region
 *   aws.addFault({ on: { operation: 'GetSecretValue' }, times: 2, does: { kind: 'throttle' } });
 *   aws.count({ service: 'secretsmanager' });           // the journal; all verbs are in controls.ts
 *   await aws.close();
 *
 * Each call passes these steps: (1) read and routed, (2) written into the journal, (3) delayed or closed by a fault,
 * (4) authenticated, (5) processed, or rejected by a fault or by the service, (6) damaged by a fault, (7) sent.
 */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { authenticate, expiredCredentials } from './authentication.ts';
import { AwsError, asAwsError } from './aws-error.ts';
import { CONTROL_PATH, control } from './control-api.ts';
import { type Controls, controlled } from './controls.ts';
import { damaged, harmfulError, withBatchErrors, withheldIds } from './damage.ts';
import type { Harm } from './faults.ts';
import { anonymous } from './identities.ts';
import type { JournalEntry } from './journal.ts';
import { type Call, callOf } from './routing.ts';
import type { Seed } from './seed.ts';
import type { HttpRequest, HttpResponse } from './service.ts';

export interface FakeAwsOptions {
  /** Default: an empty account without identities. */
  readonly seed?: Seed;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** PEM texts; with them AWS is served over TLS. The Pod Identity agent is always served over plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly clock?: FakeAwsClock;
}

interface FakeAwsClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits for the latency of a fault. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface FakeAws extends Controls {
  /** For `AWS_ENDPOINT_URL`. */
  readonly url: string;
  /** For `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly agentUrl: string;
  /** Ends every connection, even those that a fault keeps open. */
  close(): Promise<void>;
}

/** Milliseconds: longer than any test pauses, so that no request meets a connection that is just being closed. */
const IDLE = 60_000;

const realClock: FakeAwsClock = {
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

export async function startFakeAws(options: FakeAwsOptions = {}): Promise<FakeAws> {
  const { seed = {}, host = '127.0.0.1', port = 0, tls, clock = realClock } = options;
  const { state, controls } = controlled(seed, clock.now);
  const connections = new WeakMap<Socket, number>();
  const closing = new AbortController();
  let connectionCount = 0;

  const plain = createServer(onRequest);
  const servers = tls === undefined ? [plain] : [createTlsServer(tls, onRequest), plain];
  const [url = '', agentAddress = url] = await Promise.all(
    servers.map(async (server, index) => {
      server.keepAliveTimeout = IDLE;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(index === 0 ? port : 0, host, resolve);
      });
      const address = server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return `http${server === plain ? '' : 's'}://${name}:${address.port}`;
    }),
  );

  return {
    ...controls,
    url,
    agentUrl: `${agentAddress}/v1/credentials`,
    async close() {
      closing.abort();
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const server of servers) server.closeAllConnections();
      await Promise.all(closed);
    },
  };

  function onRequest(incoming: IncomingMessage, response: ServerResponse): void {
    serve(incoming, response).catch((bug: unknown) => {
      // A client that closed the connection, or the end of this server, is not a bug.
      if (closing.signal.aborted || incoming.socket.destroyed) return;
      send(response, { status: 500, headers: {}, body: asAwsError(bug).message });
    });
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    // (1)
    const request = await read(incoming);
    if (request.path.startsWith(CONTROL_PATH)) return send(response, control(request, controls));
    const call = callOf(request);
    if (call === undefined) return send(response, { status: 404, headers: {}, body: '404 page not found\n' });
    // (2)
    const entry = entryFor(call, request, connectionOf(incoming.socket));
    state.journal.add(entry);
    // (3)
    const harm = state.faults.take({ ...call, service: call.service.name });
    entry.fault = harm.does?.kind ?? (harm.latency > 0 ? 'latency' : undefined);
    if (harm.latency > 0) await clock.sleep(harm.latency, closing.signal);
    if (harm.does?.kind === 'hang') return;
    if (harm.does?.kind === 'cut' && harm.does.at === 'before-headers') {
      incoming.socket.destroy();
      return;
    }
    // (4) to (6)
    const result = damaged(execute(call, request, harm, entry), harm);
    // (7)
    if (harm.does?.kind === 'cut') return sendHalf(response, result);
    send(response, result);
    entry.status = result.status;
    entry.sent = Buffer.byteLength(result.body);
  }

  /** (4) and (5) */
  function execute(call: Call, request: HttpRequest, harm: Harm, entry: JournalEntry): HttpResponse {
    const { service, operation, does, input, region } = call;
    const { account } = state;
    try {
      if (does === undefined) throw new AwsError('UnknownOperationException', '');
      const signed = does.signed !== false;
      const caller = signed ? authenticate(request, service, account) : anonymous;
      if (signed) entry.identity = caller.arn;
      const expired = harm.does?.kind === 'expired';
      if (signed && expired) throw expiredCredentials(service.protocol);
      const error = harmfulError(harm, service);
      if (error !== undefined) throw error;
      if (input === undefined) throw new AwsError('SerializationException', '');
      const withheld = withheldIds(harm);
      const context = { account, region, request, caller, issueExpired: expired, withheld };
      return service.encode(operation, withBatchErrors(does.run(input, context), harm));
    } catch (thrown) {
      const error = asAwsError(thrown);
      entry.code = error.code;
      return service.encodeError(error);
    }
  }

  function entryFor(call: Call, request: HttpRequest, connection: number): JournalEntry {
    return {
      at: state.now(),
      service: call.service.name,
      operation: call.operation,
      region: call.region,
      ids: call.ids,
      identity: undefined,
      status: 0,
      code: undefined,
      fault: undefined,
      received: request.body.length,
      sent: 0,
      connection,
    };
  }

  function connectionOf(socket: Socket): number {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    connectionCount += 1;
    connections.set(socket, connectionCount);
    return connectionCount;
  }

  function send(response: ServerResponse, result: HttpResponse): void {
    writeHead(response, result);
    response.end(result.body);
  }

  /** Announces the whole body, sends half of it and closes the connection. */
  function sendHalf(response: ServerResponse, result: HttpResponse): void {
    writeHead(response, result);
    const body = Buffer.from(result.body);
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  }

  function writeHead(response: ServerResponse, { status, headers, body }: HttpResponse): void {
    response.writeHead(status, {
      ...headers,
      'content-length': Buffer.byteLength(body),
      'x-amzn-requestid': randomUUID(),
      // The SDK corrects its clock by this header, so it comes from the same clock as everything else.
      date: new Date(state.now()).toUTCString(),
    });
  }
}

async function read(incoming: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2);
  return {
    method: incoming.method ?? '',
    path,
    query,
    // Only Set-Cookie, which no client sends, comes as a list.
    headers: incoming.headers as Readonly<Record<string, string | undefined>>,
    body: Buffer.concat(chunks),
  };
}
