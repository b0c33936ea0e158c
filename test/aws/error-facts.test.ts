import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { entryFailure, errorFacts, incompleteResponse } from '../../src/aws/error-facts.ts';
import { RequestError } from '../../src/http/request.ts';
import { isTlsCode } from '../../src/http/tls-code.ts';

const test = suite('error facts');

const NOW = Date.UTC(2026, 0, 1);
const CANARY = 'hunter2';

/** An error as the SDK throws it. */
function awsError(name: string, status: number, more: object = {}): Error {
  return Object.assign(new Error('message of AWS'), {
    name,
    $fault: status < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: status, requestId: 'r-1' },
    ...more,
  });
}

for (const [name, status, kind] of [
  ['ResourceNotFoundException', 400, 'notFound'],
  ['ParameterNotFound', 400, 'notFound'],
  ['ParameterVersionNotFound', 400, 'notFound'],
  ['AccessDeniedException', 400, 'denied'],
  ['AccessDenied', 403, 'denied'],
  ['ExpiredTokenException', 400, 'expired'],
  ['ExpiredToken', 403, 'expired'],
  ['UnrecognizedClientException', 400, 'expired'],
  ['ValidationException', 400, 'client'],
  ['InvalidRequestException', 400, 'client'],
  ['InvalidSignatureException', 403, 'client'],
  ['RequestTimeoutException', 400, 'server'],
  ['RequestTimeout', 408, 'server'],
  ['DecryptionFailure', 400, 'client'],
  ['ThrottlingException', 400, 'throttled'],
  ['Throttling', 400, 'throttled'],
  ['SomethingNew', 429, 'throttled'],
  ['InternalServiceError', 500, 'server'],
  ['InternalServiceError', 400, 'server'],
  ['ServiceUnavailable', 503, 'server'],
  ['SomethingNew', 500, 'server'],
] as const) {
  test(`${name} with status ${status} is ${kind}`, () => {
    const failure = errorFacts(awsError(name, status), NOW);
    assert.equal(
      [failure?.kind, failure?.code, failure?.status, failure?.requestId],
      [kind, name, status, 'r-1'],
    );
    assert.is(failure?.message, 'message of AWS');
  });
}

test('a secret that is scheduled for deletion counts as not found', () => {
  const message = "You can't perform this operation on the secret because it was marked for deletion.";
  assert.is(errorFacts(awsError('InvalidRequestException', 400, { message }), NOW)?.kind, 'notFound');
});

for (const code of [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'EPROTO',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_PROXY_TUNNEL',
]) {
  test(`${code} is a network error`, () => {
    const failure = errorFacts(Object.assign(new Error(CANARY), { code, $metadata: { attempts: 3 } }), NOW);
    assert.equal([failure?.kind, failure?.code, failure?.message], ['network', code, undefined]);
  });
}

test('a timeout is a network error', () => {
  const failure = errorFacts(Object.assign(new Error('late'), { name: 'TimeoutError' }), NOW);
  assert.equal([failure?.kind, failure?.code], ['network', 'TimeoutError']);
});

test('a response that is not HTTP, not JSON or not an AWS error is not from AWS', () => {
  const response = { statusCode: 200, headers: {}, body: CANARY };
  const unparsed = Object.assign(new SyntaxError(`Unexpected token in "${CANARY}"`), { $response: response });
  const cases: [object, string][] = [
    [Object.assign(unparsed, { $metadata: { httpStatusCode: 200 } }), 'response'],
    [Object.assign(new TypeError(CANARY), { $response: response, $metadata: {} }), 'response'],
    [Object.assign(new Error(CANARY), { code: 'HPE_INVALID_CONSTANT', rawPacket: CANARY }), 'response'],
    [awsError('Unknown', 404, { message: CANARY }), 'response'],
    [
      Object.assign(new SyntaxError(CANARY), { $response: response, $metadata: { httpStatusCode: 502 } }),
      'server',
    ],
    [
      Object.assign(new SyntaxError(CANARY), { $response: response, $metadata: { httpStatusCode: 429 } }),
      'throttled',
    ],
  ];
  for (const [error, kind] of cases) {
    const failure = errorFacts(error, NOW);
    assert.is(failure?.kind, kind);
    assert.not.match(JSON.stringify(failure), CANARY);
  }
});

test('an endpoint that the SDK does not have is an error of the request', () => {
  const error = Object.assign(new Error('no FIPS in this partition'), { name: 'EndpointError' });
  assert.equal(errorFacts(error, NOW)?.kind, 'client');
});

test('any other error is a bug', () => {
  for (const thrown of [undefined, null, 'text', 7, {}, new Error('a bug'), new TypeError('x is undefined')])
    assert.is(errorFacts(thrown, NOW), undefined);
  assert.is(errorFacts(Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }), NOW), undefined);
});

for (const [header, wait] of [
  ['2', 2000],
  ['0.5', 500],
  ['0', undefined],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thu, 01 Jan 2025 00:00:30 GMT', undefined],
  ['soon', undefined],
  ['', undefined],
] as const) {
  test(`parses Retry-After: ${header} as ${wait}`, () => {
    const error = awsError('ThrottlingException', 400, { $response: { headers: { 'retry-after': header } } });
    assert.is(errorFacts(error, NOW)?.retryAfter, wait);
  });
}

test('drops a code or request id of another form', () => {
  const odd = awsError(`<html>${CANARY}\n`, 400, {
    $metadata: { httpStatusCode: 400, requestId: `${CANARY}\u001b[2J` },
  });
  assert.equal(errorFacts(odd, NOW), {
    kind: 'response',
    code: undefined,
    status: 400,
    message: undefined,
    requestId: undefined,
    retryAfter: undefined,
    peer: undefined,
    phase: undefined,
  });
});

test('an AWS error names the host that the transport attached to the response', () => {
  const response = { statusCode: 501, headers: {}, peer: 'aws.example:443' };
  assert.is(
    errorFacts(awsError('NotImplemented', 501, { $response: response }), NOW)?.peer,
    'aws.example:443',
  );
});

test('classifies a failure inside a response by its code', () => {
  assert.equal(entryFailure('ResourceNotFoundException', 'no such', 'r-2'), {
    kind: 'notFound',
    code: 'ResourceNotFoundException',
    status: undefined,
    message: 'no such',
    requestId: 'r-2',
    retryAfter: undefined,
    peer: undefined,
    phase: undefined,
  });
  assert.is(entryFailure('AccessDeniedException', undefined, undefined).kind, 'denied');
  assert.equal(entryFailure({}, CANARY, 7), incompleteResponse(undefined));
});

test('distinguishes TLS codes from others', () => {
  assert.ok(isTlsCode('DEPTH_ZERO_SELF_SIGNED_CERT'));
  assert.not(isTlsCode('ECONNRESET'));
  assert.not(isTlsCode(undefined));
});

test('a request error names its destination and the phase in which it failed', () => {
  const error = new RequestError('ECONNREFUSED', 'aws.example:443', 'connect');
  const { kind, peer, phase } = errorFacts(error, 0) ?? {};
  assert.equal([kind, peer, phase], ['network', 'aws.example:443', 'connect']);
  for (const code of [
    'ERR_UPGRADED',
    'ERR_RESPONSE_TOO_LARGE',
    'ERR_RESPONSE_TOO_COMPLEX',
    'ERR_RESPONSE_NOT_UTF8',
  ])
    assert.is(errorFacts(new RequestError(code, 'aws.example:443', 'response'), 0)?.kind, 'response');
});

test.run();
