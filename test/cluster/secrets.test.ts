/**
 * Secret sync against a real API server, as a service account with only the generated Role.
 *
 * Every test has its own namespace, whose pods no node may run.
 */

import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/config/plan.ts';
import { Problem, problemLine } from '../../src/core/problem.ts';
import { checkAccess } from '../../src/kubernetes/access-review.ts';
import { openApi } from '../../src/kubernetes/api.ts';
import { applySecrets, type SecretsRequest } from '../../src/kubernetes/apply-secrets.ts';
import { type RbacRule, rbacFor } from '../../src/kubernetes/rbac.ts';
import { rejects } from '../support/rejects.ts';
import { published, secretObject, secretPlan } from '../support/secret-plan.ts';
import { type Cluster, freshName, reportingHook, startCluster, until } from './cluster.ts';
import { type ApiServer, allows, apiServerOf, makeServiceAccount } from './service-account.ts';

interface Scene {
  cluster: Cluster;
  api: ApiServer;
  namespace: string;
  /** The files of its service account. */
  directory: string;
}

const test = suite<Scene>('secrets in a cluster');

test.before(
  reportingHook(async (scene) => {
    scene.cluster = await startCluster();
    scene.api = await apiServerOf(scene.cluster);
  }),
);
test.before.each(async (scene) => {
  scene.namespace = freshName();
  scene.directory = await makeServiceAccount(scene.cluster, scene.api, scene.namespace);
});
test.after.each((scene) => {
  rmSync(scene.directory, { recursive: true, force: true });
  kubectl(scene, ['delete', 'namespace', scene.namespace, '--wait=false', '--ignore-not-found']);
});
test.after(async ({ cluster }) => {
  await cluster?.stop();
});

/** In the namespace of the test. */
function kubectl({ cluster, namespace }: Scene, words: readonly string[], object?: object): string {
  return cluster.kubectl(['-n', namespace, ...words], object && JSON.stringify(object));
}

const app = secretObject('app', { password: 'db' });
const other = secretObject('other', { key: 'other' });
const files = published({ db: 'hunter2', other: 'more' });
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Replaces the permissions of the service account by those of the Role for this plan. */
async function grant(scene: Scene, plan: Plan, owner: 'retain' | 'pod' | 'workload' = 'retain') {
  const made = rbacFor(plan, { owner, serviceAccount: 'default', namespace: scene.namespace });
  for (const object of made) kubectl(scene, ['apply', '-f', '-'], object);
  await inForce(
    scene,
    made.flatMap((object) => object.rules ?? []),
  );
}

async function inForce({ cluster, namespace }: Scene, rules: readonly RbacRule[]): Promise<void> {
  await until('the Role to be in force', () => (allows(cluster, namespace, rules) ? true : undefined));
}

async function apply(scene: Scene, plan: Plan, snapshot = files, more: Partial<SecretsRequest> = {}) {
  const outcome = await applySecrets({
    plan,
    snapshot,
    owner: 'retain',
    adoptDriverSecrets: false,
    hostname: 'app-1',
    signal: new AbortController().signal,
    openApi: () => openApi(apiOptions(scene)),
    ...more,
    env: { ...apiOptions(scene).env, ...more.env },
  });
  return {
    results: outcome.applied.map(({ name, result }) => `${name} ${result}`).sort(),
    problems: outcome.problems.map(problemLine),
    warnings: outcome.warnings.map(problemLine),
  };
}

function apiOptions({ api, directory }: Scene) {
  return {
    env: { KUBERNETES_SERVICE_HOST: api.host, KUBERNETES_SERVICE_PORT: api.port },
    signal: new AbortController().signal,
    serviceAccountDirectory: directory,
  };
}

function live(scene: Scene, name: string) {
  return JSON.parse(kubectl(scene, ['get', 'secret', name, '--show-managed-fields', '-o', 'json']));
}

