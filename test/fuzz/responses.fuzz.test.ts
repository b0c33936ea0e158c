/**
 * Whatever a server responds in the place of AWS, every ref has a result, nothing crashes, and no value is quoted.
 *
 * Valid responses are damaged at random: fields are missing, exchanged or of other types, bytes flipped, texts cut, statuses
 * changed. The seed is fixed, so that a result depends on the code and not on chance; FUZZ_SEED sets another one.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { openSecretSource } from '../../src/aws/secret-source.ts';
import { createTransport } from '../../src/aws/transport.ts';
import type { FetchMode } from '../../src/cli/options.ts';
import { Problem } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { POD_TOKEN, parameter, recordingLog, secret } from '../aws/world.ts';
import { seededRandom } from '../fake-aws/random.ts';
import { fakeClock } from '../support/clock.ts';

const test = suite('damaged responses');

/** Concurrent, because the pauses between attempts take most of the time. */
const LANES = 40;
const ROUNDS = 10;
// Two words, so that it is neither a name, nor a version, nor a request id.
const CANARY = 'kanarien vogel';
/** In keys and tokens, which must be one word to be valid. */
const KEY_CANARY = 'kanarienschluessel';
const seed = Number(process.env.FUZZ_SEED ?? 20261125);
/** Seeded for each response, so that a seed damages the same responses in the same way, in any order of requests. */
let random = seededRandom(seed);
const below = (count: number): number => Math.floor(random() * count);
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T;

const ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf';
const SECRET = { ARN, Name: 'a', VersionId: 'v1', SecretString: CANARY, VersionStages: ['AWSCURRENT'] };
const good: Readonly<Record<string, object>> = {
  GetSecretValue: SECRET,
  BatchGetSecretValue: {
    SecretValues: [SECRET, { ...SECRET, Name: 'b', SecretString: undefined, SecretBinary: btoa(CANARY) }],
    Errors: [{ SecretId: 'c', ErrorCode: 'ResourceNotFoundException', Message: 'no' }],
  },
  GetParameters: {
    Parameters: [
      { Name: '/a', Value: CANARY, Version: 3, Type: 'SecureString' },
      { Name: '/b', Value: CANARY, Version: 1, Selector: ':1' },
    ],
    InvalidParameters: ['/c'],
  },
  credentials: {
    AccessKeyId: 'ASIA',
    SecretAccessKey: KEY_CANARY,
    Token: KEY_CANARY,
    Expiration: '2040-01-01T00:00:00Z',
  },
};

/** A value that JSON can represent. */
function anything(depth = 2): unknown {
  const leaves = [null, true, 0, -1.5, 1e300, '', CANARY, '\u0000', '../..', {}, []];
  if (depth === 0 || random() < 0.6) return oneOf(leaves);
  return random() < 0.5
    ? Array.from({ length: below(4) }, () => anything(depth - 1))
    : Object.fromEntries(['Name', 'Value', '__proto__', 'x'].map((key) => [key, anything(depth - 1)]));
}

/** The value with some of its parts missing, exchanged or doubled. */
function damagedValue(value: unknown, chance: number): unknown {
  if (random() < chance) return anything();
  if (Array.isArray(value))
    return value.flatMap((item) =>
      random() < chance ? [] : Array(1 + below(2)).fill(damagedValue(item, chance)),
    );
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      random() < chance ? [] : [[random() < chance / 2 ? `${key}x` : key, damagedValue(item, chance)]],
    ),
  );
}

function damagedText(text: string): string {
  switch (below(8)) {
    case 0:
      return text.slice(0, below(text.length + 1));
    case 1:
      return `${CANARY}${text}`;
    case 2:
      return `<html><body>${CANARY}</body></html>`;
    case 3:
      return '';
    case 4: {
      const at = below(text.length);
      return text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
    }
    default:
      return text;
  }
}

const printed: unknown[][] = [];
for (const name of ['log', 'info', 'warn', 'error'] as const)
  console[name] = (...words: unknown[]) => printed.push(words);

