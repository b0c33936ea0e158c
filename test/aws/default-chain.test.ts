/** The SDK's default chain, link by link: which one provides credentials, and the error if none does. */

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveAuthMethod } from '../../src/aws/auth-method.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { openSecretSource } from '../../src/aws/secret-source.ts';
import { createTransport } from '../../src/aws/transport.ts';
import { type Problem, problemLine } from '../../src/core/problem.ts';
import { type FakeAws, startFakeAws } from '../fake-aws/server.ts';
import { scratch } from '../support/scratch.ts';
import { WAIT_LIMIT } from '../support/wait.ts';
import { outcomeText, problemsIn, REGION, realClock, recordingLog, secret } from './world.ts';

const CANARY = 'canary0815canary0815';
const ROLE = 'arn:aws:iam::111122223333:role/app';
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: CANARY };

interface Place {
  aws: FakeAws;
  home: string;
  /** Variables of this process, which the SDK reads. */
  env: Record<string, string>;
}

const test = suite<Place>('the default chain');
const before = { ...process.env };

test.before(async (place) => {
  place.aws = await startFakeAws({
    seed: {
      identities: {
        app: { role: ROLE, podIdentityTokens: ['Basic token'], webIdentityTokens: ['web-token'] },
        operator: { accessKeyId: KEYS.AWS_ACCESS_KEY_ID, secretAccessKey: KEYS.AWS_SECRET_ACCESS_KEY },
        node: { role: 'arn:aws:iam::111122223333:role/node', instanceRole: true },
      },
      regions: { [REGION]: { secrets: { a: 'x' } } },
    },
  });
});
test.after(({ aws }) => aws.close());
test.before.each((place) => {
  place.aws.reset();
  place.home = scratch();
  mkdirSync(join(place.home, '.aws'));
  place.env = {
    HOME: place.home,
    AWS_ENDPOINT_URL: place.aws.url,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: place.aws.url,
  };
});
test.after.each(({ home }) => {
  rmSync(home, { recursive: true });
  process.env = before;
});

const credentialsFile = ({ home }: Place, text: string) =>
  writeFileSync(join(home, '.aws', 'credentials'), text);
const configFile = ({ home }: Place, text: string) => writeFileSync(join(home, '.aws', 'config'), text);
const keysOf = (name: string) =>
  `[${name}]\naws_access_key_id = ${KEYS.AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${CANARY}\n`;

interface Fetched {
  /** `found x`, or the problem as one line. */
  readonly text: string;
  readonly problem: Problem | undefined;
  readonly provider: string | undefined;
  readonly logged: readonly string[];
}

function open({ aws, env }: Place, more: Record<string, string>, auth: 'auto' | 'default') {
  const variables = { ...env, ...more };
  process.env = { PATH: before.PATH, ...variables } as NodeJS.ProcessEnv;
  const environment = readAwsEnvironment({ AWS_ENDPOINT_URL: aws.url });
  const logged: string[] = [];
  const source = openSecretSource({
    authentication: resolveAuthMethod({
      auth,
      usePodIdentity: undefined,
      preferredAddressType: 'auto',
      env: variables,
    }),
    environment,
    transport: createTransport({ environment, awsTimeout: WAIT_LIMIT, clock: realClock }),
    fetch: 'single',
    awsTimeout: WAIT_LIMIT,
    clock: realClock,
    log: recordingLog(logged),
    meter: { apiCall() {} },
  });
  return async (): Promise<Fetched> => {
    const outcomes = await source.read([secret('a')], new AbortController().signal);
    const [problem] = problemsIn(outcomes);
    const everything = `${inspect(problem, { showHidden: true, depth: 20 })}${problem?.stack}${logged.join()}`;
    assert.not.match(everything, CANARY);
    return { text: outcomeText(outcomes.get(secret('a').key)), problem, provider: source.provider(), logged };
  };
}

/** The result of fetching a secret with these variables and those of the platform. */
const fetchWith = (place: Place, more: Record<string, string> = {}, auth: 'auto' | 'default' = 'auto') =>
  open(place, more, auth)();

const found = (fetched: Fetched, provider: string): void => {
  assert.match(fetched.text, /^found x/);
  assert.is(fetched.provider, provider);
  assert.ok(
    fetched.logged.includes(`info credentials.source: authenticating with ${provider}`),
    fetched.logged.join(),
  );
};

test('uses access keys in the environment, and logs it', async (place) => {
  found(await fetchWith(place, KEYS), 'environment keys');
  assert.is(place.aws.count({ service: 'imds' }), 0);
});

test('uses a profile with access keys, named or default', async (place) => {
  credentialsFile(place, keysOf('default') + keysOf('dev'));
  found(await fetchWith(place), 'profile default');
  found(await fetchWith(place, { AWS_PROFILE: 'dev', ...KEYS }), 'profile dev');
});