test('creates, keeps, updates and deletes Secrets', async (scene) => {
  const both = secretPlan([app, other]);
  await grant(scene, both);
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

test('rejects a Secret of another manager, and a field that another manager changed', async (scene) => {
  const plan = secretPlan([app, other]);
  await grant(scene, plan);
  kubectl(scene, ['create', 'secret', 'generic', 'app', '--from-literal=password=theirs']);
  const first = await apply(scene, plan);
  assert.equal(first.results, ['other created']);
  assert.match(first.problems.join(), 'is managed by "kubectl-create"');
  assert.equal(live(scene, 'app').data, { password: base64('theirs') });

  const patch = JSON.stringify({ data: { key: base64('theirs') } });
  kubectl(scene, ['patch', 'secret', 'other', '-p', patch]);
  assert.match((await apply(scene, plan)).problems.join(), 'field .data.key is managed by "kubectl-patch"');
  assert.equal(live(scene, 'other').data, { key: base64('theirs') });
});

test('names each missing rule, and succeeds after it is added', async (scene) => {
  const plan = secretPlan([app]);
  const rules: string[] = [];
  for (const verb of ['get', 'patch', 'create']) {
    const { problems } = await apply(scene, plan);
    const [, rule = ''] = /Role in namespace \S+: (- \{.*\}) \[/.exec(problems.join()) ?? [];
    assert.match(rule, `resourceNames: ["app"], verbs: ["${verb}"]`);
    rules.push(rule);
    scene.cluster.kubectl(['apply', '-f', '-'], role(scene.namespace, rules));
    await inForce(scene, [secretRule('app', verb)]);
  }
  assert.equal((await apply(scene, plan)).results, ['app created']);
  const { problems } = await apply(scene, secretPlan([app, other]));
  assert.match(problems.join(), 'resourceNames: ["other"], verbs: ["get"]');
});

function secretRule(name: string, verb: string): RbacRule {
  return { apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: [verb] };
}

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

test('the access review predicts what is allowed', async (scene) => {
  const plan = secretPlan([app]);
  const api = await openApi(apiOptions(scene));
  const error = await rejects(checkAccess(api, plan, { secretOwner: 'retain', adoptDriverSecrets: false }));
  assert.instance(error, Problem);
  assert.match((error as Problem).remedy, 'resourceNames: ["app"], verbs: ["get", "create", "patch"]');
  await grant(scene, plan);
  await checkAccess(api, plan, { secretOwner: 'retain', adoptDriverSecrets: false });
  api.close();
});

test('adopts a Secret of the CSI driver, and again after the driver writes', async (scene) => {
  const plan = secretPlan([app]);
  await grant(scene, plan);
  const old = JSON.parse(kubectl(scene, ['create', 'configmap', 'old', '-o', 'json']));
  const driverWrites = () =>
    kubectl(
      scene,
      ['apply', '--server-side', '--force-conflicts', '--field-manager=secrets-store-csi-driver', '-f', '-'],
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: 'app',
          namespace: scene.namespace,
          labels: { 'secrets-store.csi.k8s.io/managed': 'true' },
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'old', uid: old.metadata.uid }],
        },
        type: 'Opaque',
        data: { password: 'b2xk', stale: 'b2xk' },
      },
    );
  driverWrites();
  assert.match((await apply(scene, plan)).problems.join(), 'managed by the Secrets Store CSI driver');
  for (let round = 1; round <= 2; round++) {
    const { results, problems } = await apply(scene, plan, files, { adoptDriverSecrets: true });
    assert.equal([results, problems], [['app adopted'], []]);
    const { metadata, data } = live(scene, 'app');
    assert.equal(Object.keys(data), ['password']);
    assert.is.not(data.password, 'b2xk');
    assert.equal(metadata.labels, { 'app.kubernetes.io/managed-by': 'podsecrets' });
    assert.is(metadata.ownerReferences, undefined);
    assert.equal(
      [...new Set(metadata.managedFields.map(({ manager }: { manager: string }) => manager))],
      ['podsecrets'],
    );
    assert.equal((await apply(scene, plan, files, { adoptDriverSecrets: true })).results, ['app unchanged']);
    driverWrites();
  }
});

test('keeps a Secret that it may not delete, with a warning', async (scene) => {
  await grant(scene, secretPlan([app, other]));
  await apply(scene, secretPlan([app, other]));
  await grant(scene, secretPlan([app]));
  await until('the right to be gone', () =>
    allows(scene.cluster, scene.namespace, [secretRule('other', 'get')]) ? undefined : true,
  );
  const { results, warnings } = await apply(scene, secretPlan([app]));
  assert.equal(results, ['app unchanged']);
  assert.match(warnings.join(), 'resourceNames: ["other"], verbs: ["get"]');
  assert.ok(live(scene, 'other'));
});

/** Pods that no node runs, so that no image is pulled and nothing is started. */
const podSpec = {
  schedulingGates: [{ name: 'podsecrets.io/test' }],
  containers: [{ name: 'app', image: 'app' }],
};
const labels = { app: 'shop' };
const template = { metadata: { labels }, spec: podSpec };
const selector = { matchLabels: labels };
const job = { template: { metadata: { labels }, spec: { ...podSpec, restartPolicy: 'Never' } } };