/** The same request in the same round gets the same damage. */
function listener(lane: number, counts: Map<string, number>): RequestListener {
  return (request, response) => {
    const target = String(request.headers['x-amz-target'] ?? '.credentials').split('.')[1] ?? '';
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      const key = `${target} ${Buffer.concat(body)}`;
      const times = (counts.get(key) ?? 0) + 1;
      counts.set(key, times);
      random = seededRandom(hash(`${seed} ${lane} ${counts.get('round')} ${key} ${times}`));
      respond(target, response);
    });
  };
}

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE();
}

function respond(target: string, response: ServerResponse): void {
  // Most credentials are valid, because without them nothing else is requested.
  if (target === 'credentials' && random() < 0.7) {
    response.end(JSON.stringify(good.credentials));
    return;
  }
  if (random() < 0.03) {
    response.destroy();
    return;
  }
  const status = random() < 0.8 ? 200 : oneOf([201, 204, 301, 400, 400, 403, 404, 500, 503]);
  response.writeHead(status, {
    'content-type': oneOf(['application/x-amz-json-1.1', 'text/html', 'application/cbor']),
    ...(random() < 0.2 ? { 'x-amzn-requestid': oneOf(['r-1', `${CANARY} x`]) } : {}),
    ...(random() < (status < 400 ? 0.1 : 0.7)
      ? { 'x-amzn-errortype': oneOf(['ValidationException', 'x#y:z', 'AccessDenied']) }
      : {}),
    ...(random() < 0.1 ? { 'retry-after': oneOf(['0', '-1', 'soon']) } : {}),
  });
  response.end(damagedText(JSON.stringify(damagedValue(good[target], 0.08))));
}

const directory = mkdtempSync(join(tmpdir(), 'podsecrets-fuzz-'));
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, POD_TOKEN);
test.after(() => rmSync(directory, { recursive: true }));

async function runLane(lane: number): Promise<void> {
  const counts = new Map<string, number>();
  const server = createServer(listener(lane, counts));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (let round = 0; round < ROUNDS; round++) {
    counts.clear();
    counts.set('round', round);
    await readOnce(url, hash(`${seed} ${lane} ${round}`) % 2 === 0 ? 'batch' : 'single');
  }
  server.close();
  server.closeAllConnections();
}

const reads = [
  ...['a', 'b', 'c', ARN].map((id) => secret(id)),
  parameter('/a'),
  parameter('/b', { version: '1' }),
  parameter('/c'),
];

async function readOnce(url: string, fetch: FetchMode): Promise<void> {
  const logged: string[] = [];
  const environment = readAwsEnvironment({ AWS_ENDPOINT_URL: url });
  // A stopped clock: a slow machine reaches no connection timeout.
  const clock = fakeClock({ now: Date.now() });
  const source = openSecretSource({
    authentication: { kind: 'pod-identity', addresses: [`${url}/`], tokenFile, injected: true },
    environment,
    transport: createTransport({ environment, awsTimeout: 5000, clock }),
    fetch,
    awsTimeout: 5000,
    clock,
    log: recordingLog(logged),
    meter: { apiCall: (...words) => logged.push(words.join(' ')) },
  });
  const outcomes = await source.read(reads, new AbortController().signal);
  for (const read of reads) {
    const outcome = outcomes.get(read.key);
    assert.ok(outcome, read.id);
    if (outcome.kind === 'failed') assert.instance(outcome.problem, Problem);
    else assert.instance(outcome.value, Secret);
  }
  const everything = `${inspect(outcomes, { showHidden: true, depth: 20 })}${JSON.stringify([...outcomes])}${logged.join()}`;
  assert.not.match(everything, CANARY);
  assert.not.match(everything, btoa(CANARY));
  assert.not.match(everything, KEY_CANARY);
  for (const outcome of outcomes.values())
    count(outcome.kind === 'found' ? outcome.kind : outcome.problem.code);
}

/** How often each outcome occurred, to check that there is neither too little nor too much damage. */
const results = new Map<string, number>();
function count(result: string): void {
  results.set(result, (results.get(result) ?? 0) + 1);
}

test(`${LANES * ROUNDS} rounds end with a result for each ref (FUZZ_SEED=${seed})`, async () => {
  await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
  assert.equal(printed, []);
  for (const result of ['found', 'fetch.notFound', 'fetch.response', 'fetch.client', 'credentials.agent'])
    assert.ok((results.get(result) ?? 0) > 10, `${result}: ${results.get(result)}`);
});

test.run();
