import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { rbacFor, ruleText } from '../../src/kubernetes/rbac.ts';
import { secretObject, secretPlan } from '../support/secret-plan.ts';

const plan = secretPlan([secretObject('b', { a: 'a' }), secretObject('a', { a: 'a' })]);
const secrets = {
  apiGroups: [''],
  resources: ['secrets'],
  resourceNames: ['a', 'b'],
  verbs: ['get', 'create', 'patch', 'delete'],
};

test('the Role names every Secret and has no list permission', () => {
  assert.equal(rbacFor(plan, { owner: 'retain', serviceAccount: 'web', namespace: 'shop' }), [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'podsecrets-app', namespace: 'shop' },
      rules: [secrets],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'podsecrets-app', namespace: 'shop' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'podsecrets-app' },
    },
  ]);
});

test('owner pod needs no more rules, and owner workload those of the controllers in between', () => {
  const rules = (owner: 'pod' | 'workload') => rbacFor(plan, { owner, serviceAccount: 'web' })[0]?.rules;
  assert.equal(rules('pod'), [secrets]);
  assert.equal(
    rules('workload')?.map(({ resources, verbs }) => [...resources, ...verbs]),
    [
      ['secrets', 'get', 'create', 'patch', 'delete'],
      ['pods', 'get'],
      ['replicasets', 'get'],
      ['jobs', 'get'],
    ],
  );
});

test('a config without Secrets needs no Role', () => {
  assert.equal(rbacFor(secretPlan([]), { owner: 'retain', serviceAccount: 'web' }), []);
});

test('the name of a Role is a valid name derived from the file', () => {
  const [role] = rbacFor(
    { ...plan, name: undefined, file: '/etc/My_App.yaml' },
    { owner: 'pod', serviceAccount: 'web' },
  );
  assert.is(role?.metadata.name, 'podsecrets-my-app');
});

test('the page about Kubernetes Secrets shows the generated Role', () => {
  const page = readFileSync(join(import.meta.dirname, '../../examples/kubernetes-secrets/README.md'), 'utf8');
  const shown = /```yaml\n(apiVersion: rbac[\s\S]*?)```/.exec(page)?.[1] ?? '';
  const one = secretPlan([secretObject('app', { password: 'db-password' })]);
  assert.equal(
    parseAllDocuments(shown).map((document) => document.toJS()),
    rbacFor(one, { owner: 'retain', serviceAccount: 'app' }),
  );
});

test('prints a rule on one line of YAML', () => {
  assert.is(
    ruleText(secrets),
    '- {apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"], verbs: ["get", "create", "patch", "delete"]}',
  );
});

test.run();
