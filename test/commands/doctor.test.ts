/** Doctor against the fake AWS: every way in which a pod's access fails, and the report of it. */

import * as fs from 'node:fs';
import { chmodSync, rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Context } from '../../src/commands/context.ts';
import { doctor } from '../../src/commands/doctor.ts';
import { isInMemory } from '../../src/publish/filesystem-check.ts';
import { type FakeAws, startFakeAws } from '../fake-aws/server.ts';
import { isNotTested } from '../support/allowed.ts';
import { realClock } from '../support/real-clock.ts';
import { rejects } from '../support/rejects.ts';
import { irsaEnv, makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

/** Part of every value, and of the tokens' signatures: never in any output. */
const CANARY = 'CANARYhunter2';
const ROLE = 'arn:aws:iam::111122223333:role/app';

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.${CANARY}`;
}

const claims = { sub: 'system:serviceaccount:shop:app', exp: 4_102_444_800 };
const podToken = jwt({ ...claims, aud: ['pods.eks.amazonaws.com'] });
const webToken = jwt({ ...claims, aud: 'sts.amazonaws.com' });

interface Scene {
  aws: FakeAws;
  sandbox: Sandbox;
  env: Record<string, string>;
  /** The effective uid; default: that of the test. */
  user?: number;
}

const test = suite<Scene>('doctor');
test.before.each(async (scene) => {
  scene.aws = await startFakeAws({
    seed: {
      identities: { app: { role: ROLE, podIdentityTokens: [podToken], webIdentityTokens: [webToken] } },
      regions: {
        'eu-west-1': {
          secrets: { db: CANARY, login: { json: { user: CANARY } }, locked: CANARY },
          parameters: { '/app/token': CANARY },
        },
        'us-east-1': { secrets: { db: CANARY } },
      },
    },
  });
  scene.sandbox = makeSandbox();
  scene.env = podIdentityEnv(scene.sandbox, scene.aws, podToken);
});
test.after.each(async ({ aws, sandbox }) => {
  await aws.close();
  sandbox.remove();
});

const secret = (name: string) => ({ objectName: name, objectType: 'secretsmanager' });
const pod = { usePodIdentity: 'true' };

/** Runs doctor; fails if its output contains a value or a token. */
async function run({ sandbox, env, user = process.geteuid?.() ?? 0 }: Scene, ...flags: string[]) {
  const command = parseCommand(['doctor', ...flags], {
    ...env,
    PODSECRETS_CONFIG: sandbox.config,
    PODSECRETS_DIR: sandbox.dir,
  });
  if (command.kind !== 'run') throw new Error('expected a command that runs');
  let [out, err] = ['', ''];
  const context = {
    ...command.invocation,
    command: 'doctor',
    env,
    clock: realClock,
    process: { user },
    stop: new AbortController().signal,
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  const code = await doctor(context as unknown as Context);
  for (const text of [out, err]) assert.not.match(text, CANARY);
  return { code, out, err };
}

test('names the proxy, without its password, and NO_PROXY, to which it does not apply', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, region: 'eu-west-1', objects: [secret('db')] });
  Object.assign(scene.env, {
    HTTPS_PROXY: `http://u:${CANARY}@127.0.0.1:1`,
    NO_PROXY: '10.0.0.0/8,amazonaws.com',
  });
  const { code, out } = await run(scene);
  assert.is(code, 0);
  assert.match(out, /through the proxy 127\.0\.0\.1:1, except NO_PROXY=10\.0\.0\.0\/8,amazonaws\.com\n/);
});

test('all checks pass: reports identity, endpoints and objects', async (scene) => {
  scene.sandbox.writeConfig({
    ...pod,
    region: 'eu-west-1',
    objects: [secret('db'), { objectName: '/app/token', objectType: 'ssmparameter' }],
  });
  const { code, out } = await run(scene);
  assert.is(code, 0);
  for (const expected of [
    /ok {4}config {5}2 objects, 2 files\n/,
    /ok {4}region {5}eu-west-1, from parameters.region\n/,
    /ok {4}endpoints {2}Secrets Manager, Parameter Store, STS at http:\/\/127/,
    /ok {4}auth {7}EKS Pod Identity via http:\/\/127\S+, from usePodIdentity: "true"\n/,
    /ok {4}token {6}\S+: system:serviceaccount:shop:app for pods.eks.amazonaws.com, expires in/,
    /ok {4}identity {3}arn:aws:sts::111122223333:assumed-role\/app\/\S+; credentials expire in (5h59m|6h)\n/,
    /ok {4}directory {2}in memory, \d+ MiB free\n/,
    /ok {4}db {10}secretsmanager eu-west-1 {2}version \S+\n/,
    /ok {4}\/app\/token {2}ssmparameter {3}eu-west-1 {2}version 1\n/,
    /All checks passed.\n$/,
  ])
    assert.match(out, expected);
  assert.equal(scene.sandbox.files(), {});
});

