import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/config/plan.ts';
import { problemLine } from '../../src/core/problem.ts';
import { openApi } from '../../src/kubernetes/api.ts';
import { applySecrets, type SecretsRequest } from '../../src/kubernetes/apply-secrets.ts';
import { rbacFor } from '../../src/kubernetes/rbac.ts';
import type { Snapshot } from '../../src/publish/snapshot.ts';
import { certificate, type KubernetesDouble, kubernetesDouble } from '../support/kubernetes-api.ts';
import { rejects } from '../support/rejects.ts';
import { published, secretObject, secretPlan } from '../support/secret-plan.ts';

/** In every value, and so never in anything that is printed. */
const CANARY = 'CANARY-hunter2';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const app = secretObject('app', { password: 'db' });
const other = secretObject('other', { key: 'other' });
const files = published({ db: CANARY, other: `${CANARY}-other` });

const test = suite<{ api: KubernetesDouble }>('apply-secrets');
test.before.each(async (context) => {
  context.api = await kubernetesDouble();
});
test.after.each(async ({ api }) => {
  await api.close();
});

async function apply(
  api: KubernetesDouble,
  plan: Plan = secretPlan([app]),
  snapshot: Snapshot = files,
  more: Partial<SecretsRequest> = {},
) {
  api.requests.length = 0;
  const signal = more.signal ?? new AbortController().signal;
  const { env, serviceAccountDirectory } = api;
  const outcome = await applySecrets({
    plan,
    snapshot,
    owner: 'retain',
    adoptDriverSecrets: false,
    env,
    hostname: 'app-1',
    signal,
    openApi: () => openApi({ env: more.env ?? env, signal, serviceAccountDirectory }),
    ...more,
  });
  const printed = inspect(outcome, { depth: 20, showHidden: true });
  for (const value of [CANARY, base64(CANARY)])
    assert.not.ok(printed.includes(value), 'a value in the outcome');
  return {
    results: outcome.applied.map(({ name, result }) => `${name} ${result}`),
    problems: outcome.problems.map(problemLine),
    warnings: outcome.warnings.map(problemLine),
    outcome,
  };
}

test('creates a missing Secret with its label and field manager', async ({ api }) => {
  const { results, problems } = await apply(api);
  assert.equal([results, problems], [['app created'], []]);
  const secret = api.secret('app');
  assert.equal(secret?.data, { password: base64(CANARY) });
  assert.equal(secret?.metadata.labels, { 'app.kubernetes.io/managed-by': 'podsecrets' });
  assert.equal(secret?.metadata.annotations, {
    'podsecrets.io/config': 'app',
    'podsecrets.io/secrets': 'app',
  });
  assert.equal(
    secret?.metadata.managedFields.map(({ manager, operation }) => [manager, operation]),
    [['podsecrets', 'Apply']],
  );
});

test('writes nothing if nothing differs', async ({ api }) => {
  await apply(api);
  const version = api.secret('app')?.metadata.resourceVersion;
  const { results } = await apply(api);
  assert.equal([results, api.requests], [['app unchanged'], ['GET secrets/app']]);
  assert.is(api.secret('app')?.metadata.resourceVersion, version);
});

test('applies a rotated value, a new key, a removed key and a new label', async ({ api }) => {
  await apply(api);
  assert.equal((await apply(api, secretPlan([app]), published({ db: `${CANARY}-2` }))).results, [
    'app updated',
  ]);
  assert.equal(api.secret('app')?.data, { password: base64(`${CANARY}-2`) });
  const more = secretObject('app', { password: 'db', key: 'other' }, { labels: { tier: 'db' } });
  assert.equal((await apply(api, secretPlan([more]))).results, ['app updated']);
  assert.equal(Object.keys(api.secret('app')?.data ?? {}), ['password', 'key']);
  assert.equal((await apply(api)).results, ['app updated']);
  assert.equal(Object.keys(api.secret('app')?.data ?? {}), ['password']);
  assert.equal(api.secret('app')?.metadata.labels, { 'app.kubernetes.io/managed-by': 'podsecrets' });
});

test('recreates a deleted Secret', async ({ api }) => {
  await apply(api);
  api.remove('app');
  assert.equal((await apply(api)).results, ['app created']);
});

