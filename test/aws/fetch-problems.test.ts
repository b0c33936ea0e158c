import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AwsErrorFacts, entryFailure, incompleteAnswer } from '../../src/aws/error-facts.ts';
import { fetchProblem } from '../../src/aws/fetch-problems.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';
import { problemLine } from '../../src/core/problem.ts';

const test = suite('failures in words');

const secret = secretRef({ service: 'secretsmanager', region: 'eu-west-1', id: 'db/password' });
const parameter = secretRef({ service: 'ssmparameter', region: 'eu-west-1', id: '/db/user' });
const GET = 'secretsmanager:GetSecretValue';
const SSM = 'ssm:GetParameters';

const failed = (code: string, message?: string): AwsErrorFacts => entryFailure(code, message, 'r-1');
const line = (read: SecretRef, action: string, failure: AwsErrorFacts): string =>
  problemLine(fetchProblem(read, action, failure));
const denial = (action: string, resource: string, more = ''): string =>
  `User: arn:aws:sts::111122223333:assumed-role/app/web-0 is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action${more}`;

test('a secret that is not there', () => {
  assert.is(
    line(secret, GET, failed('ResourceNotFoundException', 'whatever')),
    'db/password: expected secretsmanager:GetSecretValue in eu-west-1 to find it, got ResourceNotFoundException, request id r-1. Create the secret in this region and in the account of the role, or correct objectName. [fetch.notFound]',
  );
});

test('a version or label that is not there is named', () => {
  const pinned = secretRef({ ...parameter, stage: 'prod' });
  assert.is(
    line(pinned, SSM, failed('InvalidParameters')),
    '/db/user:prod: expected ssm:GetParameters in eu-west-1 to find it, got InvalidParameters, request id r-1. Check that the parameter has the label "prod" in this region. [fetch.notFound]',
  );
});

test('a secret that is marked for deletion says so', () => {
  const problem = fetchProblem(secret, GET, failed('InvalidRequestException', 'it was marked for deletion.'));
  assert.is(problem.code, 'fetch.notFound');
  assert.match(problem.message, /marked for deletion/);
  assert.match(problem.remedy, /restore-secret/);
});

test('a secret that was never given a value is told apart from one that does not exist', () => {
  const message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
  const problem = fetchProblem(secret, GET, failed('ResourceNotFoundException', message));
  assert.is(problem.code, 'fetch.notFound');
  assert.match(problem.message, 'got a secret without one');
  assert.match(problem.remedy, 'put-secret-value');
});