test('reads renewed keys of a profile', async (place) => {
  credentialsFile(place, keysOf('default').replace('AKIAEXAMPLE', 'AKIAOLD'));
  const again = open(place, {}, 'auto');
  assert.match((await again()).text, /\[credentials\.rejected\]$/);
  credentialsFile(place, keysOf('default'));
  assert.match((await again()).text, /^found x/);
});

test('assumes the role of a profile', async (place) => {
  credentialsFile(place, keysOf('base'));
  configFile(place, `[profile app]\nrole_arn = ${ROLE}\nsource_profile = base\n`);
  found(await fetchWith(place, { AWS_PROFILE: 'app' }), 'profile app (assumed role)');
  assert.is(place.aws.count({ service: 'sts', operation: 'AssumeRole' }), 1);
});

test('uses the IRSA token with --auth default too', async (place) => {
  const file = join(place.home, 'token');
  writeFileSync(file, 'web-token');
  const irsa = { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: file };
  found(await fetchWith(place, irsa, 'default'), `IAM role ${ROLE} with the service account token`);
});

test('uses container credentials with the token of the variable', async (place) => {
  const container = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: place.aws.agentUrl,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'Basic token',
  };
  found(await fetchWith(place, container), 'container credentials');
  found(
    await fetchWith(place, { ...container, KUBERNETES_SERVICE_HOST: '10.0.0.1' }),
    'container credentials',
  );
});

