import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AuthInput, authMethodText, resolveAuthMethod } from '../../src/aws/auth-method.ts';
import { Problem } from '../../src/core/problem.ts';

const test = suite('authentication method');

const irsa = { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/app', AWS_WEB_IDENTITY_TOKEN_FILE: '/t/irsa' };
const agent = {
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/t/pod',
};

function choose(question: Partial<AuthInput>) {
  return resolveAuthMethod({
    auth: 'auto',
    usePodIdentity: undefined,
    preferredAddressType: 'auto',
    env: {},
    ...question,
  });
}

function rejects(question: Partial<AuthInput>): Problem {
  try {
    choose(question);
  } catch (error) {
    assert.instance(error, Problem);
    return error as Problem;
  }
  throw new Error('expected a Problem');
}

for (const [value, usePodIdentity, env, kind] of [
  ['true, whatever the variables', true, irsa, 'pod-identity'],
  ['false, whatever the variables', false, { ...irsa, ...agent }, 'irsa'],
  ['nothing, with the variables of Pod Identity only', undefined, agent, 'pod-identity'],
  ['nothing, with the variables of IRSA only', undefined, irsa, 'irsa'],
  ['nothing, with the variables of both', undefined, { ...irsa, ...agent }, 'irsa'],
  ['nothing, without variables', undefined, {}, 'default'],
  [
    'nothing, with half of the variables of each',
    undefined,
    { AWS_ROLE_ARN: 'x', AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1' },
    'default',
  ],
] as const) {
  test(`auto with usePodIdentity ${value} selects ${kind}`, () => {
    assert.is(choose({ usePodIdentity, env }).kind, kind);
  });
}

test('--auth takes precedence over the config and the variables', () => {
  assert.is(choose({ auth: 'default', usePodIdentity: true, env: agent }).kind, 'default');
  assert.is(choose({ auth: 'irsa', usePodIdentity: true, env: { ...irsa, ...agent } }).kind, 'irsa');
  assert.is(choose({ auth: 'pod-identity', usePodIdentity: false, env: irsa }).kind, 'pod-identity');
});

test('Pod Identity uses the injected address and token file', () => {
  const env = { ...agent, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1234/x' };
  assert.equal(choose({ usePodIdentity: true, preferredAddressType: 'ipv6', env }), {
    kind: 'pod-identity',
    addresses: ['http://127.0.0.1:1234/x'],
    tokenFile: '/t/pod',
    injected: true,
  });
});

for (const [preferredAddressType, addresses] of [
  ['auto', ['http://169.254.170.23/v1/credentials', 'http://[fd00:ec2::23]/v1/credentials']],
  ['ipv4', ['http://169.254.170.23/v1/credentials']],
  ['ipv6', ['http://[fd00:ec2::23]/v1/credentials']],
] as const) {
  test(`without variables Pod Identity uses the agent's default addresses: ${preferredAddressType}`, () => {
    assert.equal(choose({ usePodIdentity: true, preferredAddressType }), {
      kind: 'pod-identity',
      addresses,
      tokenFile: '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token',
      injected: false,
    });
  });
}

const IPV4 = 'http://169.254.170.23/v1/credentials';
const IPV6 = 'http://[fd00:ec2::23]/v1/credentials';
for (const [injected, preferredAddressType, addresses] of [
  [IPV4, 'auto', [IPV4, IPV6]],
  [IPV4, 'ipv4', [IPV4]],
  [IPV4, 'ipv6', [IPV6]],
  [IPV6, 'auto', [IPV6, IPV4]],
  [IPV6, 'ipv4', [IPV4]],
  [IPV6, 'ipv6', [IPV6]],
] as const) {
  test(`preferredAddressType ${preferredAddressType} orders the agent's addresses if ${injected} is injected`, () => {
    const env = { ...agent, AWS_CONTAINER_CREDENTIALS_FULL_URI: injected };
    const chosen = choose({ usePodIdentity: true, preferredAddressType, env });
    assert.equal(chosen.kind === 'pod-identity' && chosen.addresses, addresses);
  });
}

test('sends the token over plain http only to the agent and to loopback addresses', () => {
  const methodFor = (uri: string) =>
    choose({ auth: 'pod-identity', env: { ...agent, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } });
  for (const uri of [
    'http://127.0.0.1:1234/x',
    'http://127.8.8.8/',
    'http://localhost:1/',
    'http://[::1]:1/',
    'http://[fd00:ec2::23]/v1/credentials',
    'https://elsewhere.example/x',
  ])
    assert.match(authMethodText(methodFor(uri)), `EKS Pod Identity via ${uri}`);
  for (const uri of [
    'http://elsewhere.example/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example/',
    'ftp://localhost/',
    'nonsense',
  ]) {
    const problem = rejects({
      auth: 'pod-identity',
      env: { ...agent, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri },
    });
    assert.is(problem.code, 'credentials.variables', uri);
    assert.is(problem.retry, false);
  }
});

test('IRSA without its variables names the missing variable and the annotation', () => {
  const neither = rejects({ usePodIdentity: false });
  assert.is(neither.code, 'credentials.variables');
  assert.is(neither.subject, 'AWS_ROLE_ARN');
  assert.match(neither.message, /got neither$/);
  assert.match(neither.remedy, /eks\.amazonaws\.com\/role-arn/);
  assert.is(neither.retry, false);
  const half = rejects({ auth: 'irsa', env: { AWS_ROLE_ARN: irsa.AWS_ROLE_ARN } });
  assert.is(half.subject, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  assert.match(half.message, /only one of them$/);
});

test('the IRSA session name is that of the variable, else of the pod, in characters that STS accepts', () => {
  const session = (env: Record<string, string>) => {
    const chosen = choose({ auth: 'irsa', env: { ...irsa, ...env } });
    return chosen.kind === 'irsa' ? chosen.sessionName : undefined;
  };
  assert.is(session({ AWS_ROLE_SESSION_NAME: 'mine', HOSTNAME: 'web-0' }), 'mine');
  assert.is(session({ HOSTNAME: 'web-0' }), 'podsecrets-web-0');
  assert.is(session({ HOSTNAME: 'we b/0' }), 'podsecrets-we-b-0');
  assert.is(session({}), 'podsecrets');
  assert.is(session({ HOSTNAME: 'x'.repeat(100) })?.length, 64);
});

function chainOf(env: Record<string, string>, auth: 'auto' | 'default' = 'auto') {
  const chosen = choose({ auth, env });
  if (chosen.kind !== 'default') throw new Error(`expected the chain, got ${chosen.kind}`);
  return chosen.chain;
}

const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };

for (const [what, env, auth, instanceRole] of [
  ['auto, inside Kubernetes', pod, 'auto', 'withheld'],
  ['--auth default, inside Kubernetes', pod, 'default', 'allowed'],
  ['auto, elsewhere', {}, 'auto', 'allowed'],
  [
    'auto, inside Kubernetes, switched off',
    { ...pod, AWS_EC2_METADATA_DISABLED: 'true' },
    'auto',
    'withheld',
  ],
  ['switched off', { AWS_EC2_METADATA_DISABLED: 'true' }, 'default', 'disabled'],
  ['switched off in other words', { AWS_EC2_METADATA_DISABLED: '1' }, 'auto', 'disabled'],
  ['not switched off', { AWS_EC2_METADATA_DISABLED: 'false' }, 'auto', 'allowed'],
] as const) {
  test(`the instance's role ${what} is ${instanceRole}`, () => {
    assert.is(chainOf(env, auth).instanceRole, instanceRole);
  });
}

test('the address of ECS takes precedence, and no field contains the token', () => {
  const ecs = chainOf({
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/1',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://elsewhere.example',
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'canary',
  });
  assert.is(ecs.container?.name, 'ECS task role');
  assert.is(ecs.container?.uri, 'http://169.254.170.2/v2/credentials/1');
  assert.ok(ecs.container?.isAllowed);
  assert.is(ecs.container?.token(), 'canary');
  assert.not.match(JSON.stringify(ecs), 'canary');
  const full = chainOf({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://elsewhere.example' });
  assert.not(full.container?.isAllowed);
  assert.is(chainOf(agent, 'default').container?.name, 'EKS Pod Identity');
});

test('profile and files come from the variables, else from the home directory', () => {
  assert.equal(chainOf({ HOME: '/h' }).profileFiles, ['/h/.aws/credentials', '/h/.aws/config']);
  const named = chainOf({ AWS_SHARED_CREDENTIALS_FILE: '/c', AWS_CONFIG_FILE: '/d', AWS_PROFILE: 'dev' });
  assert.equal(named.profileFiles, ['/c', '/d']);
  assert.is(named.profile, 'dev');
  assert.is(chainOf({}).profile, undefined);
});

test('each method has a phrase for the log', () => {
  assert.is(
    authMethodText(choose({ usePodIdentity: true })),
    'EKS Pod Identity via http://169.254.170.23/v1/credentials or http://[fd00:ec2::23]/v1/credentials',
  );
  assert.match(authMethodText(choose({ auth: 'irsa', env: irsa })), /role\/app/);
  assert.match(authMethodText(choose({})), /default credential chain$/);
  assert.match(
    authMethodText(choose({ env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } })),
    /default credential chain, without the node's role$/,
  );
});

test('rejects an address of the agent without showing its password', () => {
  for (const uri of ['http://user:hunter2@agent/', 'user:hunter2@agent']) {
    const { message } = rejects({
      auth: 'pod-identity',
      env: { ...agent, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri },
    });
    assert.not.match(message, 'hunter2');
    assert.match(message, '…@agent');
  }
});

test.run();
