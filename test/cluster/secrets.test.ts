/**
 * Secret sync against a real API server, as a service account with the generated Role and nothing more.
 *
 * Every test has a namespace of its own. Nothing runs in it: pods and workloads are only objects here.
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rbacFor } from '../../src/core/kubernetes/rbac.ts';
import type { Plan } from '../../src/core/plan.ts';
import { Problem, problemLine } from '../../src/core/problem.ts';
import { checkAccess } from '../../src/edge/kubernetes/access.ts';
import { applySecrets, type SecretsRequest } from '../../src/edge/kubernetes/apply-secrets.ts';
import { rejects } from '../support/rejects.ts';
import { published, secretObject, secretPlan } from '../support/secret-plan.ts';
import { type Cluster, makeNamespace, startCluster } from './cluster.ts';

interface Scene {
  cluster: Cluster;
  api: { readonly host: string; readonly port: string; readonly ca: string };
  namespace: string;
  directory: string;
}

const test = suite<Scene>('secrets in a cluster');

test.before(async (scene) => {
  scene.cluster = await startCluster();
  const view = JSON.parse(scene.cluster.kubectl(['config', 'view', '--raw', '--minify', '-o', 'json']));
  const [{ cluster }] = view.clusters as [{ cluster: Record<string, string> }];
  const { hostname: host, port } = new URL(cluster.server ?? '');
  const given = cluster['certificate-authority-data'];
  const ca = given === undefined ? await authorityOf(host, port) : Buffer.from(given, 'base64').toString();
  scene.api = { host, port: port || '443', ca };
});
test.before.each((scene) => {
  scene.namespace = `podsecrets-${randomBytes(4).toString('hex')}`;
  makeNamespace(scene.cluster, scene.namespace);
  scene.directory = mkdtempSync(join(tmpdir(), 'service-account-'));
  const token = scene.cluster.kubectl(['-n', scene.namespace, 'create', 'token', 'default']);
  for (const [file, text] of Object.entries({ token, 'ca.crt': scene.api.ca, namespace: scene.namespace }))
    writeFileSync(join(scene.directory, file), text);
});
test.after.each(({ cluster, namespace, directory }) => {
  rmSync(directory, { recursive: true });
  cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
});
test.after(async ({ cluster }) => {
  await cluster.stop();
});

/** What the server shows, for an API server that made its own certificates. */
function authorityOf(host: string, port: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
    const leaf = socket.getPeerCertificate(true);
    const pem = ({ raw }: { raw: Buffer }) =>
      `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
    resolve(pem(leaf) + (leaf.issuerCertificate ? pem(leaf.issuerCertificate) : ''));
    socket.end();
  });
  socket.on('error', reject);
  return promise;
}

const app = secretObject('app', { password: 'db' });
const other = secretObject('other', { key: 'other' });
const files = published({ db: 'hunter2', other: 'more' });
const base64 = (text: string) => Buffer.from(text).toString('base64');

function make(scene: Scene, object: object): void {
  scene.cluster.kubectl(['-n', scene.namespace, 'create', '-f', '-'], JSON.stringify(object));
}

/** Gives the service account what the Role for this plan gives, and takes what it had. */
function grant(scene: Scene, plan: Plan, owner: 'retain' | 'pod' | 'workload' = 'retain'): void {
  const made = rbacFor(plan, { owner, serviceAccount: 'default', namespace: scene.namespace });
  for (const object of made) scene.cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

async function apply(scene: Scene, plan: Plan, snapshot = files, more: Partial<SecretsRequest> = {}) {
  const outcome = await applySecrets({
    plan,
    snapshot,
    owner: 'retain',
    env: { KUBERNETES_SERVICE_HOST: scene.api.host, KUBERNETES_SERVICE_PORT: scene.api.port, ...more.env },
    hostname: 'app-1',
    signal: new AbortController().signal,
    serviceAccountDirectory: scene.directory,
    ...withoutEnv(more),
  });
  return {
    results: outcome.applied.map(({ name, result }) => `${name} ${result}`).sort(),
    problems: outcome.problems.map(problemLine),
    warnings: outcome.warnings.map(problemLine),
  };
}

function withoutEnv({ env: _, ...rest }: Partial<SecretsRequest>): Partial<SecretsRequest> {
  return rest;
}

function live(scene: Scene, name: string) {
  return JSON.parse(scene.cluster.kubectl(['-n', scene.namespace, 'get', 'secret', name, '-o', 'json']));
}

test('creates, leaves alone, updates, and removes what left the config', async (scene) => {
  const both = secretPlan([app, other]);
  grant(scene, both);
  assert.equal(await apply(scene, both), {
    results: ['app created', 'other created'],
    problems: [],
    warnings: [],
  });
  assert.equal(live(scene, 'app').data, { password: base64('hunter2') });
  const version = live(scene, 'app').metadata.resourceVersion;
  assert.equal((await apply(scene, both)).results, ['app unchanged', 'other unchanged']);
  assert.is(live(scene, 'app').metadata.resourceVersion, version);

  const rotated = published({ db: 'new', other: 'more' });
  assert.equal((await apply(scene, both, rotated)).results, ['app updated', 'other unchanged']);
  assert.equal(live(scene, 'app').data, { password: base64('new') });

  // The keys of a changed entry replace those of the old one.
  const renamed = secretPlan([secretObject('app', { secret: 'db' }, { labels: { tier: 'db' } }), other]);
  assert.equal((await apply(scene, renamed, rotated)).results, ['app updated', 'other unchanged']);
  assert.equal(live(scene, 'app').data, { secret: base64('new') });

  // The Role still names both.
  const one = secretPlan([app]);
  assert.equal((await apply(scene, one, rotated)).results, ['app updated', 'other removed']);
  assert.throws(() => live(scene, 'other'), /NotFound/);
  assert.equal((await apply(scene, one, rotated)).results, ['app unchanged']);
});

test('refuses a foreign Secret, and a field that somebody changed', async (scene) => {
  const plan = secretPlan([app, other]);
  grant(scene, plan);
  scene.cluster.kubectl([
    '-n',
    scene.namespace,
    'create',
    'secret',
    'generic',
    'app',
    '--from-literal=password=theirs',
  ]);
  const first = await apply(scene, plan);
  assert.equal(first.results, ['other created']);
  assert.match(first.problems.join(), 'got one managed by "kubectl-create"');
  assert.equal(live(scene, 'app').data, { password: base64('theirs') });

  const patch = JSON.stringify({ data: { key: base64('theirs') } });
  scene.cluster.kubectl(['-n', scene.namespace, 'patch', 'secret', 'other', '-p', patch]);
  assert.match((await apply(scene, plan)).problems.join(), 'got .data.key managed by "kubectl-patch"');
  assert.equal(live(scene, 'other').data, { key: base64('theirs') });
});

test('each rule that is missing is named, and is enough once it is there', async (scene) => {
  const plan = secretPlan([app]);
  const rules: string[] = [];
  for (const verb of ['get', 'patch', 'create']) {
    const { problems } = await apply(scene, plan);
    const [, rule = ''] = /Role in namespace \S+: (- \{.*\}) \[/.exec(problems.join()) ?? [];
    assert.match(rule, `resourceNames: ["app"], verbs: ["${verb}"]`);
    rules.push(rule);
    scene.cluster.kubectl(['apply', '-f', '-'], role(scene.namespace, rules));
  }
  assert.equal((await apply(scene, plan)).results, ['app created']);
  const { problems } = await apply(scene, secretPlan([app, other]));
  assert.match(problems.join(), 'resourceNames: ["other"], verbs: ["get"]');
});

/** The rules as they were printed, pasted into a Role. */
function role(namespace: string, rules: readonly string[]): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: pasted, namespace: ${namespace} }
rules:
${rules.map((rule) => `  ${rule}`).join('\n')}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: pasted, namespace: ${namespace} }
subjects: [{ kind: ServiceAccount, name: default, namespace: ${namespace} }]
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: pasted }
`;
}

