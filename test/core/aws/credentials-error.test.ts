import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  agentProblem,
  chainProblem,
  expiredProblem,
  noPodIdentityProblem,
  stsProblem,
  tokenProblem,
} from '../../../src/core/aws/credentials-error.ts';
import { type AwsFailure, incompleteAnswer, reportedFailure } from '../../../src/core/aws/failure.ts';
import { problemLine } from '../../../src/core/problem.ts';

const test = suite('failing credentials in words');

const ROLE = 'arn:aws:iam::111122223333:role/app';
const AGENT = ['http://169.254.170.23/v1/credentials'];

test('Pod Identity without variables names where it does not exist, and IRSA', () => {
  const problem = noPodIdentityProblem();
  assert.is(problem.code, 'credentials.variables');
  assert.is(problem.retry, false);
  assert.match(problem.message, /Fargate, Windows, outside EKS/);
  assert.match(problem.remedy, /IRSA/);
});

test('a token: no file, empty, not a token, not readable', () => {
  const missing = tokenProblem('/t', { kind: 'unreadable', code: 'ENOENT' });
  assert.is(missing.message, "expected the service account's token, got no file");
  assert.ok(missing.retry);
  assert.match(tokenProblem('/t', { kind: 'empty' }).message, /got an empty file$/);
  assert.match(tokenProblem('/t', { kind: 'malformed' }).message, /got something that is not a token$/);
  const forbidden = tokenProblem('/t', { kind: 'unreadable', code: 'EACCES' });
  assert.match(forbidden.message, /got EACCES$/);
  assert.match(forbidden.remedy, /fsGroup/);
  assert.not(forbidden.retry);
  for (const problem of [missing, forbidden]) assert.is(problem.code, 'credentials.token');
});

test('the agent: refused, late, each status, garbage; always worth another try', () => {
  const cases = [
    [
      { kind: 'unreachable', code: 'ECONNREFUSED' },
      /no connection \(ECONNREFUSED\)/,
      /add-on runs on this node/,
    ],
    [{ kind: 'timeout', ms: 5000 }, /no answer within 5000 ms/, /EKS Auth/],
    [{ kind: 'status', status: 404 }, /HTTP status 404/, /Create a Pod Identity association/],
    [{ kind: 'status', status: 400 }, /HTTP status 400/, /trusts pods\.eks\.amazonaws\.com/],
    [{ kind: 'status', status: 429 }, /HTTP status 429/, /limits how often/],
    [{ kind: 'status', status: 500 }, /HTTP status 500/, /log on this node/],
    [{ kind: 'answer' }, /answer without AccessKeyId/, /address is the one of the agent/],
  ] as const;
  for (const [failure, message, remedy] of cases) {
    const problem = agentProblem(AGENT, failure);
    assert.is(problem.code, 'credentials.agent');
    assert.is(problem.subject, AGENT[0]);
    assert.match(problem.message, message);
    assert.match(problem.remedy, remedy);
    assert.ok(problem.retry);
  }
});

test('the agent by two addresses names both', () => {
  const problem = agentProblem(['http://a', 'http://b'], { kind: 'unreachable', code: 'EHOSTUNREACH' });
  assert.is(problem.subject, 'http://a, http://b');
});

for (const [code, remedy, retry] of [
  ['InvalidIdentityToken', /OIDC identity provider/, true],
  ['InvalidIdentityTokenException', /OIDC identity provider/, true],
  ['ExpiredTokenException', /kubelet renews/, true],
  ['AccessDenied', /trust policy/, true],
  ['IDPCommunicationErrorException', /could not reach the cluster's OIDC issuer/, true],
  ['IDPRejectedClaim', /audience and subject/, false],
  ['RegionDisabledException', /Activate STS/, false],
  ['ValidationError', /Correct the role ARN/, false],
  ['Throttling', /limits how often/, true],
  ['InternalFailure', /side of AWS/, true],
] as const) {
  test(`STS says ${code}`, () => {
    const problem = stsProblem(ROLE, 'eu-west-1', reportedFailure(code, 'with words', 'r-1'));
    assert.is(problem.code, 'credentials.sts');
    assert.is(problem.subject, ROLE);
    assert.match(
      problem.message,
      `in eu-west-1 to give credentials for the service account's token, got ${code}`,
    );
    assert.match(problem.message, /request id r-1$/);
    assert.match(problem.remedy, remedy);
    assert.is(problem.retry, retry);
  });
}

test('STS that cannot be reached, or answers without credentials', () => {
  const network: AwsFailure = { ...incompleteAnswer(undefined), kind: 'network', code: 'ENOTFOUND' };
  assert.match(stsProblem(ROLE, 'eu-west-1', network).remedy, /VPC endpoint for STS/);
  const empty = stsProblem(ROLE, 'eu-west-1', incompleteAnswer(undefined));
  assert.match(empty.message, /got no credentials$/);
  assert.ok(empty.retry);
});

test('the default chain and expired credentials say what to do', () => {
  assert.match(
    problemLine(chainProblem()),
    /^AWS credentials: expected .*AWS_PROFILE.*\[credentials\.chain\]$/,
  );
  assert.match(
    problemLine(expiredProblem('EKS Pod Identity', 90)),
    /^EKS Pod Identity: expected valid credentials, got some that expired 90 s ago\. Check the node's clock/,
  );
});

test.run();
