import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  chainProblem,
  containerProblem,
  halfKeysProblem,
  instanceProblem,
  nodeRoleProblem,
} from '../../src/aws/chain-error.ts';
import { Problem, problemLine } from '../../src/core/problem.ts';

const test = suite('the default chain in words');

const instance = instanceProblem('ECONNREFUSED');

for (const [place, remedy] of [
  ['kubernetes', /Pod Identity association.*eks\.amazonaws\.com\/role-arn/],
  ['ecs', /taskRoleArn/],
  ['host', /AWS_PROFILE, or AWS_ACCESS_KEY_ID/],
] as const) {
  test(`what to do fits the place: ${place}`, () => {
    const problem = chainProblem({ place, instanceRole: 'allowed' }, [], instance);
    assert.is(problem.code, 'credentials.chain');
    assert.match(problem.remedy, remedy);
    assert.match(problem.message, /cannot be reached \(ECONNREFUSED\)$/);
  });
}

test('a pod that gets no identity is told the ways to one, and the option that takes the role of the node', () => {
  const problem = chainProblem({ place: 'kubernetes', instanceRole: 'withheld' }, [], undefined);
  assert.is(problem.code, 'credentials.variables');
  assert.match(problemLine(problem), /the node's role is not used.*association.*role-arn.*--auth default/);
  assert.is(problem.retry, false);
});

test('one failure is told as it is, several are told together', () => {
  const place = { place: 'host', instanceRole: 'allowed' } as const;
  const half = halfKeysProblem();
  assert.is(chainProblem(place, [half], instance), half);
  const away = new Problem({
    code: 'credentials.chain',
    subject: 'a',
    message: 'm',
    remedy: 'r',
    retry: true,
  });
  const both = chainProblem(place, [away, half], instance);
  assert.match(both.message, /^m; AWS_ACCESS_KEY_ID: expected/);
  assert.equal(
    [both.code, both.remedy, both.retry, both.retryFor],
    ['credentials.chain', 'r', true, undefined],
  );
});

for (const [code, says, retry] of [
  ['ECONNREFUSED', /cannot be reached \(ECONNREFUSED\)/, false],
  ['EHOSTUNREACH', /cannot be reached/, false],
  ['ETIMEDOUT', /cannot be reached \(ETIMEDOUT\)/, true],
  [404, /knows no role of this instance/, true],
  [500, /HTTP status 500/, true],
  [undefined, /does not answer as it should/, true],
] as const) {
  test(`the instance metadata service: ${code}`, () => {
    const problem = instanceProblem(code);
    assert.match(problem.message, says);
    assert.is(problem.retry, retry);
    assert.is(problem.retryFor, 15_000);
  });
}

test('a container that is refused may be let in within seconds, one whose agent is away within a minute', () => {
  const ecs = {
    name: 'ECS task role',
    uri: 'http://169.254.170.2/v2/credentials/1',
    mayBeAsked: true,
    tokenFile: undefined,
    token: () => 'canary',
  } as const;
  const refused = containerProblem(ecs, { kind: 'refused', status: 403, body: 'canary' });
  assert.match(problemLine(refused), /^http:\/\/169\.254\.170\.2\S+: .*HTTP status 403\. .*taskRoleArn/);
  assert.is(refused.retryFor, 15_000);
  assert.not.match(problemLine(refused), 'canary');
  const away = containerProblem(ecs, { kind: 'unreachable', code: 'ECONNREFUSED' });
  assert.is(away.retryFor, undefined);
});

test('the role of the node is a warning with the ways to an identity', () => {
  assert.match(problemLine(nodeRoleProblem()), /role of the node.*association.*\[credentials\.nodeRole\]$/);
});

test.run();