test("an access error names action, resource and identity in AWS's words", () => {
  const message = denial(GET, 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/password-AbCdEf');
  assert.is(
    line(secret, GET, failed('AccessDeniedException', message)),
    "db/password: expected secretsmanager:GetSecretValue in eu-west-1 to be allowed to arn:aws:sts::111122223333:assumed-role/app/web-0, got AccessDeniedException, request id r-1. Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/password-AbCdEf in the role's policy. A new permission takes a few seconds to work. [fetch.denied]",
  );
});

test('an access error without words is completed from the request', () => {
  const bare = fetchProblem(secret, GET, failed('AccessDeniedException'));
  assert.match(bare.message, 'to be allowed to the identity of this pod, got');
  assert.match(
    bare.remedy,
    'Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:*:secret:db/password-?????? in',
  );
  const china =
    'User: arn:aws-cn:sts::444455556666:assumed-role/app/web-0 is not authorized to perform: ssm:GetParameters';
  assert.match(
    fetchProblem(parameter, SSM, failed('AccessDeniedException', china)).remedy,
    'on arn:aws-cn:ssm:eu-west-1:444455556666:parameter/db/user',
  );
  const gov = secretRef({ service: 'ssmparameter', region: 'us-gov-west-1', id: '/db/user' });
  assert.match(
    fetchProblem(gov, SSM, failed('AccessDeniedException')).remedy,
    'on arn:aws-us-gov:ssm:us-gov-west-1:*:parameter/db/user',
  );
});

test('the permission for batches is not bound to a resource', () => {
  const action = 'secretsmanager:BatchGetSecretValue';
  assert.match(
    fetchProblem(secret, action, failed('AccessDeniedException')).remedy,
    `Allow ${action} on * in`,
  );
});

test('a denial of KMS names kms:Decrypt and the key', () => {
  const key = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd';
  const named = fetchProblem(parameter, SSM, failed('AccessDeniedException', denial('kms:Decrypt', key)));
  assert.match(
    named.message,
    'expected ssm:GetParameters in eu-west-1, which needs kms:Decrypt, to be allowed to arn:',
  );
  assert.match(named.remedy, `Allow kms:Decrypt on ${key}, in the role's policy and in the key policy`);
  const bare = fetchProblem(secret, GET, failed('AccessDeniedException', 'Access to KMS is not allowed'));
  assert.match(bare.remedy, 'Allow kms:Decrypt on the KMS key that encrypts it');
  assert.is(bare.code, 'fetch.denied');
});

test('an explicit deny is told apart from a missing allow', () => {
  const message =
    'User: arn:aws:sts::1:assumed-role/app/web-0 is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:1:parameter/db/user with an explicit deny in a service control policy';
  const problem = fetchProblem(parameter, SSM, failed('AccessDeniedException', message));
  assert.match(problem.message, 'by an explicit deny in a service control policy');
  assert.match(
    problem.remedy,
    'Take ssm:GetParameters on arn:aws:ssm:eu-west-1:1:parameter/db/user out of the deny',
  );
});

test("AWS's sentence about a request that it refuses is shown, made printable", () => {
  const problem = fetchProblem(secret, GET, failed('ValidationException', 'Invalid\nname\u001b[2J'));
  assert.is(problem.code, 'fetch.client');
  assert.match(problem.message, 'got ValidationException, request id r-1: Invalid\\nname\\x1b[2J');
});

for (const [code, where] of [
  ['DecryptionFailure', /KMS key is enabled/],
  ['InvalidSignatureException', /clock/],
  ['RequestExpired', /clock/],
  ['UnknownOperationException', /answers at the endpoint/],
  ['ValidationException', /object in the config/],
] as const) {
  test(`${code} points to ${where.source}`, () => {
    assert.match(fetchProblem(secret, GET, failed(code)).remedy, where);
  });
}

test('a failing server is on the side of AWS, unless it only lacks the operation', () => {
  const server = (status: number): string =>
    fetchProblem(secret, GET, { ...incompleteAnswer('r-1'), kind: 'server', status }).remedy;
  assert.match(server(500), /side of AWS/);
  assert.match(server(501), /answers at the endpoint/);
});

test('an endpoint that lacks the operation, or does not answer as AWS does, is named with host and port', () => {
  const remedy = (failure: Partial<AwsErrorFacts>): string =>
    fetchProblem(secret, GET, { ...incompleteAnswer('r-1'), peer: 'proxy.example:3128', ...failure }).remedy;
  for (const failure of [
    { kind: 'server', status: 501 },
    { kind: 'answer', status: 404 },
    { kind: 'answer', code: 'ERR_UPGRADED' },
    { kind: 'client', code: 'UnknownOperationException' },
  ] as const)
    assert.match(remedy(failure), 'Check what answers at proxy.example:3128: ');
});

test('the network is described by what can be done about it', () => {
  const network = (code: string): string =>
    fetchProblem(secret, GET, { ...incompleteAnswer(undefined), kind: 'network', code }).remedy;
  assert.match(network('ENOTFOUND'), /DNS/);
  assert.match(network('TimeoutError'), /--aws-timeout/);
  assert.match(network('SELF_SIGNED_CERT_IN_CHAIN'), /AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS/);
  assert.match(network('ECONNREFUSED'), /Nothing listens there: check AWS_ENDPOINT_URL, HTTPS_PROXY/);
  assert.match(network('EMFILE'), /ulimit -n/);
  assert.match(network('CERT_HAS_EXPIRED'), /clock.*renew/);
  assert.match(network('ERR_TLS_CERT_ALTNAME_INVALID'), /another name/);
  assert.match(network('ERR_PROXY_TUNNEL'), /proxy refuses/);
  assert.match(network('EPROTO'), /plain HTTP, write http:/);
});

test('an error of the network names the host and the port, and DNS that does not answer', () => {
  const message = (code: string, phase: 'lookup' | 'connect' | 'answer'): string =>
    fetchProblem(secret, GET, {
      ...incompleteAnswer(undefined),
      kind: 'network',
      code,
      peer: 'aws.example:443',
      phase,
    }).message;
  assert.match(message('ECONNREFUSED', 'connect'), /aws\.example:443 .*ECONNREFUSED/);
  assert.match(message('TimeoutError', 'connect'), /aws\.example:443 .*no connection in time/);
  assert.match(message('TimeoutError', 'lookup'), /^no answer of DNS for aws\.example:443/);
});

test('an answer that is not of AWS, or that lacks the object', () => {
  assert.match(
    fetchProblem(parameter, SSM, incompleteAnswer('r-1')).message,
    /^expected ssm:GetParameters in eu-west-1 to answer for this object, got an answer without it$/,
  );
  assert.match(
    fetchProblem(parameter, SSM, { ...incompleteAnswer(undefined), status: 200 }).message,
    /got an answer that is not AWS's \(HTTP status 200\)$/,
  );
});

test('trying again is worth it for what passes by itself', () => {
  const kinds = [
    'notFound',
    'denied',
    'expired',
    'client',
    'throttled',
    'server',
    'network',
    'answer',
  ] as const;
  const problems = kinds.map((kind) =>
    fetchProblem(secret, GET, { ...incompleteAnswer('r'), kind, code: 'X' }),
  );
  assert.equal(
    problems.map(({ code, retry }) => `${code} ${retry}`),
    [
      'fetch.notFound false',
      'fetch.denied true',
      'credentials.expired true',
      'fetch.client false',
      'fetch.throttled true',
      'fetch.server true',
      'fetch.network true',
      'fetch.answer true',
    ],
  );
});

test('Retry-After travels with the problem', () => {
  const failure = { ...failed('ThrottlingException'), retryAfter: 7000 };
  assert.is(fetchProblem(secret, GET, failure).retryAfter, 7000);
  assert.is(fetchProblem(secret, GET, failed('ThrottlingException')).retryAfter, undefined);
});

test('a name from the config cannot forge a line', () => {
  const odd = secretRef({ ...secret, id: 'a\nb' });
  assert.is(fetchProblem(odd, GET, failed('ResourceNotFoundException')).subject, 'a\\nb');
});

test.run();