test('names the address of container credentials if it is not allowed, and if it returns an error', async (place) => {
  const elsewhere = await fetchWith(place, {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://elsewhere.example/x',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  assert.match(elsewhere.text, /^AWS_CONTAINER_CREDENTIALS_FULL_URI: .*"http:\/\/elsewhere/);
  const rejected = await fetchWith(place, {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: place.aws.agentUrl,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: CANARY,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  assert.match(
    rejected.text,
    /^http:\/\/127\S+: expected credentials \(container credentials\), got HTTP status 400/,
  );
});

test("outside Kubernetes uses the instance's role last, without a warning", async (place) => {
  const fetched = await fetchWith(place);
  found(fetched, 'instance role');
  assert.not.match(fetched.logged.join(), 'credentials.nodeRole');
});

const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
const instanceProfiles = `
[profile node]
role_arn = ${ROLE}
credential_source = Ec2InstanceMetadata
[profile indirect]
role_arn = ${ROLE}
source_profile = node
[profile further]
role_arn = ${ROLE}
source_profile = indirect
`;

test('inside Kubernetes auto sends no request to the metadata service, and names the ways to an identity', async (place) => {
  const { text, problem } = await fetchWith(place, pod);
  assert.match(
    text,
    /^AWS credentials: .*Pod Identity association.*eks\.amazonaws\.com\/role-arn.*\[credentials\.variables\]$/,
  );
  assert.is(problem?.retry, false);
  assert.is(place.aws.count({ service: 'imds' }), 0);
});

for (const name of ['node', 'indirect', 'further']) {
  test(`inside Kubernetes auto rejects a profile that uses the metadata service: ${name}`, async (place) => {
    configFile(place, instanceProfiles);
    const { text, problem } = await fetchWith(place, { ...pod, AWS_PROFILE: name });
    assert.match(text, /credential_source = Ec2InstanceMetadata.*\[credentials\.variables\]$/);
    assert.is(problem?.retry, false);
    assert.is(place.aws.count({ service: 'imds' }), 0);
  });
}

test("inside Kubernetes --auth default uses the node's role, with a warning", async (place) => {
  const fetched = await fetchWith(place, pod, 'default');
  found(fetched, 'instance role');
  assert.is(fetched.logged.filter((line) => line.startsWith('warn credentials.nodeRole: ')).length, 1);
  configFile(place, instanceProfiles);
  const indirect = await fetchWith(place, { ...pod, AWS_PROFILE: 'indirect' }, 'default');
  found(indirect, 'profile indirect (assumed role)');
  assert.match(indirect.logged.join(), 'warn credentials.nodeRole: ');
});

test('AWS_EC2_METADATA_DISABLED applies to profiles too', async (place) => {
  configFile(place, instanceProfiles);
  const off = { AWS_EC2_METADATA_DISABLED: 'true' };
  assert.match((await fetchWith(place, off, 'default')).text, /is disabled.*\[credentials\.chain\]$/);
  const named = await fetchWith(place, { ...off, AWS_PROFILE: 'node' }, 'default');
  assert.match(named.text, /which AWS_EC2_METADATA_DISABLED disables/);
  assert.is(place.aws.count({ service: 'imds' }), 0);
});

test('ignores a default profile that has only a region', async (place) => {
  configFile(place, '[default]\nregion = nowhere\n');
  const { text } = await fetchWith(place, pod);
  assert.match(text, /^AWS credentials: .*Pod Identity association/);
});

test('without any configuration or metadata service fails at once, with the variables to set', async (place) => {
  const { text, problem } = await fetchWith(place, {
    AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
  });
  assert.match(
    text,
    /no access keys, no profile.*cannot be reached \(ECONNREFUSED\)\. Set AWS_PROFILE.*\[credentials\.chain\]$/,
  );
  assert.is(problem?.retry, false);
});

test('retries an instance without a role for seconds', async (place) => {
  place.aws.changeIdentity({ name: 'node', instanceRole: false });
  const { text, problem } = await fetchWith(place);
  assert.match(text, /has no role for this instance \(HTTP status 404\)/);
  assert.is(problem?.retryFor, 15_000);
});

const off = { AWS_EC2_METADATA_DISABLED: 'true' };

test("reports an unknown profile with the SDK's message, without a retry", async (place) => {
  credentialsFile(place, keysOf('dev'));
  const { text, problem } = await fetchWith(place, { ...off, AWS_PROFILE: 'dve' });
  assert.match(
    text,
    /^profile dve: .*"Could not resolve credentials using profile: \[dve\] in configuration/,
  );
  assert.is(problem?.retry, false);
});

test('names an unreadable profile file and the reason', async (place) => {
  mkdirSync(join(place.home, '.aws', 'credentials'));
  const { text, problem } = await fetchWith(place, { ...off, AWS_PROFILE: 'dev' });
  assert.match(text, `${place.home}/.aws/credentials, which cannot be read (EISDIR)`);
  assert.is(problem?.retry, false);
});

test('an unreadable file does not prevent later links, and is named if none provides credentials', async (place) => {
  mkdirSync(join(place.home, '.aws', 'credentials'));
  found(await fetchWith(place), 'instance role');
  assert.match(
    (await fetchWith(place, off)).text,
    /^profile default: .*credentials, which cannot be read \(EISDIR\)/,
  );
  assert.match((await fetchWith(place, { ...off, ...pod })).text, /^AWS credentials: .*association/);
});

test('a named profile that fails ends the chain: no other identity is used', async (place) => {
  const { text } = await fetchWith(place, { AWS_PROFILE: 'dve' });
  assert.match(text, /^profile dve: /);
  assert.is(place.aws.count({ service: 'imds' }), 0);
});

const sso = `[profile dev]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = dev
[sso-session corp]
sso_start_url = https://corp.example/start
sso_region = us-west-2
`;

/** As the SDK names the files: by the SHA-1 of the session's name, or else of the start URL. */
function cacheToken({ home }: Place, session: string, text: string): void {
  const folder = join(home, '.aws', 'sso', 'cache');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${createHash('sha1').update(session).digest('hex')}.json`), text);
}

for (const [what, cached] of [
  ['missing', undefined],
  ['expired', JSON.stringify({ accessToken: CANARY, expiresAt: '2020-01-01T00:00:00Z' })],
  ['without an expiry', JSON.stringify({ accessToken: CANARY })],
  ['no JSON', `${CANARY} is no JSON`],
] as const) {
  test(`an SSO session that is ${what} names the command that renews it, without quoting the session`, async (place) => {
    configFile(place, sso);
    if (cached !== undefined) cacheToken(place, 'corp', cached);
    const { text, problem } = await fetchWith(place, { ...off, AWS_PROFILE: 'dev' });
    assert.match(text, /^profile dev: .*SSO.*Run: aws sso login --profile dev/);
    assert.is(problem?.retry, false);
  });
}

for (const [what, command, message, retry] of [
  [
    'is not there',
    `/nowhere/helper --token ${CANARY}`,
    /credential_process that does not exist or cannot be executed/,
    false,
  ],
  [
    'fails, and prints a secret',
    `sh -c 'echo ${CANARY} >&2; exit 3'`,
    /got a credential_process that failed.*manually/,
    true,
  ],
  ['prints what is no JSON', `echo ${CANARY}`, /credential_process returned invalid JSON/, true],
  [
    'prints half of its output',
    `echo '{"Version":1,"SecretAccessKey":"${CANARY}"}'`,
    /returned invalid credentials/,
    true,
  ],
] as const) {
  test(`a credential_process that ${what}`, async (place) => {
    configFile(place, `[profile dev]\ncredential_process = ${command}\n`);
    const { text, problem } = await fetchWith(place, { ...off, AWS_PROFILE: 'dev' });
    assert.match(text, /^profile dev: /);
    assert.match(text, message);
    assert.is(problem?.retry, retry);
  });
}

test('uses the output of credential_process', async (place) => {
  const output = { Version: 1, AccessKeyId: KEYS.AWS_ACCESS_KEY_ID, SecretAccessKey: CANARY };
  configFile(place, `[profile dev]\ncredential_process = echo '${JSON.stringify(output)}'\n`);
  found(await fetchWith(place, { AWS_PROFILE: 'dev' }), 'profile dev (credential_process)');
});

test('reports that only one of two variables is set', async (place) => {
  const irsa = await fetchWith(place, { ...off, AWS_ROLE_ARN: ROLE });
  assert.match(irsa.text, /^AWS_WEB_IDENTITY_TOKEN_FILE: .*only one of them.*\[credentials\.variables\]$/);
  const keys = await fetchWith(place, { ...pod, AWS_ACCESS_KEY_ID: 'AKIA' });
  assert.match(keys.text, /^AWS_ACCESS_KEY_ID: .*only one of them.*\[credentials\.variables\]$/);
  for (const { problem } of [irsa, keys]) assert.is(problem?.retry, false);
});

test('names all links that failed, in order', async (place) => {
  const { text } = await fetchWith(place, { ...off, AWS_PROFILE: 'dve', AWS_ROLE_ARN: ROLE });
  assert.match(text, /^profile dve: .*; AWS_WEB_IDENTITY_TOKEN_FILE: .*only one of them/);
});

test('distinguishes an unknown access key from a wrong secret access key', async (place) => {
  const unknown = await fetchWith(place, { ...KEYS, AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN' });
  assert.match(
    unknown.text,
    /rejected the access key \(UnrecognizedClientException.*Check the access key id.*\[credentials\.rejected\]$/,
  );
  assert.is(unknown.problem?.retryFor, 15_000);
  const wrong = await fetchWith(place, { ...KEYS, AWS_SECRET_ACCESS_KEY: `${CANARY}x` });
  assert.match(
    wrong.text,
    /rejected the access key \(InvalidSignatureException.*Correct the secret access key.*\[credentials\.rejected\]$/,
  );
  assert.is(wrong.problem?.retry, false);
  for (const { text } of [unknown, wrong]) assert.not.match(text, /expired|clock/);
});

test('does not retry keys with an expiration in the past', async (place) => {
  const { text, problem } = await fetchWith(place, {
    ...KEYS,
    AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z',
  });
  assert.match(text, /^AWS_CREDENTIAL_EXPIRATION: .*expired \d+ s ago.*\[credentials\.expired\]$/);
  assert.is(problem?.retry, false);
});

test('reports keys with a line break as unusable', async (place) => {
  const { text } = await fetchWith(place, { ...off, ...KEYS, AWS_ACCESS_KEY_ID: 'AKIA\n' });
  assert.match(text, /^environment keys: expected the access key id in visible ASCII characters, got other/);
  for (const secret of ['key\n', ' key']) {
    const spaced = await fetchWith(place, { ...off, ...KEYS, AWS_SECRET_ACCESS_KEY: secret });
    assert.match(spaced.text, /^environment keys: expected the secret access key in visible ASCII/);
  }
  const dated = await fetchWith(place, { ...off, ...KEYS, AWS_CREDENTIAL_EXPIRATION: 'tomorrow' });
  assert.match(dated.text, /^environment keys: expected a valid expiration date, got another text/);
});

test('a relative path of container credentials that is none is reported under its own variable', async (place) => {
  const { text } = await fetchWith(place, { ...off, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: 'v2/a' });
  assert.match(
    text,
    /^AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: expected a path that begins with \/, got "v2\/a"/,
  );
});

const servers: Server[] = [];
test.after(() => {
  for (const server of servers) server.close().closeAllConnections();
});

test("uses the SSO endpoint in the profile's region", async (place) => {
  let path: string | undefined;
  const server = createServer((request, response) => {
    path = request.url;
    response.writeHead(401, { 'x-amzn-errortype': 'UnauthorizedException' }).end(`{"message":"${CANARY}"}`);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  configFile(
    place,
    `[profile dev]\nsso_start_url = https://corp.example/start\nsso_region = us-west-2\nsso_account_id = 1\nsso_role_name = dev\n`,
  );
  const token = JSON.stringify({ accessToken: CANARY, expiresAt: '2099-01-01T00:00:00Z' });
  cacheToken(place, 'https://corp.example/start', token);
  const { text, problem } = await fetchWith(place, { ...off, AWS_PROFILE: 'dev', AWS_ENDPOINT_URL_SSO: url });
  assert.match(path ?? '', '/federation/credentials');
  assert.match(text, /invalid SSO session \(UnauthorizedException\)\. Run: aws sso login --profile dev/);
  assert.is(problem?.retry, false);
  assert.not.match(problemLine(problem as Problem), CANARY);
});

test.run();