test('does not change a Secret of another manager', async ({ api }) => {
  api.write('helm', 'app', { type: 'Opaque', data: { password: base64('theirs') } });
  const before = JSON.stringify(api.secret('app'));
  const { results, problems, outcome } = await apply(api);
  assert.equal(results, []);
  assert.equal(problems, [
    'Secret shop/app: is managed by "helm", not by podsecrets. Choose another secretName; or delete it and podsecrets creates it: kubectl -n shop delete secret app [kubernetes.foreign]',
  ]);
  assert.is(outcome.problems[0]?.exitCode, 8);
  assert.is(JSON.stringify(api.secret('app')), before);
  assert.equal(api.requests, ['GET secrets/app']);
});

test('keeps fields that others add to the Secret', async ({ api }) => {
  await apply(api);
  api.write('kubectl-edit', 'app', { data: { theirs: base64('x') }, metadata: { labels: { team: 'a' } } });
  assert.equal((await apply(api)).results, ['app unchanged']);
  await apply(api, secretPlan([app]), published({ db: `${CANARY}-2` }));
  assert.equal(Object.keys(api.secret('app')?.data ?? {}).sort(), ['password', 'theirs']);
  assert.is(api.secret('app')?.metadata.labels?.team, 'a');
});

test('reports a conflict with the field that another manager changed', async ({ api }) => {
  await apply(api);
  api.write('kubectl-edit', 'app', { data: { password: base64('theirs') } });
  const { problems } = await apply(api);
  assert.equal(problems, [
    'Secret shop/app: conflict (409): field .data.password is managed by "kubectl-edit". podsecrets takes over no field of another manager. Delete the Secret and podsecrets recreates it: kubectl -n shop delete secret app [kubernetes.foreign]',
  ]);
  assert.equal(api.secret('app')?.data, { password: base64('theirs') });
});

test('rejects two configs with the same Secret', async ({ api }) => {
  await apply(api);
  const { problems } = await apply(api, secretPlan([app], { name: 'second' }));
  assert.match(problems.join(), 'belongs to the config "app", not to "second"');
});

test('applies the other Secrets after one is rejected', async ({ api }) => {
  api.write('helm', 'app', { data: {} });
  const { results, problems } = await apply(api, secretPlan([app, other]));
  assert.equal([results, problems.length], [['other created'], 1]);
});

test('rejects a changed type and an immutable Secret, with a remedy', async ({ api }) => {
  await apply(api);
  const basic = secretObject('app', { password: 'db' }, { type: 'kubernetes.io/basic-auth' });
  assert.match(
    (await apply(api, secretPlan([basic]))).problems.join(),
    'expected type "kubernetes.io/basic-auth", got "Opaque": the type of a Secret cannot change. Delete it and podsecrets recreates it',
  );
  api.write('kubectl-edit', 'app', { immutable: true });
  assert.match(
    (await apply(api, secretPlan([app]), published({ db: `${CANARY}-2` }))).problems.join(),
    'is immutable',
  );
});

test('deletes the Secret of an entry that was removed from the config', async ({ api }) => {
  await apply(api, secretPlan([app, other]));
  const { results } = await apply(api);
  assert.equal(results.sort(), ['app updated', 'other removed']);
  assert.is(api.secret('other'), undefined);
  assert.is(api.secret('app')?.metadata.annotations?.['podsecrets.io/secrets'], 'app');
  assert.equal((await apply(api)).results, ['app unchanged']);
});

test('deletes no Secret that another manager created or recreated', async ({ api }) => {
  await apply(api, secretPlan([app, other]));
  api.remove('other');
  api.write('helm', 'other', { data: {} });
  assert.equal((await apply(api)).results, ['app updated']);
  assert.ok(api.secret('other'));
});

test('without permission to delete, keeps the Secret, warns with the missing rule, and retries', async ({
  api,
}) => {
  await apply(api, secretPlan([app, other]));
  const [role] = rbacFor(secretPlan([app]), { owner: 'retain', serviceAccount: 'app' });
  api.rules = role?.rules;
  for (let time = 1; time <= 2; time++) {
    const { results, problems, warnings } = await apply(api);
    assert.equal([results, problems], [['app unchanged'], []]);
    assert.match(warnings.join(), 'Secret shop/other: is no longer in the config and could not be deleted');
    assert.match(
      warnings.join(),
      '- {apiGroups: [""], resources: ["secrets"], resourceNames: ["other"], verbs: ["get"]}',
    );
  }
  api.rules = undefined;
  assert.equal((await apply(api)).results.sort(), ['app updated', 'other removed']);
});

