/** The output of inject, run end to end with real processes: the built program, a fake AWS, an application. */

import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeObject } from '../../src/inject/manifest.ts';
import { workloadOf } from '../../src/inject/workload.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isolated } from '../support/container.ts';
import { freePort } from '../support/free-port.ts';
import { injectWith } from '../support/inject.ts';
import { type RunningPod, runPod } from '../support/pod.ts';
import { binary } from '../support/program.ts';

const region = 'eu-west-1';
const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['token'] } },
  regions: { [region]: { secrets: { 'prod/db': 'first' } } },
};
const config = (name: string) => `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: app}
spec:
  provider: aws
  parameters:
    region: ${region}
    usePodIdentity: "true"
    objects: |
      - {objectName: ${name}, objectType: secretsmanager, objectAlias: db}
`;

const test = suite<{ aws: FakeAwsProcess; pods: RunningPod[]; tokens: string }>('pod');
test.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
  context.tokens = mkdtempSync(join(tmpdir(), 'tokens-'));
  chmodSync(context.tokens, 0o755);
  copyFileSync('/bin/sh', join(context.tokens, APP));
  const token = join(context.tokens, 'eks-pod-identity-token');
  writeFileSync(token, 'token');
  chmodSync(token, 0o644);
});
test.after(async ({ aws, tokens }) => {
  rmSync(tokens, { recursive: true });
  await aws.stop();
});
test.before.each(async (context) => {
  await context.aws.reset();
  context.pods = [];
});
test.after.each(async ({ pods }) => {
  for (const pod of pods) await pod.stop();
});

interface Fixture {
  readonly aws: FakeAwsProcess;
  readonly pods: RunningPod[];
  /** Mounted in addition to the volumes: the token of the service account, and a shell. */
  readonly tokens: string;
}

interface Setting {
  readonly kind?: 'Pod' | 'Job';
  readonly flags?: string;
  /** A shell script: the application. */
  readonly app: string;
  readonly pod?: string;
  readonly secret?: string;
}

/** Injects, and runs the pod that comes out. */
async function run(fixture: Fixture, setting: Setting): Promise<RunningPod> {
  const { kind = 'Pod', flags = '', app, pod = '', secret = 'prod/db' } = setting;
  const spec = `{containers: [{name: app, image: app}]${pod && `, ${pod}`}}`;
  const text =
    kind === 'Pod' ? `kind: Pod\nspec: ${spec}\n` : `kind: Job\nspec: {template: {spec: ${spec}}}\n`;
  return await runManifest(fixture, text, config(secret), flags, app);
}