test('names AWS_REGION as the origin of the region', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  assert.match((await run(scene)).out, 'eu-west-1, from AWS_REGION\n');
});

test('doctor reports the problems of a config like check, and skips the other checks', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [{ objectName: 'db', objectType: 'secretmanager' }] });
  const { code, out } = await run(scene);
  assert.is(code, 3);
  assert.match(out, /FAIL {2}config\n {8}objects\[0\].*expected .*"secretsmanager".*got "secretmanager"/);
  assert.is(scene.aws.count(), 0);
});

test('names a denied action and its resource, and prints the policy that allows it', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db'), secret('locked')] });
  scene.aws.changeIdentity({
    name: 'app',
    deny: [{ action: 'secretsmanager:GetSecretValue', resource: 'locked' }],
  });
  const { code, out } = await run(scene);
  assert.is(code, 5);
  assert.match(
    out,
    /FAIL {2}locked {2}secretsmanager eu-west-1\n {8}arn:aws:\S+ is not authorized to perform secretsmanager:GetSecretValue/,
  );
  assert.match(
    out,
    'fix: Allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:111122223333:secret:locked-',
  );
  assert.match(out, /ok {4}db/);
  const policy = JSON.parse(/\{\n[\s\S]*\n\}/.exec(out)?.[0] ?? '') as {
    Statement: { Resource: string[] }[];
  };
  assert.match(policy.Statement[0]?.Resource[0] ?? '', /:secret:locked-/);
  assert.is(policy.Statement.length, 1);
  assert.match(out, '1 problem; exit code 5.');
});

test("the agent's own code and request id are reported, with the remedy for that code", async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  scene.aws.addFault({
    on: { service: 'agent' },
    does: { kind: 'error', code: 'AccessDeniedException', status: 403, message: `${CANARY} denied` },
  });
  const { code, out } = await run(scene);
  assert.is(code, 4);
  assert.match(
    out,
    /FAIL {2}identity\n.*got AccessDeniedException \(HTTP status 403, request id [\da-f-]{36}\)/,
  );
  assert.match(out, /sts:AssumeRole and sts:TagSession/);
});

test('a KMS denial is reported as KMS, and the statement is limited to the value', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('locked')] });
  scene.aws.changeIdentity({ name: 'app', deny: [{ action: 'kms:Decrypt', resource: 'locked' }] });
  const { code, out } = await run(scene);
  assert.is(code, 5);
  assert.match(out, 'kms:Decrypt');
  assert.match(
    out,
    '"kms:EncryptionContext:SecretARN": [\n            "arn:aws:secretsmanager:eu-west-1:*:secret:locked-??????"',
  );
});

test('a missing object names the region', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, region: 'us-east-1', objects: [secret('login')] });
  const { code, out } = await run(scene);
  assert.is(code, 5);
  assert.match(out, 'secretsmanager:GetSecretValue in us-east-1: not found (ResourceNotFoundException');
});

test('an optional object that does not exist is a warning', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [{ ...secret('feature'), optional: true }] });
  const { code, out } = await run(scene);
  assert.is(code, 0);
  assert.match(out, /warn {2}feature/);
});

test('a failover region that is denied is a warning, as for the provider, with the missing permission', async (scene) => {
  scene.sandbox.writeConfig({
    ...pod,
    failoverRegion: 'us-east-1',
    objects: [{ ...secret('db'), objectAlias: 'db' }],
  });
  scene.aws.addFault({
    on: { region: 'us-east-1', service: 'secretsmanager' },
    does: { kind: 'error', code: 'AccessDeniedException', message: 'no' },
  });
  const { code, out } = await run(scene);
  assert.is(code, 0);
  assert.match(out, /ok {4}db {2}secretsmanager eu-west-1/);
  assert.match(out, /warn {2}db {2}secretsmanager us-east-1/);
  assert.match(out, 'arn:aws:secretsmanager:us-east-1:*:secret:db-??????');
});