test('the generated Role is sufficient, and no Secrets are listed', async ({ api }) => {
  const plan = secretPlan([app, other]);
  for (const owner of ['retain', 'pod', 'workload'] as const) {
    api.rules = rbacFor(plan, { owner, serviceAccount: 'app' })[0]?.rules;
    deployment(api);
    const env = { ...api.env, POD_NAME: 'app-1', POD_UID: 'pod-uid' };
    assert.equal((await apply(api, plan, files, { owner, env })).problems, [], owner);
  }
  api.rules = rbacFor(plan, { owner: 'retain', serviceAccount: 'app' })[0]?.rules;
  const updated = await apply(api, plan, published({ db: 'new value', other: 'new value' }));
  assert.equal(updated.results, ['app updated', 'other updated']);
  const { results } = await apply(api, secretPlan([app]));
  assert.equal(results.sort(), ['app updated', 'other removed']);
});

test('names each missing rule with verb and name', async ({ api }) => {
  const granted: string[] = [];
  for (const verb of ['get', 'patch', 'create']) {
    api.rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['app'], verbs: granted }];
    const expected =
      verb === 'patch'
        ? 'secrets'
        : `Secret shop/app: forbidden (403): "system:serviceaccount:shop:app" may not ${verb} it. Add to a Role in namespace shop: - {apiGroups: [""], resources: ["secrets"], resourceNames: ["app"], verbs: ["${verb}"]} [kubernetes.denied]`;
    assert.ok((await apply(api)).problems.join().includes(expected), verb);
    granted.push(verb);
  }
  api.rules = [];
  const { problems } = await apply(api, secretPlan([app]), files, { owner: 'workload' });
  assert.match(problems.join(), '- {apiGroups: [""], resources: ["pods"], verbs: ["get"]}');
});

function deployment(api: KubernetesDouble): void {
  const controller = (apiVersion: string, kind: string, name: string, uid: string) => ({
    ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
  });
  api.put('pods', 'app-1', { uid: 'pod-uid', ...controller('apps/v1', 'ReplicaSet', 'app-5d', 'set-uid') });
  api.put('replicasets', 'app-5d', {
    uid: 'set-uid',
    ...controller('apps/v1', 'Deployment', 'app', 'deployment-uid'),
  });
  api.put('pods', 'job-1', { uid: 'job-pod', ...controller('batch/v1', 'Job', 'job', 'job-uid') });
  api.put('jobs', 'job', { uid: 'job-uid' });
  api.put('pods', 'db-0', { uid: 'db-pod', ...controller('apps/v1', 'StatefulSet', 'db', 'stateful-uid') });
  api.put('pods', 'bare', { uid: 'bare-uid' });
}

test('the owner workload is the controller, one level above a ReplicaSet or Job', async ({ api }) => {
  deployment(api);
  for (const [hostname, kind, uid] of [
    ['app-1', 'Deployment', 'deployment-uid'],
    ['job-1', 'Job', 'job-uid'],
    ['db-0', 'StatefulSet', 'stateful-uid'],
    ['bare', 'Pod', 'bare-uid'],
  ] as const) {
    api.remove('app');
    await apply(api, secretPlan([app]), files, { owner: 'workload', hostname });
    const [owner, ...more] = api.secret('app')?.metadata.ownerReferences ?? [];
    assert.equal([owner?.kind, owner?.uid, more], [kind, uid, []], hostname);
    assert.equal(Object.keys(owner ?? {}), ['apiVersion', 'kind', 'name', 'uid']);
  }
});

test('identifies the pod through the downward API, else by its hostname', async ({ api }) => {
  deployment(api);
  const env = { ...api.env, POD_NAME: 'app-1', POD_UID: 'pod-uid' };
  await apply(api, secretPlan([app]), files, { owner: 'pod', env });
  assert.equal(api.requests, ['GET secrets/app', 'PATCH secrets/app']);
  assert.is(api.secret('app')?.metadata.ownerReferences?.[0]?.uid, 'pod-uid');
  assert.equal((await apply(api, secretPlan([app]), files, { owner: 'pod' })).results, ['app unchanged']);
  const { problems } = await apply(api, secretPlan([app]), files, { owner: 'pod', hostname: 'ip-10-0-0-1' });
  assert.match(
    problems.join(),
    'Pod ip-10-0-0-1: not found (404): the name of this pod is unknown. Set its name through the downward API',
  );
});

