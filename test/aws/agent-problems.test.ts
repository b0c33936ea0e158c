/** Real responses of the EKS Pod Identity agent, and the Problems for them. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AgentFailure, agentProblem } from '../../src/aws/agent-problems.ts';

const test = suite('errors of the Pod Identity agent');

const AGENT = ['http://169.254.170.23/v1/credentials'];
const ID = '3f0c2d1e-5b6a-4c7d-8e9f-0123456789ab';
const SPREADS = 15_000;

/** `retry`: milliseconds during which it is retried; 0: never, undefined: until the start timeout. */
function check(failure: AgentFailure, message: RegExp, remedy: RegExp, retry: number | undefined): void {
  const problem = agentProblem(AGENT, failure);
  assert.is(problem.code, 'credentials.agent');
  assert.is(problem.subject, AGENT[0]);
  assert.match(problem.message, message);
  assert.match(problem.remedy, remedy);
  assert.is(problem.retry ? problem.retryFor : 0, retry);
}

for (const [code, status, sentence, remedy, retry] of [
  [
    'AccessDeniedException',
    403,
    'EKS does not have permissions to assume the associated role.',
    /sts:AssumeRole and sts:TagSession/,
    SPREADS,
  ],
  [
    'AccessDeniedException',
    400,
    'EKS does not have permissions to assume the associated role.',
    /sts:AssumeRole and sts:TagSession/,
    SPREADS,
  ],
  [
    'ExpiredTokenException',
    400,
    'The token included in the request is expired',
    /kubelet renews the token file/,
    SPREADS,
  ],
  ['InvalidTokenException', 400, 'The token included in the request is invalid', /Check the token file/, 0],
  ['InvalidParameterException', 400, 'Invalid cluster name', /Check the token file/, 0],
  ['ResourceNotFoundException', 404, 'No association found', /Create a Pod Identity association/, SPREADS],
  ['ThrottlingException', 429, 'Rate exceeded', /throttles requests/, undefined],
  ['ThrottlingException', 500, 'Rate exceeded', /throttles requests/, undefined],
  ['InternalServerException', 500, 'Internal', /log of the eks-pod-identity-agent/, undefined],
  ['ServiceUnavailableException', 503, 'Away', /log of the eks-pod-identity-agent/, undefined],
] as const) {
  test(`explains ${code} with status ${status}`, () => {
    const body = `[${ID}]: (${code}): ${sentence}, fault: ${status < 500 ? 'client' : 'server'}\n`;
    const failure = { kind: 'rejected', status, body } as const;
    check(failure, new RegExp(`got ${code} \\(HTTP status ${status}, request id ${ID}\\)$`), remedy, retry);
  });
}

for (const [body, status, message, remedy, retry] of [
  [
    'Service account token cannot be parsed: token is malformed: invalid number of segments',
    400,
    /the service account's token cannot be parsed$/,
    /Check the token file/,
    0,
  ],
  ['Service account token cannot be empty', 400, /cannot be parsed$/, /Check the token file/, 0],
  [
    'Service account token failed basic claim validations: token is expired',
    400,
    /token has expired$/,
    /clock/,
    SPREADS,
  ],
  [
    'Service account token failed basic claim validations: aud',
    400,
    /claims .* are not accepted$/,
    /Check the token file/,
    0,
  ],
  [
    'fetched credentials are expired or will expire within 10 seconds',
    500,
    /have expired or expire soon$/,
    /clock/,
    undefined,
  ],
  ['Unauthorized', 401, /got HTTP status 401$/, /trust policy/, SPREADS],
  ['404 page not found', 404, /got HTTP status 404$/, /address is that of the agent/, SPREADS],
  ['slow down', 429, /got HTTP status 429$/, /throttles requests/, undefined],
  ['', 502, /got HTTP status 502$/, /log of the eks-pod-identity-agent/, undefined],
] as const) {
  test(`explains status ${status} with the body ${body}`, () => {
    check({ kind: 'rejected', status, body: `${body}\n` }, message, remedy, retry);
  });
}

for (const [what, body] of [
  ['an id that is none', `[hunter2]: (AccessDeniedException): x, fault: client`],
  ['a code that is none', `[${ID}]: (hunter2 hunter2): x, fault: client`],
  ['words before it', `hunter2 [${ID}]: (AccessDeniedException): x`],
] as const) {
  test(`reads code and request id only from a body of the expected form: ${what}`, () => {
    const problem = agentProblem(AGENT, { kind: 'rejected', status: 403, body });
    assert.match(problem.message, /got HTTP status 403$/);
    assert.not.match(problem.message + problem.remedy, 'hunter2');
  });
}

test('reports no connection, a timeout and a response without credentials', () => {
  check(
    { kind: 'unreachable', code: 'ECONNREFUSED' },
    /no connection \(ECONNREFUSED\)$/,
    /add-on runs/,
    undefined,
  );
  check({ kind: 'timeout', ms: 5000 }, /no response within 5s$/, /EKS Auth/, undefined);
  check(
    { kind: 'response' },
    /response without valid AccessKeyId/,
    /address is that of the agent/,
    undefined,
  );
});

test('names both addresses', () => {
  const problem = agentProblem(['http://a', 'http://b'], { kind: 'unreachable', code: 'EHOSTUNREACH' });
  assert.is(problem.subject, 'http://a, http://b');
});

test.run();
