import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  chainProblem,
  containerProblem,
  halfKeysProblem,
  instanceProblem,
  nodeRoleProblem,
} from '../../src/aws/chain-problems.ts';
import { Problem, problemLine } from '../../src/core/problem.ts';

const test = suite('problems of the default chain');

const instance = instanceProblem('ECONNREFUSED');

for (const [platform, remedy] of [
  ['kubernetes', /Pod Identity association.*eks\.amazonaws\.com\/role-arn/],
  ['ecs', /taskRoleArn/],
  ['host', /AWS_PROFILE, or AWS_ACCESS_KEY_ID/],
] as const) {
  test(`the remedy depends on the platform: ${platform}`, () => {
    const problem = chainProblem({ platform, instanceRole: 'allowed' }, [], instance);
    assert.is(problem.code, 'credentials.chain');
    assert.match(problem.remedy, remedy);
    assert.match(problem.message, /cannot be reached \(ECONNREFUSED\)$/);
  });
}

test("a pod without an identity gets the ways to set one up, and the option that uses the node's role", () => {
  const problem = chainProblem({ platform: 'kubernetes', instanceRole: 'withheld' }, [], undefined);
  assert.is(problem.code, 'credentials.variables');
  assert.match(problemLine(problem), /the node's role is not used.*association.*role-arn.*--auth default/);
  assert.is(problem.retry, false);
});

test('reports one failure unchanged and joins several', () => {
  const options = { platform: 'host', instanceRole: 'allowed' } as const;
  const half = halfKeysProblem();
  assert.is(chainProblem(options, [half], instance), half);
  const away = new Problem({
    code: 'credentials.chain',
    subject: 'a',
    message: 'm',
    remedy: 'r',
    retry: true,
  });
  const both = chainProblem(options, [away, half], instance);
  assert.match(both.message, /^m; AWS_ACCESS_KEY_ID: expected/);
  assert.equal(
    [both.code, both.remedy, both.retry, both.retryFor],
    ['credentials.chain', 'r', true, undefined],
  );
});

for (const [code, message, retry] of [
  ['ECONNREFUSED', /cannot be reached \(ECONNREFUSED\)/, false],
  ['EHOSTUNREACH', /cannot be reached/, false],
  ['ETIMEDOUT', /cannot be reached \(ETIMEDOUT\)/, true],
  [404, /has no role for this instance/, true],
  [500, /HTTP status 500/, true],
  [undefined, /sent an invalid response/, true],
] as const) {
  test(`reports the instance metadata service with ${code}`, () => {
    const problem = instanceProblem(code);
    assert.match(problem.message, message);
    assert.is(problem.retry, retry);
    assert.is(problem.retryFor, 15_000);
  });
}

test('retries container credentials for seconds after a rejection, and for the start timeout while the agent is unreachable', () => {
  const ecs = {
    name: 'ECS task role',
    uri: 'http://169.254.170.2/v2/credentials/1',
    relativePath: '/v2/credentials/1',
    isAllowed: true,
    tokenFile: undefined,
    token: () => 'canary',
  } as const;
  const rejected = containerProblem(ecs, { kind: 'rejected', status: 403, body: 'canary' });
  assert.match(problemLine(rejected), /^http:\/\/169\.254\.170\.2\S+: .*HTTP status 403\. .*taskRoleArn/);
  assert.is(rejected.retryFor, 15_000);
  assert.not.match(problemLine(rejected), 'canary');
  const away = containerProblem(ecs, { kind: 'unreachable', code: 'ECONNREFUSED' });
  assert.is(away.retryFor, undefined);
});

test("the warning about the node's role names the ways to set up an identity", () => {
  assert.match(problemLine(nodeRoleProblem()), /node's role.*association.*\[credentials\.nodeRole\]$/);
});

test("a certificate of a container's endpoint that is not accepted has the remedy of its cause", () => {
  const uri = 'https://credentials.example/role';
  const endpoint = { name: 'container credentials', uri, relativePath: undefined } as const;
  const remedy = (code: string): string =>
    containerProblem(
      { ...endpoint, isAllowed: true, tokenFile: undefined, token: () => undefined },
      { kind: 'unreachable', code },
    ).remedy;
  assert.match(remedy('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /private CA, set NODE_EXTRA_CA_CERTS/);
  assert.match(remedy('CERT_HAS_EXPIRED'), /clock.*renew/);
  assert.match(remedy('ERR_TLS_CERT_ALTNAME_INVALID'), /correct AWS_CONTAINER_CREDENTIALS_FULL_URI/);
  assert.match(remedy('EPROTO'), /what listens/);
});

test.run();