test('pods that share a Secret are both owners, and retain removes the owners', async ({ api }) => {
  const pod = (name: string) =>
    ({ owner: 'pod', env: { ...api.env, POD_NAME: name, POD_UID: `uid-of-${name}` } }) as const;
  const owners = () => api.secret('app')?.metadata.ownerReferences?.map((owner) => owner.uid) ?? [];
  await apply(api, secretPlan([app]), files, pod('a'));
  await apply(api, secretPlan([app]), files, pod('b'));
  assert.equal(owners(), ['uid-of-a', 'uid-of-b']);
  assert.equal((await apply(api, secretPlan([app]), files, pod('a'))).results, ['app unchanged']);
  await apply(api);
  assert.equal(owners(), []);
});

test('keeps an owner that another manager set', async ({ api }) => {
  await apply(api);
  const foreign = { apiVersion: 'v1', kind: 'ConfigMap', name: 'theirs', uid: 'foreign-uid' };
  api.write('argocd', 'app', { metadata: { ownerReferences: [foreign] } });
  const owners = () => api.secret('app')?.metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
  const ours = () =>
    JSON.stringify(api.secret('app')?.metadata.managedFields.find(({ manager }) => manager === 'podsecrets'));
  const env = { ...api.env, POD_NAME: 'app-1', POD_UID: 'pod-uid' };
  await apply(api, secretPlan([app]), files, { owner: 'pod', env });
  assert.equal(owners().toSorted(), ['foreign-uid', 'pod-uid']);
  assert.match(ours(), 'pod-uid');
  assert.not.match(ours(), 'foreign-uid');
  assert.equal((await apply(api, secretPlan([app]), files, { owner: 'pod', env })).results, [
    'app unchanged',
  ]);
  await apply(api);
  assert.equal(owners(), ['foreign-uid']);
});

test('retries against the newer Secret after a concurrent change', async ({ api }) => {
  await apply(api);
  api.beforeApply = () => api.write('kubectl-label', 'app', { metadata: { labels: { team: 'a' } } });
  const { results } = await apply(api, secretPlan([app]), published({ db: `${CANARY}-2` }));
  assert.equal(results, ['app updated']);
  assert.equal(api.requests, [
    'GET secrets/app',
    'PATCH secrets/app',
    'GET secrets/app',
    'PATCH secrets/app',
  ]);
});

test('recreates a Secret that was deleted between read and apply', async ({ api }) => {
  await apply(api);
  api.beforeApply = () => api.remove('app');
  const { results } = await apply(api, secretPlan([app]), published({ db: `${CANARY}-2` }));
  assert.equal(results, ['app created']);
});

test('does not change a Secret of another manager that appears between read and apply', async ({ api }) => {
  api.beforeApply = () => api.write('helm', 'app', { type: 'Opaque', data: { theirs: base64('x') } });
  assert.match((await apply(api)).problems.join(), 'is managed by "helm"');
  assert.equal(api.secret('app')?.data, { theirs: base64('x') });
});

test('retries a busy or failing API server after its Retry-After', async ({ api }) => {
  for (const status of [429, 500, 503, 504]) {
    api.faults.push({ status, headers: { 'retry-after': '3' } });
    const [problem] = (await apply(api)).outcome.problems;
    assert.equal(
      [problem?.code, problem?.retry, problem?.retryAfter],
      ['kubernetes.api', true, 3000],
      String(status),
    );
  }
});

test('a Retry-After of another form is no wait', async ({ api }) => {
  for (const wait of ['1e999', 'Infinity', '-1', 'soon']) {
    api.faults.push({ status: 503, headers: { 'retry-after': wait } });
    assert.is((await apply(api)).outcome.problems[0]?.retryAfter, undefined, wait);
  }
});

test('retries an unreachable API server', async ({ api }) => {
  await api.close();
  const elsewhere = await kubernetesDouble();
  const { outcome } = await apply(elsewhere, secretPlan([app]), files, { env: api.env });
  assert.equal([outcome.problems[0]?.code, outcome.problems[0]?.retry], ['kubernetes.api', true]);
  assert.match(outcome.problems[0]?.message ?? '', 'no response: ECONNREFUSED');
  await elsewhere.close();
  api.close = async () => undefined;
});

test('does not trust a server certificate of another CA', async ({ api }) => {
  const elsewhere = await kubernetesDouble(certificate());
  const { problems, outcome } = await apply(elsewhere, secretPlan([app]), files, { env: api.env });
  assert.match(problems.join(), 'Its certificate is not signed by the ca.crt');
  assert.is(outcome.problems[0]?.retry, false);
  assert.equal(api.requests, []);
  await elsewhere.close();
});

