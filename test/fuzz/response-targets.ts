/**
 * The responses of Secrets Manager, Parameter Store and STS, from the status line to the result of a fetch.
 *
 * An input is an HTTP response: a status, headers, an empty line, a body. It replaces the socket; damaged connections are in
 * responses.fuzz.test.ts.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import type { ClientContext } from '../../src/aws/client.ts';
import { type AwsCredentials, areUsable, type Credentials } from '../../src/aws/credential-cache.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { createParameterStore } from '../../src/aws/parameter-store.ts';
import { createSecretsManager } from '../../src/aws/secrets-manager.ts';
import { checkBody, operationOf, type Transport } from '../../src/aws/transport.ts';
import { fetchFromWebIdentity } from '../../src/aws/web-identity.ts';
import type { FetchResult } from '../../src/config/secret-ref.ts';
import { Problem, problemLine } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { parameter, REGION, ROLE, secret } from '../aws/world.ts';
import { fakeClock } from '../support/clock.ts';
import { scratch } from '../support/scratch.ts';
import type { Target } from './fuzz.ts';

/** The value in the saved responses. Two words, so that it is neither a name, nor a version, nor a request id. */
const CANARY = 'kanarien vogel';
/** The secret key in those of STS, which must be one word. */
const KEY_CANARY = 'kanarienschluessel';

const responses = new AsyncLocalStorage<string>();

const transport: Transport = {
  async connectEarly() {},
  updateHttpClientConfig() {},
  httpHandlerConfigs: () => ({}),
  async handle(request) {
    const [head = '', body = ''] = split(responses.getStore() ?? '', '\n\n');
    const [status = '', fields = ''] = split(head, '\n');
    const bytes = Buffer.from(body, 'latin1');
    const peer = 'aws.test:443';
    checkBody(operationOf(request), peer, bytes);
    const headers = fields.split('\n').map((line) => split(line, ': '));
    return {
      response: {
        peer,
        statusCode: Math.min(599, Math.max(200, Number.parseInt(status, 10) || 200)),
        reason: undefined,
        headers: Object.fromEntries(headers.filter(([name]) => /^[\w-]+$/.test(name ?? ''))),
        body: bytes,
      },
    };
  },
};

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}

const credentials: Credentials = {
  get: async () => ({ accessKeyId: 'ASIA', secretAccessKey: 'b', sessionToken: 'c' }),
  invalidate() {},
  expiry: () => undefined,
  link: () => undefined,
};
const context: ClientContext = {
  region: REGION,
  environment: readAwsEnvironment({}),
  transport,
  clock: fakeClock({ now: Date.now() }),
  meter: { apiCall() {} },
};
const secretsManager = createSecretsManager(context, credentials);
const parameterStore = createParameterStore(context, credentials);
const signal = new AbortController().signal;

const ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf';
const secretRefs = ['a', 'b', 'c', ARN].map((id) => secret(id));
const parameterRefs = [parameter('/a'), parameter('/b', { version: '1' }), parameter('/c', { stage: 'x' })];

const words = [
  ...[
    'null',
    'true',
    '0',
    '-1',
    '1e400',
    '[]',
    '{}',
    '""',
    '[[',
    '"\\ud800"',
    '"\\u0000"',
    '__proto__',
    '\xff',
  ],
  ...['SecretString', 'SecretBinary', 'SecretValues', 'Errors', 'ErrorCode', 'VersionId', 'Name', 'ARN'],
  ...['Parameters', 'InvalidParameters', 'Value', 'Version', 'Selector', '"__type":"X#Y",', 'nextToken'],
  ...[
    'x-amzn-errortype: AccessDeniedException\n',
    'x-amzn-requestid: r-1\n',
    'content-type: application/cbor\n',
  ],
  ...[
    'date: Thu, 01 Jan 1970 00:00:00 GMT\n',
    '400\n',
    '204\n',
    '301\n',
    '<Credentials>',
    '<Error><Code>',
    '&#0;',
  ],
  ...['<!DOCTYPE a [<!ENTITY a "aa">]>', '&a;', '<![CDATA[', 'ValidationException', 'ExpiredTokenException'],
];

/** The outcome of a fetch, after the checks of every result. */
function outcomeOf(result: FetchResult | undefined): string {
  if (result === undefined) return 'none';
  if (result.kind === 'found') {
    assert.instance(result.value, Secret);
    assert.match(result.version, /^[\x21-\x7e]{1,64}$/);
    return 'found';
  }
  return problemOutcome(result.problem);
}

function problemOutcome(problem: unknown): string {
  assert.instance(problem, Problem);
  const { code, message, remedy, retry } = problem as Problem;
  assert.ok(message !== '' && message.length < 1500 && remedy !== '');
  assert.not.match(problemLine(problem as Problem), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  // Texts of the response are in parentheses or quotes, and are not part of the outcome.
  return `${code} ${retry} ${`${message} ${remedy}`.replace(/\([^)]*\)|"[^"]*"|\d+/g, '')}`;
}

/** A message of AWS and the id of a request are shown, so a value in the place of one is shown too. */
const hidesValue = (input: string): boolean => !/message|request-?id\W*kanarien/i.test(input);

function target(name: string, read: () => Promise<readonly string[]>): Target {
  return {
    name,
    dictionary: words,
    // A repeated call waits first.
    lanes: 128,
    async execute(input) {
      const outcomes = await responses.run(input, read);
      return outcomes.join(' | ');
    },
  };
}

/** The outcomes of all results. */
function outcomesOf(results: readonly (FetchResult | undefined)[]): readonly string[] {
  const shown = inspect(results, { showHidden: true, depth: 20 }) + JSON.stringify(results);
  if (hidesValue(responses.getStore() ?? '')) assert.not.match(shown, CANARY);
  return results.map(outcomeOf);
}

const token = `${scratch()}/token`;
writeFileSync(token, 'eyJhbGciOiJub25lIn0.e30.x');

export const responseTargets: readonly Target[] = [
  target('get-secret-value', async () =>
    outcomesOf([await secretsManager.single(secretRefs[0] as (typeof secretRefs)[0], signal)]),
  ),
  target('batch-get-secret-value', async () => {
    const result = await secretsManager.batch(secretRefs, signal);
    if (result.kind === 'credentials') return [problemOutcome(result.problem)];
    if (result.kind === 'failure') return [`${result.failure.kind} ${result.failure.code === undefined}`];
    return outcomesOf(secretRefs.map(({ key }) => result.output.get(key)));
  }),
  target('get-parameters', async () => {
    const results = await parameterStore.read(parameterRefs, signal);
    return outcomesOf(parameterRefs.map(({ key }) => results.get(key)));
  }),
  target('assume-role-with-web-identity', async () => {
    const identity = { kind: 'irsa', roleArn: ROLE, sessionName: 'session', tokenFile: token } as const;
    const got = await fetchFromWebIdentity(identity, context).catch((error: unknown) => error);
    if (got instanceof Error) {
      if (hidesValue(responses.getStore() ?? '')) assert.not.match(inspect(got), KEY_CANARY);
      return [problemOutcome(got)];
    }
    assert.ok(areUsable(got as AwsCredentials));
    return ['credentials'];
  }),
];