test('an unreachable failover region is a warning', async (scene) => {
  scene.sandbox.writeConfig({
    ...pod,
    failoverRegion: 'us-east-1',
    objects: [{ ...secret('db'), objectAlias: 'db' }],
  });
  scene.aws.addFault({
    on: { region: 'us-east-1', service: 'secretsmanager' },
    does: { kind: 'error', code: 'InternalServiceError', status: 500 },
  });
  const { code, out } = await run(scene, '--aws-timeout', '1s');
  assert.is(code, 0);
  assert.match(out, /warn {2}db {2}secretsmanager us-east-1/);
  const { out: json } = await run(scene, '--aws-timeout', '1s', '--output', 'json');
  assert.is(JSON.parse(json).configs[0].objects[0].result, 'warning');
});

test('reports a value that cannot be rendered', async (scene) => {
  scene.sandbox.writeConfig({
    ...pod,
    objects: [{ ...secret('login'), jmesPath: [{ path: 'pasword', objectAlias: 'password' }] }],
  });
  const { code, out } = await run(scene);
  assert.is(code, 5);
  assert.match(out, /ok {4}login[\s\S]*FAIL {2}its files cannot be rendered:\n {8}objects\[0\]/);
});

test('names missing variables, and sends no request', async (scene) => {
  scene.sandbox.writeConfig({ usePodIdentity: 'false', objects: [secret('db')] });
  const { code, out } = await run(scene);
  assert.is(code, 4);
  assert.match(out, /FAIL {2}auth\n {8}AWS_ROLE_ARN: expected AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE/);
  assert.match(out, /skip {2}objects {4}1 not read, because a check above failed/);
  assert.match(out, /ok {4}directory/);
  assert.is(scene.aws.count(), 0);
});

test('a rejected token fails the check of the identity once, and the objects are skipped', async (scene) => {
  scene.env = podIdentityEnv(scene.sandbox, scene.aws, jwt({ ...claims, aud: 'elsewhere' }));
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db'), secret('login')] });
  const { code, out } = await run(scene);
  assert.is(code, 4);
  assert.match(out, /ok {4}token .* for elsewhere/);
  assert.match(out, /FAIL {2}identity\n/);
  assert.match(out, '1 problem; exit code 4.');
  assert.match(out, /skip {2}objects {4}2 not read, because a check above failed\n/);
  assert.not.match(out, 'login');
});

test('a missing token file is reported at the token', async (scene) => {
  rmSync(scene.env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE ?? '');
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  const { code, out } = await run(scene);
  assert.is(code, 4);
  assert.match(
    out,
    /FAIL {2}token\n {8}\S+pod-identity-token: expected the service account's token, got no file/,
  );
  assert.match(out, /FAIL {2}identity {3}same as token\n/);
});

test('IRSA works with its variables alone, without usePodIdentity', async (scene) => {
  scene.env = irsaEnv(scene.sandbox, scene.aws, ROLE, webToken);
  scene.sandbox.writeConfig({ objects: [secret('db')] });
  const { code, out } = await run(scene);
  assert.is(code, 0);
  assert.match(out, `IAM role ${ROLE} with the service account token, from environment variables`);
  assert.match(out, 'for sts.amazonaws.com');
});

test('without access to STS the identity is unknown, and the other checks run', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  scene.aws.addFault({ on: { service: 'sts' }, does: { kind: 'cut', at: 'before-headers' } });
  const { code, out } = await run(scene);
  assert.is(code, 0);
  assert.match(out, /warn {2}identity\n {8}STS in eu-west-1: sts:GetCallerIdentity/);
  assert.match(out.replaceAll(/\s+/g, ' '), /ECONNRESET from 127\.0\.0\.1:\d+/);
  assert.match(out, /ok {4}db/);
});

test("in a pod with envFile checks the cluster's version, and skips that without a token", async (scene) => {
  scene.sandbox.writeConfig({ ...pod, envFile: 'app.env', objects: [{ ...secret('db'), env: 'DB' }] });
  assert.not.match((await run(scene)).out, 'cluster');
  const env = { ...scene.env, KUBERNETES_SERVICE_HOST: '127.0.0.1' };
  const { code, out } = await run({ ...scene, env });
  assert.is(code, 0);
  assert.match(out, /skip {2}cluster {4}its version cannot be read: \/var\/run\/secrets\/kubernetes.io/);
});