test('reads the token for every request', async ({ api }) => {
  await apply(api);
  api.rotateToken();
  assert.equal((await apply(api)).results, ['app unchanged']);
});

test('reports a rejected token and a token that is not mounted', async ({ api }) => {
  api.faults.push({ status: 401, body: { message: 'Unauthorized' } });
  const { outcome } = await apply(api);
  assert.equal([outcome.problems[0]?.code, outcome.problems[0]?.retry], ['kubernetes.denied', true]);
  rmSync(join(api.serviceAccountDirectory, 'token'));
  assert.match((await apply(api)).problems.join(), 'Set automountServiceAccountToken: true in the pod spec');
  assert.match((await apply(api, undefined, files, { env: {} })).problems.join(), 'Run in a pod');
});

test("shows the server's message, unless it quotes a value", async ({ api }) => {
  const denial = (message: string) => ({ kind: 'Status', reason: 'Forbidden', code: 403, message });
  for (const [message, expected] of [
    ['admission webhook "policy" denied the request: no Secrets on Fridays', 'no Secrets on Fridays'],
    [`admission webhook "policy" denied the request: ${CANARY} is weak`, 'withheld: it quotes a value'],
    [`admission webhook "policy" denied the request: ${base64(CANARY)}`, 'withheld: it quotes a value'],
  ] as const) {
    api.faults.push({ status: 404 }, { status: 403, body: denial(message) });
    assert.match((await apply(api)).problems.join(), expected);
  }
});

test('a 422 names the fields, never their values', async ({ api }) => {
  const causes = [
    { reason: 'FieldValueInvalid', field: 'data[password]', message: `Invalid value: "${CANARY}"` },
  ];
  const body = { kind: 'Status', message: `Secret "app" is invalid: "${CANARY}"`, details: { causes } };
  api.faults.push({ status: 404 }, { status: 422, body });
  assert.match(
    (await apply(api)).problems.join(),
    'rejected by the API server (422): data[password] (FieldValueInvalid)',
  );
});

test('withholds a response that is not JSON', async ({ api }) => {
  api.faults.push({ status: 200, body: `<html>${CANARY}` });
  assert.match((await apply(api)).problems.join(), 'unexpected response (200)');
});

test('reports a pod or workload without a uid as a Problem', async ({ api }) => {
  for (const body of ['<html>', {}, { metadata: {} }, { metadata: { uid: 1 } }]) {
    api.faults.push({ status: 200, body });
    const { problems } = await apply(api, undefined, files, { owner: 'workload' });
    assert.match(problems.join(), 'unexpected response (200)');
  }
});

test('retries after a protocol upgrade, without a hang', async ({ api }) => {
  api.faults.push({ status: 101, headers: { connection: 'Upgrade', upgrade: 'x' } });
  const { problems, outcome } = await apply(api);
  assert.match(problems.join(), 'no response: ERR_UPGRADED');
  assert.ok(outcome.problems[0]?.retry);
});

test('splits a bundle into a TLS Secret', async ({ api }) => {
  const pem = readFileSync(join(api.serviceAccountDirectory, 'ca.crt'), 'utf8');
  const key =
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIB5mM5CTgnmsR9Y6W2k3jzXJ4m0g3TtZ8GpoKnhMvJ0F\n-----END PRIVATE KEY-----\n';
  const tls = secretObject(
    'tls',
    { 'tls.crt': 'pem', 'tls.key': 'pem', 'ca.crt': 'pem' },
    { type: 'kubernetes.io/tls' },
  );
  const { results } = await apply(api, secretPlan([tls]), published({ pem: key + pem }));
  assert.equal(results, ['tls created']);
  assert.is(Buffer.from(api.secret('tls')?.data?.['tls.key'] ?? '', 'base64').toString(), key);
});

test('contacts no cluster without Secrets', async ({ api }) => {
  const { outcome } = await apply(api, secretPlan([]), files, { env: {} });
  assert.equal(outcome, { applied: [], problems: [], warnings: [] });
});

test('rejects if it is aborted', async ({ api }) => {
  const stop = new AbortController();
  api.beforeApply = () => stop.abort(new Error('stop'));
  const error = await rejects(apply(api, undefined, files, { signal: stop.signal }));
  assert.match((error as Error).message, 'stop');
});

test.run();
