/** Migration from the CSI driver: the fake driver writes as the driver of an old pod does, even after the take-over. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { problemLine } from '../../src/core/problem.ts';
import { openApi } from '../../src/kubernetes/api.ts';
import { applySecrets } from '../../src/kubernetes/apply-secrets.ts';
import { needsAdoption } from '../../src/kubernetes/driver-secrets.ts';
import { rbacFor } from '../../src/kubernetes/rbac.ts';
import { type KubernetesDouble, kubernetesDouble } from '../support/kubernetes-api.ts';
import { published, secretObject, secretPlan } from '../support/secret-plan.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const plan = secretPlan([secretObject('app', { password: 'db' })]);
const OLD = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app-1', uid: 'old-replica-set' };
const LABEL = 'secrets-store.csi.k8s.io/managed';

const test = suite<{ api: KubernetesDouble }>('driver-secrets');
test.before.each(async (context) => {
  context.api = await kubernetesDouble();
  context.api.rules = rbacFor(plan, { owner: 'retain', serviceAccount: 'app' })[0]?.rules;
});
test.after.each(async ({ api }) => {
  await api.close();
});

/** The driver of a pod of the old ReplicaSet. */
function driverWrites(api: KubernetesDouble, data: Readonly<Record<string, string>>): void {
  api.write('secrets-store-csi-driver', 'app', {
    metadata: { labels: { [LABEL]: 'true' }, ownerReferences: [OLD] },
    type: 'Opaque',
    data,
  });
}

function open({ env, serviceAccountDirectory }: KubernetesDouble) {
  return openApi({ env, signal: new AbortController().signal, serviceAccountDirectory });
}

async function apply(api: KubernetesDouble, adoptDriverSecrets: boolean, value = 'new') {
  api.requests.length = 0;
  const outcome = await applySecrets({
    plan,
    snapshot: published({ db: value }),
    owner: 'retain',
    adoptDriverSecrets,
    env: api.env,
    hostname: 'app-2',
    signal: new AbortController().signal,
    openApi: () => open(api),
  });
  return {
    results: outcome.applied.map(({ name, result }) => `${name} ${result}`),
    problems: outcome.problems.map(problemLine),
  };
}

async function lost(double: KubernetesDouble): Promise<boolean> {
  const api = await open(double);
  try {
    return await needsAdoption(api, plan);
  } finally {
    api.close();
  }
}

test('without the flag rejects a Secret of the driver, without advice to delete it', async ({ api }) => {
  driverWrites(api, { password: base64('old') });
  const { problems } = await apply(api, false);
  assert.equal(problems, [
    'Secret shop/app: is managed by the Secrets Store CSI driver. Add --adopt-driver-secrets to take it over while old pods still run (do not delete it: they use it), or choose another secretName. [kubernetes.foreign]',
  ]);
  assert.equal(api.requests, ['GET secrets/app']);
});

test('adopting removes the label, the owner, unwanted keys and the manager of the driver', async ({
  api,
}) => {
  driverWrites(api, { password: base64('old'), username: base64('stale') });
  assert.equal(await apply(api, true), { results: ['app adopted'], problems: [] });
  const { metadata, data } = api.secret('app') ?? {};
  assert.equal(data, { password: base64('new') });
  assert.equal(metadata?.labels, { 'app.kubernetes.io/managed-by': 'podsecrets' });
  assert.is(metadata?.ownerReferences, undefined);
  assert.equal([...new Set(metadata?.managedFields.map(({ manager }) => manager))], ['podsecrets']);
  assert.equal((await apply(api, true)).results, ['app unchanged']);
});

test('removes a key that leaves the config after the adoption', async ({ api }) => {
  driverWrites(api, { password: base64('old') });
  await apply(api, true);
  const renamed = secretPlan([secretObject('app', { token: 'db' })]);
  const outcome = await applySecrets({
    plan: renamed,
    snapshot: published({ db: 'new' }),
    owner: 'retain',
    adoptDriverSecrets: true,
    env: api.env,
    hostname: 'app-2',
    signal: new AbortController().signal,
    openApi: () => open(api),
  });
  assert.equal(outcome.problems, []);
  assert.equal(api.secret('app')?.data, { token: base64('new') });
});

test('adopts again after the driver of an old pod has written', async ({ api }) => {
  driverWrites(api, { password: base64('old') });
  await apply(api, true);
  assert.is(await lost(api), false);
  driverWrites(api, { password: base64('old'), username: base64('stale') });
  assert.is(await lost(api), true);
  assert.equal(await apply(api, true), { results: ['app adopted'], problems: [] });
  assert.equal(api.secret('app')?.data, { password: base64('new') });
  assert.is(api.secret('app')?.metadata.ownerReferences, undefined);
  assert.is(api.secret('app')?.metadata.labels?.[LABEL], undefined);
});

test('recreates a Secret that the garbage collector deleted with the old ReplicaSet', async ({ api }) => {
  driverWrites(api, { password: base64('old') });
  await apply(api, true);
  api.remove('app');
  assert.is(await lost(api), true);
  assert.equal((await apply(api, true)).results, ['app created']);
});

test('retries if the driver writes between the read and the patch', async ({ api }) => {
  driverWrites(api, { password: base64('old') });
  api.beforeApply = () => driverWrites(api, { password: base64('older') });
  assert.equal(await apply(api, true), { results: ['app adopted'], problems: [] });
  assert.equal(api.secret('app')?.data, { password: base64('new') });
});

test('rejects a Secret of any other manager with the flag too', async ({ api }) => {
  api.write('helm', 'app', { type: 'Opaque', data: { password: base64('theirs') } });
  const { problems } = await apply(api, true);
  assert.match(problems.join(), 'is managed by "helm", not by podsecrets');
});

test('rejects a Secret of the driver with another type', async ({ api }) => {
  api.write('secrets-store-csi-driver', 'app', {
    metadata: { labels: { [LABEL]: 'true' } },
    type: 'kubernetes.io/basic-auth',
    data: { password: base64('old') },
  });
  assert.match((await apply(api, true)).problems.join(), 'the type of a Secret cannot change');
});

test('keeps owners and fields of other managers', async ({ api }) => {
  const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'keep', uid: 'other-owner' };
  driverWrites(api, { password: base64('old') });
  api.write('argocd', 'app', {
    metadata: { labels: { team: 'shop' }, ownerReferences: [other] },
    type: 'Opaque',
  });
  await apply(api, true);
  const { metadata } = api.secret('app') ?? {};
  assert.is(metadata?.labels?.team, 'shop');
  assert.equal(
    metadata?.ownerReferences?.map(({ uid }) => uid),
    ['other-owner'],
  );
});

test.run();