test('rejects a sticky directory of another user, like init', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  chmodSync(scene.sandbox.dir, 0o1777);
  assert.is((await run(scene)).code, 0);
  const other = { ...scene, user: 1 + (process.geteuid?.() ?? 0) };
  for (const [env, remedy] of [
    [{}, 'fix: With docker-compose, give the volume driver_opts'],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, /fix: (podsecrets must be first|Publish to a directory below)/],
  ] as const) {
    const { code, out } = await run({ ...other, env: { ...scene.env, ...env } });
    assert.is(code, 6);
    assert.match(out, /FAIL {2}directory\n {8}.*the directory is sticky.* \[publish\.sticky\]/);
    assert.match(out, remedy);
    assert.match(out, /ok {4}db /);
  }
});

test('rejects a directory on a disk, like init, unless it is allowed', async (scene) => {
  // The checkout may lie in a /tmp that is a tmpfs.
  const disk = [import.meta.dirname, '/var/tmp'].find((path) => !isInMemory(fs, path));
  if (disk === undefined) return void isNotTested('a directory on a disk: every directory is in memory');
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  const { code, out } = await run(scene, '--dir', disk);
  assert.is(code, 6);
  assert.match(out, /FAIL {2}directory\n {8}.*a tmpfs or ramfs is required/);
  assert.match((await run(scene, '--dir', disk, '--allow-disk')).out, /ok {4}directory {2}on a disk/);
});

test('checks several configs one by one, with the exit code of the earliest stage', async (scene) => {
  const good = scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] });
  const bad = scene.sandbox.write('bad.yaml', 'nonsense');
  const { code, out } = await run(scene, '--config', good, '--config', `${bad}=${scene.sandbox.root}/other`);
  assert.is(code, 3);
  assert.match(out, /config.yaml -> \S+secrets\n[\s\S]*bad.yaml -> \S+other\n {2}FAIL {2}config/);
});

test('prints the same as JSON, with results and problems as fields', async (scene) => {
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db'), secret('locked')] });
  scene.aws.changeIdentity({ name: 'app', deny: [{ action: 'secretsmanager:*', resource: 'locked' }] });
  const { code, out } = await run(scene, '--output', 'json');
  const report = JSON.parse(out);
  assert.equal([code, report.ok, report.exitCode], [5, false, 5]);
  const [config] = report.configs;
  assert.equal(
    config.checks.map((check: { check: string; result: string }) => `${check.check} ${check.result}`),
    ['config ok', 'region ok', 'endpoints ok', 'auth ok', 'token ok', 'identity ok', 'directory ok'],
  );
  assert.equal(
    config.objects.map(({ object, result }: { object: string; result: string }) => [object, result]),
    [
      ['db', 'ok'],
      ['locked', 'failed'],
    ],
  );
  const [read] = config.objects[1].reads;
  assert.equal(
    [read.service, read.region, read.id, read.problem.code],
    ['secretsmanager', 'eu-west-1', 'locked', 'fetch.denied'],
  );
  assert.is(report.missing.Statement[0].Action, 'secretsmanager:GetSecretValue');
});

test('with --sync-secrets the rules that the service account lacks are reported', async (scene) => {
  const secretObjects = [
    { secretName: 'app', type: 'Opaque', data: [{ objectName: 'db', key: 'password' }] },
  ];
  scene.sandbox.writeConfig({ ...pod, objects: [secret('db')] }, { secretObjects });
  const { code, out } = await run(scene, '--sync-secrets');
  assert.is(code, 8);
  assert.match(
    out,
    /FAIL {2}secrets\n {8}KUBERNETES_SERVICE_HOST: is not set: this process does not run in a Kubernetes pod/,
  );
});

test('--policy prints only the least-privilege policy, offline, with notes on stderr', async (scene) => {
  scene.sandbox.writeConfig({
    ...pod,
    failoverRegion: 'us-east-1',
    objects: [{ ...secret('db'), objectAlias: 'db' }],
  });
  const { code, out, err } = await run(scene, '--policy');
  assert.is(code, 0);
  const policy = JSON.parse(out);
  assert.equal(policy.Statement[0].Resource, [
    'arn:aws:secretsmanager:eu-west-1:*:secret:db-??????',
    'arn:aws:secretsmanager:us-east-1:*:secret:db-??????',
  ]);
  assert.match(err, "The role's trust policy for EKS Pod Identity: {");
  assert.is(scene.aws.count(), 0);
  scene.sandbox.write('config.yaml', 'nonsense');
  await rejects(run(scene, '--policy'));
});

test.run();
