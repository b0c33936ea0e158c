import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AwsErrorFacts,
  entryFailure,
  incompleteResponse,
  isUnknownOperation,
  unusableResponse,
} from '../../src/aws/error-facts.ts';
import { fetchProblem } from '../../src/aws/fetch-problems.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';
import { problemLine } from '../../src/core/problem.ts';

const test = suite('problems of API calls');

const secret = secretRef({ service: 'secretsmanager', region: 'eu-west-1', id: 'db/password' });
const parameter = secretRef({ service: 'ssmparameter', region: 'eu-west-1', id: '/db/user' });
const GET = 'secretsmanager:GetSecretValue';
const SSM = 'ssm:GetParameters';

const failed = (code: string, message?: string): AwsErrorFacts => entryFailure(code, message, 'r-1');
const line = (read: SecretRef, action: string, failure: AwsErrorFacts): string =>
  problemLine(fetchProblem(read, action, failure));
const denial = (action: string, resource: string, more = ''): string =>
  `User: arn:aws:sts::111122223333:assumed-role/app/web-0 is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action${more}`;

test('reports a missing secret with the action, region and remedy', () => {
  assert.is(
    line(secret, GET, failed('ResourceNotFoundException', 'whatever')),
    'db/password: secretsmanager:GetSecretValue in eu-west-1: not found (ResourceNotFoundException, request id r-1). Create the secret in this region and in the account of the role, or correct objectName. [fetch.notFound]',
  );
});

test('names a missing version or label', () => {
  const pinned = secretRef({ ...parameter, stage: 'prod' });
  assert.is(
    line(pinned, SSM, failed('InvalidParameters')),
    '/db/user:prod: ssm:GetParameters in eu-west-1: not found (InvalidParameters, request id r-1). Check that the parameter has the label "prod" in this region. [fetch.notFound]',
  );
});

test('reports a secret that is scheduled for deletion', () => {
  const problem = fetchProblem(secret, GET, failed('InvalidRequestException', 'it was marked for deletion.'));
  assert.is(problem.code, 'fetch.notFound');
  assert.match(problem.message, /scheduled for deletion/);
  assert.match(problem.remedy, /restore-secret/);
});

test('distinguishes a secret without a value from a missing secret', () => {
  const message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
  const problem = fetchProblem(secret, GET, failed('ResourceNotFoundException', message));
  assert.is(problem.code, 'fetch.notFound');
  assert.match(problem.message, 'the secret has no value');
  assert.match(problem.remedy, 'put-secret-value');
});