const workloads: readonly (readonly [string, string, object])[] = [
  ['apps/v1', 'Deployment', { selector, template }],
  ['apps/v1', 'StatefulSet', { selector, template, serviceName: 'shop' }],
  ['batch/v1', 'Job', job],
  ['batch/v1', 'CronJob', { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: job } }],
  ['v1', 'Pod', podSpec],
];

for (const [apiVersion, kind, spec] of workloads) {
  test(`the owner of a ${kind}'s pod is the ${kind}, and the Secret goes with it`, async (scene) => {
    const plan = secretPlan([app]);
    await grant(scene, plan, 'workload');
    kubectl(scene, ['create', '-f', '-'], { apiVersion, kind, metadata: { name: 'shop', labels }, spec });
    if (kind === 'CronJob') kubectl(scene, ['create', 'job', 'shop-now', '--from=cronjob/shop']);
    const hostname = await until(
      'a pod of it',
      () => kubectl(scene, ['get', 'pods', '-l', 'app=shop', '-o', NAME]) || undefined,
    );
    const outcome = await apply(scene, plan, files, { owner: 'workload', hostname });
    assert.equal(outcome, { results: ['app created'], problems: [], warnings: [] });
    const uid = kubectl(scene, ['get', kind, 'shop', '-o', UID]);
    assert.equal(live(scene, 'app').metadata.ownerReferences, [{ apiVersion, kind, name: 'shop', uid }]);

    kubectl(scene, ['delete', kind, 'shop']);
    await gone(scene, 'app');
  });
}

const NAME = 'jsonpath={.items[*].metadata.name}';
const UID = 'jsonpath={.metadata.uid}';

async function gone(scene: Scene, name: string): Promise<void> {
  await until('the Secret to be gone', () =>
    kubectl(scene, ['get', 'secret', name, '-o', 'name', '--ignore-not-found']) === '' ? true : undefined,
  );
}

/** A pod, and the environment that the downward API would give it. */
function makePod(scene: Scene, name: string): { readonly POD_NAME: string; readonly POD_UID: string } {
  kubectl(scene, ['create', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec });
  return { POD_NAME: name, POD_UID: kubectl(scene, ['get', 'pod', name, '-o', UID]) };
}

function owners(scene: Scene): readonly string[] {
  const { ownerReferences = [] } = live(scene, 'app').metadata as { ownerReferences?: { name: string }[] };
  return ownerReferences.map(({ name }) => name).sort();
}

test('pods that start at the same time own the Secret together, and it is deleted with the last', async (scene) => {
  const plan = secretPlan([app]);
  await grant(scene, plan, 'pod');
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const pods = names.map((name) => makePod(scene, name));
  const outcomes = await Promise.all(pods.map((env) => apply(scene, plan, files, { owner: 'pod', env })));
  assert.equal(
    outcomes.flatMap(({ problems }) => problems),
    [],
  );
  assert.equal(owners(scene), names);

  kubectl(scene, ['delete', 'pod', ...names.slice(1)]);
  await until('the owners to be gone', () => (owners(scene).length === 1 ? true : undefined));
  assert.equal((await apply(scene, plan, files, { owner: 'pod', env: { ...pods[0] } })).results, [
    'app unchanged',
  ]);
  kubectl(scene, ['delete', 'pod', 'a']);
  await gone(scene, 'app');
});

test('a Secret with owner retain loses its earlier owners', async (scene) => {
  const plan = secretPlan([app]);
  await grant(scene, plan, 'pod');
  await apply(scene, plan, files, { owner: 'pod', env: makePod(scene, 'a') });
  assert.equal(owners(scene), ['a']);
  assert.equal((await apply(scene, plan)).results, ['app updated']);
  assert.equal(owners(scene), []);
});

test('accepts each documented type, and rejects a changed type', async (scene) => {
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
  await grant(scene, plan);
  const contents = published({ db: 'x', json: '{"auths":{}}' });
  const { results, problems } = await apply(scene, plan, contents);
  assert.equal([results.length, problems], [objects.length, []]);
  const changed = secretPlan([secretObject('typed-0', { username: 'db' })]);
  assert.match((await apply(scene, changed, contents)).problems.join(), 'the type of a Secret cannot change');
});

test.run();