async function runManifest(
  fixture: Fixture,
  text: string,
  spc: string,
  flags: string,
  app: string,
): Promise<RunningPod> {
  const configs = [{ file: 'config.yaml', text: spc, dir: undefined }];
  const listen = /--as init( |$)/.test(flags) ? '' : `--listen 0.0.0.0:${await freePort()}`;
  const { objects } = await injectWith(
    { file: 'pod.yaml', text, configs },
    `${flags} ${listen} --log-format text`,
  );
  const workload = objects.map((object) => workloadOf(object as KubeObject)).find((one) => one !== undefined);
  const configMaps = (objects as readonly ConfigMapView[])
    .filter((object) => object.kind === 'ConfigMap')
    .map(({ metadata, data }) => [metadata.name, data] as const);
  const started = await runPod(workload?.pod as unknown as Parameters<typeof runPod>[0], {
    entrypoint: (name) => (name.startsWith('podsecrets') ? [binary] : ['sh', '-c', app]),
    configMaps: new Map(configMaps),
    env: {
      AWS_REGION: region,
      AWS_ENDPOINT_URL: fixture.aws.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: fixture.aws.agentUrl,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${TOKENS}/eks-pod-identity-token`,
    },
    mounts: [{ from: fixture.tokens, to: TOKENS, readOnly: true }],
  });
  fixture.pods.push(started);
  return started;
}

interface ConfigMapView {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

const TOKENS = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';
/** A shell under a name that no other process has: 15 letters at most. */
const APP = `app-${process.pid}`;
const FILE = '/mnt/secrets-store/db';
/** Prints the file whenever it has new content; ends at SIGTERM. */
const watching = `trap 'echo bye; exit 0' TERM; old=; while :; do new=$(cat ${FILE}); if [ "$new" != "$old" ]; then echo "$new"; old=$new; fi; sleep 0.05; done`;

test('native sidecar: the application starts after the files exist, sees a rotation, and ends first', async (fixture) => {
  const pod = await run(fixture, { app: watching, flags: '--interval 1s' });
  await pod.until(() => pod.log('app') === 'first\n');
  assert.equal(pod.events, ['start podsecrets', 'started podsecrets', 'start app']);
  await fixture.aws.putSecret({ region, name: 'prod/db', string: 'second' });
  await pod.until(() => pod.log('app') === 'first\nsecond\n');
  await pod.stop();
  assert.equal(pod.events.slice(3), ['end app 0', 'end podsecrets 0']);
});

test("the provider's own example, converted, has its file at the path of the CSI driver", async (fixture) => {
  const example = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/csi', name), 'utf8');
  await fixture.aws.putSecret({ region, name: 'MySecret', string: 'as before' });
  const pod = await runManifest(
    fixture,
    example('ExampleDeployment-PodIdentity.yaml'),
    example('ExampleSecretProviderClass-PodIdentity.yaml'),
    '',
    "trap 'exit 0' TERM; cat /mnt/secrets-store/MySecret; while :; do sleep 0.05; done",
  );
  await pod.until(() => pod.log('nginx-pod-identity-deployment') === 'as before');
});

test('a killed sidecar is restarted without an effect on the application', async (fixture) => {
  const pod = await run(fixture, { app: `stat -L -c %y ${FILE}; ${watching}` });
  await pod.until(() => pod.log('app').endsWith('first\n'));
  const before = pod.log('app');
  pod.kill('podsecrets', 'SIGKILL');
  await pod.until(() => pod.events.filter((event) => event === 'start podsecrets').length === 2);
  await pod.until(() => (pod.log('podsecrets').match(/listen/g)?.length ?? 0) >= 2);
  assert.is(pod.log('app'), before);
});

test('init container: the job reads its files and ends, and no process is left', async (fixture) => {
  const pod = await run(fixture, {
    kind: 'Job',
    pod: 'restartPolicy: Never',
    flags: '--as init',
    app: `cat ${FILE}`,
  });
  await pod.until(() => pod.phase() === 'Succeeded');
  assert.is(pod.log('app'), 'first');
  assert.equal(pod.events, ['start podsecrets-init', 'end podsecrets-init 0', 'start app', 'end app 0']);
});

test('a native sidecar does not keep a job from ending', async (fixture) => {
  const pod = await run(fixture, { kind: 'Job', pod: 'restartPolicy: Never', app: `cat ${FILE}` });
  await pod.until(() => pod.events.includes('end podsecrets 0'));
  assert.is(pod.phase(), 'Succeeded');
  assert.equal(pod.events.slice(2), ['start app', 'end app 0', 'end podsecrets 0']);
});

test('init container plus regular sidecar, as before Kubernetes 1.29', async (fixture) => {
  const pod = await run(fixture, { app: watching, flags: '--as init+sidecar --interval 1s' });
  await pod.until(() => pod.log('app') === 'first\n');
  await fixture.aws.putSecret({ region, name: 'prod/db', string: 'second' });
  await pod.until(() => pod.log('app') === 'first\nsecond\n');
  assert.equal(pod.events.slice(0, 2), ['start podsecrets-init', 'end podsecrets-init 0']);
});

test('the application does not start without a missing secret, and the last line has the reason', async (fixture) => {
  const pod = await run(fixture, {
    kind: 'Job',
    pod: 'restartPolicy: Never',
    flags: '--as init --start-timeout 0s',
    app: 'true',
    secret: 'prod/lost',
  });
  await pod.until(() => pod.phase() === 'Failed');
  assert.equal(pod.events, ['start podsecrets-init', 'end podsecrets-init 5']);
  assert.match(pod.log('podsecrets-init').trimEnd().split('\n').at(-1) ?? '', /prod\/lost.*fetch\.notFound/);
});

test('the application gets a signal after a rotation, in a shared process namespace', async (fixture) => {
  const pod = await run(fixture, {
    pod: 'shareProcessNamespace: true, securityContext: {runAsUser: 101}',
    flags: `--interval 1s --notify-signal SIGHUP --notify-process ${APP}`,
    app: `exec ${TOKENS}/${APP} -c 'trap "cat ${FILE}; echo" HUP; trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'`,
  });
  await pod.until(() => pod.log('app') === 'up\n');
  await fixture.aws.putSecret({ region, name: 'prod/db', string: 'second' });
  await pod.until(() => pod.log('app') === 'up\nsecond\n');
});

const inIsolation = isolated ? test : test.skip;

inIsolation(
  'every user may follow the links: the directory of the files is podsecrets own, and is not sticky',
  async (fixture) => {
    const pod = await run(fixture, {
      pod: 'restartPolicy: Never, initContainers: [{name: migrate, image: app}]',
      app: `stat -c '%u %a' /mnt/secrets-store; stat -c %u ${FILE}`,
    });
    await pod.until(() => pod.phase() === 'Succeeded');
    for (const name of ['migrate', 'app']) assert.is(pod.log(name), '65532 755\n65532\n');
  },
);

inIsolation(
  'the application cannot write where the files are, and podsecrets can write nowhere else',
  async (fixture) => {
    const pod = await run(fixture, {
      pod: 'restartPolicy: Never',
      app: `touch /mnt/secrets-store/x 2>/dev/null || echo read-only; stat -L -c '%u %a' ${FILE}`,
    });
    await pod.until(() => pod.phase() === 'Succeeded');
    assert.is(pod.log('app'), 'read-only\n65532 644\n');
  },
);

test.run();
