import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  expiredProblem,
  identityProblem,
  noPodIdentityProblem,
  stsProblem,
  tokenProblem,
} from '../../src/aws/credential-problems.ts';
import {
  type AwsErrorFacts,
  entryFailure,
  incompleteResponse,
  withStaticKeys,
} from '../../src/aws/error-facts.ts';
import { problemLine } from '../../src/core/problem.ts';

const test = suite('problems of credentials');

const ROLE = 'arn:aws:iam::111122223333:role/app';

test('Pod Identity without variables names where it is not available, and IRSA', () => {
  const problem = noPodIdentityProblem();
  assert.is(problem.code, 'credentials.variables');
  assert.is(problem.retry, false);
  assert.match(problem.message, /Fargate, Windows, outside EKS/);
  assert.match(problem.remedy, /IRSA/);
});

test('reports a token file that is missing, empty, malformed or unreadable', () => {
  const missing = tokenProblem('/t', { kind: 'unreadable', code: 'ENOENT' });
  assert.is(missing.message, "expected the service account's token, got no file");
  const empty = tokenProblem('/t', { kind: 'empty' });
  assert.match(empty.message, /got an empty file$/);
  const malformed = tokenProblem('/t', { kind: 'malformed' });
  assert.match(malformed.message, /got text that is not a token$/);
  const forbidden = tokenProblem('/t', { kind: 'unreadable', code: 'EACCES' });
  assert.match(forbidden.message, /got EACCES$/);
  assert.match(forbidden.remedy, /fsGroup/);
  // The kubelet mounts the token before a container starts: waiting for it would only delay the error.
  for (const problem of [missing, empty, malformed, forbidden])
    assert.equal([problem.code, problem.retry], ['credentials.token', false]);
});

for (const [code, remedy, retry] of [
  ['InvalidIdentityToken', /OIDC identity provider/, 15_000],
  ['InvalidIdentityTokenException', /OIDC identity provider/, 15_000],
  ['ExpiredTokenException', /kubelet renews/, 15_000],
  ['AccessDenied', /trust policy/, 15_000],
  ['IDPCommunicationErrorException', /could not reach the cluster's OIDC issuer/, true],
  ['IDPRejectedClaim', /audience and subject/, false],
  ['RegionDisabledException', /Activate STS/, false],
  ['ValidationError', /Correct the role ARN/, false],
  ['Throttling', /throttles requests/, true],
  ['InternalFailure', /AWS side/, true],
] as const) {
  test(`STS returns ${code}`, () => {
    const problem = stsProblem(ROLE, 'eu-west-1', entryFailure(code, 'with words', 'r-1'));
    assert.is(problem.code, 'credentials.sts');
    assert.is(problem.subject, ROLE);
    assert.match(
      problem.message,
      `in eu-west-1 returned no credentials for the service account's token (${code}`,
    );
    assert.match(problem.message, /request id r-1\)$/);
    assert.match(problem.remedy, remedy);
    assert.is(problem.retry && (problem.retryFor ?? true), retry);
  });
}

for (const [message, remedy, retry] of [
  ['No OpenIDConnect provider found in your account for https://x', /Create an IAM OIDC/, 15_000],
  ['The ID Token provided is not a valid JWT. (You may see this …)', /Check the token file/, false],
  ['Missing a required claim: aud', /Check the token file/, false],
  ['Incorrect token audience', /audience sts\.amazonaws\.com/, false],
  ["Couldn't retrieve verification key from your identity provider", /issuer/, true],
] as const) {
  test(`STS returns InvalidIdentityToken: ${message}`, () => {
    const problem = stsProblem(ROLE, 'eu-west-1', entryFailure('InvalidIdentityToken', message, 'r-1'));
    assert.match(problem.remedy, remedy);
    assert.is(problem.retry && (problem.retryFor ?? true), retry);
  });
}

test('STS rejects expired keys and wrong keys differently', () => {
  const failure = entryFailure(
    'InvalidClientTokenId',
    'The security token included in the request is invalid',
    'r',
  );
  const temporary = identityProblem('eu-west-1', failure);
  assert.is(temporary.code, 'credentials.expired');
  const fixed = identityProblem('eu-west-1', withStaticKeys(failure));
  assert.is(fixed.code, 'credentials.rejected');
  assert.match(fixed.remedy, /Check the access key id/);
  assert.not.match(problemLine(fixed), /clock|expired/);
});

test('reports an unreachable STS and a response without credentials', () => {
  const network: AwsErrorFacts = { ...incompleteResponse(undefined), kind: 'network', code: 'ENOTFOUND' };
  assert.match(stsProblem(ROLE, 'eu-west-1', network).remedy, /VPC endpoint for STS/);
  const empty = stsProblem(ROLE, 'eu-west-1', incompleteResponse(undefined));
  assert.match(empty.message, /\(incomplete response\)$/);
  assert.ok(empty.retry);
});

test('a network error of STS has the remedy of its cause', () => {
  const remedy = (failure: Partial<AwsErrorFacts>): string =>
    stsProblem(ROLE, 'eu-west-1', { ...incompleteResponse(undefined), kind: 'network', ...failure }).remedy;
  assert.match(remedy({ code: 'CERT_HAS_EXPIRED' }), /clock.*renew the certificate/);
  assert.match(remedy({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), /another host name/);
  assert.match(remedy({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }), /AWS_CA_BUNDLE/);
  assert.match(remedy({ code: 'EMFILE' }), /open files/);
  const rejected = { code: 'ERR_PROXY_TUNNEL', phase: 'proxy', status: 407, peer: 'proxy:3128' } as const;
  assert.match(remedy(rejected), /a user and a password/);
  assert.match(
    stsProblem(ROLE, 'eu-west-1', { ...incompleteResponse(undefined), kind: 'network', ...rejected }).message,
    '(ERR_PROXY_TUNNEL, HTTP status 407 from the proxy proxy:3128)',
  );
});

test('expired credentials come with a remedy', () => {
  assert.match(
    problemLine(expiredProblem('EKS Pod Identity', 90)),
    /^EKS Pod Identity: expected valid credentials, got credentials that expired 90 s ago\. Check the node's clock/,
  );
});

test.run();