test("an access error names action, resource and identity from AWS's message", () => {
  const message = denial(GET, 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/password-AbCdEf');
  assert.is(
    line(secret, GET, failed('AccessDeniedException', message)),
    "db/password: arn:aws:sts::111122223333:assumed-role/app/web-0 is not authorized to perform secretsmanager:GetSecretValue in eu-west-1 (AccessDeniedException, request id r-1). Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/password-AbCdEf in the role's policy. A new permission takes a few seconds to take effect. [fetch.denied]",
  );
});

test("derives action and resource from the request if AWS's message has none", () => {
  const bare = fetchProblem(secret, GET, failed('AccessDeniedException'));
  assert.match(bare.message, 'the identity of this pod is not authorized to perform ');
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

test('the permission for batches has the resource *', () => {
  const action = 'secretsmanager:BatchGetSecretValue';
  assert.match(
    fetchProblem(secret, action, failed('AccessDeniedException')).remedy,
    `Allow ${action} on * in`,
  );
});

test('a KMS denial names kms:Decrypt and the key', () => {
  const key = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd';
  const named = fetchProblem(parameter, SSM, failed('AccessDeniedException', denial('kms:Decrypt', key)));
  assert.match(
    named.message,
    'is not authorized to perform ssm:GetParameters in eu-west-1 (needs kms:Decrypt)',
  );
  assert.match(named.remedy, `Allow kms:Decrypt on ${key}, in the role's policy and in the key policy`);
  const bare = fetchProblem(secret, GET, failed('AccessDeniedException', 'Access to KMS is not allowed'));
  assert.match(bare.remedy, 'Allow kms:Decrypt on the KMS key that encrypts it');
  assert.is(bare.code, 'fetch.denied');
});

test('distinguishes an explicit deny from a missing allow', () => {
  const message =
    'User: arn:aws:sts::1:assumed-role/app/web-0 is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:1:parameter/db/user with an explicit deny in a service control policy';
  const problem = fetchProblem(parameter, SSM, failed('AccessDeniedException', message));
  assert.match(problem.message, 'because of an explicit deny in a service control policy');
  assert.match(
    problem.remedy,
    'Remove ssm:GetParameters on arn:aws:ssm:eu-west-1:1:parameter/db/user from the deny',
  );
});

test("shows AWS's message about a malformed request, escaped", () => {
  const problem = fetchProblem(secret, GET, failed('ValidationException', 'Invalid\nname\u001b[2J'));
  assert.is(problem.code, 'fetch.client');
  assert.match(
    problem.message,
    'rejected the request (ValidationException, request id r-1): Invalid\\nname\\x1b[2J',
  );
});

for (const [code, where] of [
  ['DecryptionFailure', /KMS key is enabled/],
  ['InvalidSignatureException', /clock/],
  ['RequestExpired', /clock/],
  ['UnknownOperationException', /responds at the endpoint/],
  ['ValidationException', /object in the config/],
] as const) {
  test(`the remedy for ${code} matches ${where.source}`, () => {
    assert.match(fetchProblem(secret, GET, failed(code)).remedy, where);
  });
}

test('a server error is on the AWS side, unless the endpoint lacks the operation', () => {
  const server = (status: number): string =>
    fetchProblem(secret, GET, { ...incompleteResponse('r-1'), kind: 'server', status }).remedy;
  assert.match(server(500), /AWS side/);
  assert.match(server(501), /responds at the endpoint/);
});

test('names host and port of an endpoint that lacks the operation or is not AWS', () => {
  const remedy = (failure: Partial<AwsErrorFacts>): string =>
    fetchProblem(secret, GET, { ...incompleteResponse('r-1'), peer: 'proxy.example:3128', ...failure })
      .remedy;
  for (const failure of [
    { kind: 'server', status: 501 },
    { kind: 'response', status: 404 },
    { kind: 'response', code: 'ERR_UPGRADED' },
    { kind: 'client', code: 'UnknownOperationException' },
  ] as const)
    assert.match(remedy(failure), 'Check what responds at proxy.example:3128: ');
});

test('each network error has its own remedy', () => {
  const network = (code: string): string =>
    fetchProblem(secret, GET, { ...incompleteResponse(undefined), kind: 'network', code }).remedy;
  assert.match(network('ENOTFOUND'), /DNS/);
  assert.match(network('TimeoutError'), /--aws-timeout/);
  assert.match(network('SELF_SIGNED_CERT_IN_CHAIN'), /AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS/);
  assert.match(
    network('ECONNREFUSED'),
    /Nothing listens at this address: check AWS_ENDPOINT_URL, HTTPS_PROXY/,
  );
  for (const code of ['EMFILE', 'ENFILE']) assert.match(network(code), /limit of open files.*ulimit -n/);
  assert.match(network('CERT_HAS_EXPIRED'), /clock.*renew/);
  assert.match(network('ERR_TLS_CERT_ALTNAME_INVALID'), /another host name/);
  assert.match(network('ERR_PROXY_TUNNEL'), /proxy rejects/);
  assert.match(network('EPROTO'), /plain HTTP, write http:/);
});

test('a network error names host, port and phase', () => {
  const message = (code: string, phase: 'lookup' | 'connect' | 'response'): string =>
    fetchProblem(secret, GET, {
      ...incompleteResponse(undefined),
      kind: 'network',
      code,
      peer: 'aws.example:443',
      phase,
    }).message;
  assert.match(message('ECONNREFUSED', 'connect'), /aws\.example:443 .*ECONNREFUSED/);
  assert.match(message('TimeoutError', 'connect'), /aws\.example:443 .*timed out/);
  assert.match(message('TimeoutError', 'lookup'), /^the DNS lookup of aws\.example:443 .*timed out/);
});

test('a network error of the proxy names it, with a remedy for HTTPS_PROXY', () => {
  const text = (code: string, status?: number): string => {
    const { message, remedy } = fetchProblem(secret, GET, {
      ...incompleteResponse(undefined),
      kind: 'network',
      code,
      status,
      peer: 'proxy.corp:3128',
      phase: 'proxy',
    });
    return `${message}. ${remedy}`;
  };
  for (const code of ['ENOTFOUND', 'ECONNREFUSED', 'TimeoutError'])
    assert.match(
      text(code),
      new RegExp(
        `^no connection through the proxy proxy\\.corp:3128 .*${code}.*host and port in HTTPS_PROXY`,
      ),
    );
  assert.match(text('ERR_PROXY_TUNNEL'), /proxy rejects/);
  assert.match(text('ERR_PROXY_TUNNEL', 502), /\(ERR_PROXY_TUNNEL, HTTP status 502\)\. The proxy rejects/);
  assert.match(text('ERR_PROXY_TUNNEL', 407), /HTTP status 407\)\. The proxy requires a user and a password/);
  assert.match(text('ERR_PROXY_TUNNEL', 403), /HTTP status 403\)\. The proxy does not allow this host/);
  assert.match(text('EMFILE'), /EMFILE\)\. The limit of open files/);
});