test('what may be done is known before it is done', async (scene) => {
  const plan = secretPlan([app]);
  const question = {
    plan,
    owner: 'retain' as const,
    env: { KUBERNETES_SERVICE_HOST: scene.api.host, KUBERNETES_SERVICE_PORT: scene.api.port },
    signal: new AbortController().signal,
    serviceAccountDirectory: scene.directory,
  };
  const error = await rejects(checkAccess(question));
  assert.instance(error, Problem);
  assert.match((error as Problem).remedy, 'resourceNames: ["app"], verbs: ["get", "create", "patch"]');
  grant(scene, plan);
  assert.is(await checkAccess(question), scene.namespace);
});

test('a Secret without leave to remove it stays, with a warning', async (scene) => {
  grant(scene, secretPlan([app, other]));
  await apply(scene, secretPlan([app, other]));
  grant(scene, secretPlan([app]));
  const { results, warnings } = await apply(scene, secretPlan([app]));
  assert.equal(results, ['app unchanged']);
  assert.match(warnings.join(), 'resourceNames: ["other"], verbs: ["get"]');
  assert.ok(live(scene, 'other'));
});

test('an owner that is the workload is found behind the pod, with the generated Role', async (scene) => {
  const plan = secretPlan([app]);
  grant(scene, plan, 'workload');
  const labels = { app: 'shop' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app' }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  const uid = (what: string) =>
    scene.cluster.kubectl(['-n', scene.namespace, 'get', what, '-o', 'jsonpath={.metadata.uid}']);
  const owned = (kind: string, apiVersion: string, name: string, by: string) => ({
    ownerReferences: [{ apiVersion, kind, name, uid: uid(by), controller: true }],
    labels,
  });
  make(scene, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop' }, spec });
  make(scene, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'shop-5d', ...owned('Deployment', 'apps/v1', 'shop', 'deployment/shop') },
    spec,
  });
  make(scene, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop-5d-x', ...owned('ReplicaSet', 'apps/v1', 'shop-5d', 'replicaset/shop-5d') },
    spec: template.spec,
  });
  const result = await apply(scene, plan, files, { owner: 'workload', hostname: 'shop-5d-x' });
  assert.equal(result, { results: ['app created'], problems: [], warnings: [] });
  assert.equal(live(scene, 'app').metadata.ownerReferences, [
    { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: uid('deployment/shop') },
  ]);
});

