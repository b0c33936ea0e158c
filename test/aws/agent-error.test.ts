/** What the EKS Pod Identity agent really answers, and what is made of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AgentFailure, agentProblem } from '../../src/aws/agent-error.ts';

const test = suite('refusals of the Pod Identity agent');

const AGENT = ['http://169.254.170.23/v1/credentials'];
const ID = '3f0c2d1e-5b6a-4c7d-8e9f-0123456789ab';
const SPREADS = 15_000;

/** `retry`: for how long trying again is worth it; 0 is not at all, undefined as long as a start may take. */
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
  ['ThrottlingException', 429, 'Rate exceeded', /limits how often/, undefined],
  ['ThrottlingException', 500, 'Rate exceeded', /limits how often/, undefined],
  ['InternalServerException', 500, 'Internal', /agent's log/, undefined],
  ['ServiceUnavailableException', 503, 'Away', /agent's log/, undefined],
] as const) {
  test(`${code} with status ${status}`, () => {
    const body = `[${ID}]: (${code}): ${sentence}, fault: ${status < 500 ? 'client' : 'server'}\n`;
    const failure = { kind: 'refused', status, body } as const;
    check(failure, new RegExp(`got ${code} \\(HTTP status ${status}, request id ${ID}\\)$`), remedy, retry);
  });
}

for (const [body, status, says, remedy, retry] of [
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
    /have expired or are about to$/,
    /clock/,
    undefined,
  ],
  ['Unauthorized', 401, /got HTTP status 401$/, /trust policy/, SPREADS],
  ['404 page not found', 404, /got HTTP status 404$/, /address is the one of the agent/, SPREADS],
  ['slow down', 429, /got HTTP status 429$/, /limits how often/, undefined],
  ['', 502, /got HTTP status 502$/, /agent's log/, undefined],
] as const) {
  test(`${status} ${body}`, () => {
    check({ kind: 'refused', status, body: `${body}\n` }, says, remedy, retry);
  });
}

for (const [what, body] of [
  ['an id that is none', `[hunter2]: (AccessDeniedException): x, fault: client`],
  ['a code that is none', `[${ID}]: (hunter2 hunter2): x, fault: client`],
  ['words before it', `hunter2 [${ID}]: (AccessDeniedException): x`],
] as const) {
  test(`a body is taken by its form alone: ${what}`, () => {
    const problem = agentProblem(AGENT, { kind: 'refused', status: 403, body });
    assert.match(problem.message, /got HTTP status 403$/);
    assert.not.match(problem.message + problem.remedy, 'hunter2');
  });
}

test('no connection, no answer in time, an answer of another kind', () => {
  check(
    { kind: 'unreachable', code: 'ECONNREFUSED' },
    /no connection \(ECONNREFUSED\)$/,
    /add-on runs/,
    undefined,
  );
  check({ kind: 'timeout', ms: 5000 }, /no answer within 5000 ms$/, /EKS Auth/, undefined);
  check({ kind: 'answer' }, /answer without AccessKeyId/, /address is the one of the agent/, undefined);
});

test('two addresses are both named', () => {
  const problem = agentProblem(['http://a', 'http://b'], { kind: 'unreachable', code: 'EHOSTUNREACH' });
  assert.is(problem.subject, 'http://a, http://b');
});

test.run();
