import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem, problemLine, problemsOf } from '../../src/core/problem.ts';
import { checkAccess } from '../../src/kubernetes/access-review.ts';
import { openApi } from '../../src/kubernetes/api.ts';
import { rbacFor } from '../../src/kubernetes/rbac.ts';
import { type KubernetesDouble, kubernetesDouble } from '../support/kubernetes-api.ts';
import { rejects } from '../support/rejects.ts';
import { secretObject, secretPlan } from '../support/secret-plan.ts';

const plan = secretPlan([secretObject('app', { a: 'a' }), secretObject('other', { a: 'a' })]);

const test = suite<{ api: KubernetesDouble }>('access');
test.before.each(async (context) => {
  context.api = await kubernetesDouble();
});
test.after.each(async ({ api }) => {
  await api.close();
});

async function review(
  double: KubernetesDouble,
  owner: 'retain' | 'workload' = 'retain',
  of = plan,
): Promise<void> {
  const { env, serviceAccountDirectory } = double;
  const api = await openApi({ env, signal: new AbortController().signal, serviceAccountDirectory });
  try {
    await checkAccess(api, of, { secretOwner: owner, adoptDriverSecrets: false });
  } finally {
    api.close();
  }
}

test('the generated Role is sufficient', async ({ api }) => {
  api.rules = rbacFor(plan, { owner: 'workload', serviceAccount: 'app' })[0]?.rules;
  await review(api, 'workload');
});

test('reports missing permissions by verb and name, and changes nothing', async ({ api }) => {
  const secrets = { apiGroups: [''], resources: ['secrets'] };
  api.rules = [
    { ...secrets, resourceNames: ['app'], verbs: ['get', 'patch'] },
    { ...secrets, resourceNames: ['other'], verbs: ['get', 'create', 'patch'] },
  ];
  const error = await rejects(review(api, 'workload'));
  assert.instance(error, Problem);
  const line = problemLine(error as Problem);
  assert.ok(
    line.includes('- {apiGroups: [""], resources: ["secrets"], resourceNames: ["app"], verbs: ["create"]}'),
    line,
  );
  assert.ok(line.includes('- {apiGroups: [""], resources: ["pods"], verbs: ["get"]}'), line);
  assert.not.match(line, '"other"');
  assert.equal(api.requests, []);
});

test('reports every Secret that another manager owns, and none of podsecrets', async ({ api }) => {
  for (const name of ['app', 'other']) api.write('helm', name, { data: {} });
  const error = await rejects(review(api));
  const lines = (problemsOf(error) ?? []).map(problemLine);
  assert.is(lines.length, 2);
  assert.match(lines.join(), 'Secret shop/other: is managed by "helm", not by podsecrets');
  for (const name of ['app', 'other'])
    api.write('us', name, { metadata: { labels: { 'app.kubernetes.io/managed-by': 'podsecrets' } } });
  await review(api);
});

test('reports a rejected token', async ({ api }) => {
  api.faults.push({ status: 401 });
  const one = secretPlan([secretObject('app', { a: 'a' })]);
  const error = await rejects(review(api, 'retain', one));
  assert.is((error as Problem).code, 'kubernetes.denied');
});

test.run();