test('pods that start at one moment own the Secret together', async (scene) => {
  const plan = secretPlan([app]);
  grant(scene, plan, 'pod');
  const pods = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ POD_NAME: name, POD_UID: `uid-of-${name}` }));
  const outcomes = await Promise.all(pods.map((env) => apply(scene, plan, files, { owner: 'pod', env })));
  assert.equal(
    outcomes.flatMap(({ problems }) => problems),
    [],
  );
  const owners = live(scene, 'app').metadata.ownerReferences as { name: string }[];
  assert.equal(owners.map(({ name }) => name).sort(), ['a', 'b', 'c', 'd', 'e', 'f']);
  await apply(scene, plan);
  assert.is(live(scene, 'app').metadata.ownerReferences, undefined);
});

test('each documented type is accepted, and a type that changes is refused', async (scene) => {
  const types: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'kubernetes.io/basic-auth': { username: 'db', password: 'db' },
    'kubernetes.io/ssh-auth': { 'ssh-privatekey': 'db' },
    'kubernetes.io/dockerconfigjson': { '.dockerconfigjson': 'json' },
    'kubernetes.io/dockercfg': { '.dockercfg': 'json' },
    'bootstrap.kubernetes.io/token': { 'token-id': 'db', 'token-secret': 'db' },
    'example.com/own': { any: 'db' },
  };
  const objects = Object.entries(types).map(([type, data], index) =>
    secretObject(`typed-${index}`, data, { type }),
  );
  const plan = secretPlan(objects);
  grant(scene, plan);
  const contents = published({ db: 'x', json: '{"auths":{}}' });
  const { results, problems } = await apply(scene, plan, contents);
  assert.equal([results.length, problems], [objects.length, []]);
  const changed = secretPlan([secretObject('typed-0', { username: 'db' })]);
  assert.match((await apply(scene, changed, contents)).problems.join(), 'which never changes');
});

test.run();