test('a 501 of the proxy does not mean that the endpoint lacks the operation', () => {
  const failure = {
    ...incompleteResponse(undefined),
    kind: 'network',
    code: 'ERR_PROXY_TUNNEL',
    status: 501,
  };
  assert.not(isUnknownOperation(failure as AwsErrorFacts));
});

test('reports a response that is not from AWS or lacks the object', () => {
  assert.match(
    fetchProblem(parameter, SSM, incompleteResponse('r-1')).message,
    /^the response to ssm:GetParameters in eu-west-1 has no value for this object$/,
  );
  assert.match(
    fetchProblem(parameter, SSM, { ...incompleteResponse(undefined), status: 200 }).message,
    /is not from AWS \(HTTP status 200\)$/,
  );
  for (const [code, text] of [
    ['ERR_RESPONSE_NOT_UTF8', 'is not valid UTF-8'],
    ['ERR_RESPONSE_TOO_LARGE', 'is larger than any response of AWS'],
    ['ERR_UPGRADED', 'is not from AWS'],
  ] as const)
    assert.match(
      fetchProblem(secret, GET, { ...incompleteResponse(undefined), code }).message,
      `in eu-west-1 ${text} (${code})`,
    );
  assert.is(
    fetchProblem(secret, GET, unusableResponse('ERR_RESPONSE_OTHER_SECRET', 'r-1')).message,
    'the response to secretsmanager:GetSecretValue in eu-west-1 has the value of another secret (ERR_RESPONSE_OTHER_SECRET, request id r-1)',
  );
});

test('retries transient errors only', () => {
  const kinds = [
    'notFound',
    'denied',
    'expired',
    'client',
    'throttled',
    'server',
    'network',
    'response',
  ] as const;
  const problems = kinds.map((kind) =>
    fetchProblem(secret, GET, { ...incompleteResponse('r'), kind, code: 'X' }),
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
      'fetch.response true',
    ],
  );
});

test('a Problem has the Retry-After of the response', () => {
  const failure = { ...failed('ThrottlingException'), retryAfter: 7000 };
  assert.is(fetchProblem(secret, GET, failure).retryAfter, 7000);
  assert.is(fetchProblem(secret, GET, failed('ThrottlingException')).retryAfter, undefined);
});

test('escapes names from the config', () => {
  const odd = secretRef({ ...secret, id: 'a\nb' });
  assert.is(fetchProblem(odd, GET, failed('ResourceNotFoundException')).subject, 'a\\nb');
});

test.run();
