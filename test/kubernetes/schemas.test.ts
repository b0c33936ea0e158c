/** The schema check itself: it rejects what Kubernetes rejects, for each release. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifestFaults, releases } from '../support/kubernetes-schemas.ts';

const pod = (spec: string) => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  ${spec}\n`;
const container = 'containers: [{name: app, image: nginx, volumeMounts: [{name: a, mountPath: /a}]}]';

test('accepts a correct pod in every release', () => {
  for (const release of releases) assert.equal(manifestFaults(pod(container), release), []);
});

test('rejects an unknown field at any depth', () => {
  for (const release of releases) {
    const [fault = '', ...others] = manifestFaults(pod(container.replace('mountPath', 'mountpath')), release);
    assert.match(fault, /must have required property|additional properties/);
    assert.is(others.length, 1);
  }
});

test('rejects a value of another type', () => {
  const faults = manifestFaults(pod(`${container}\n  hostNetwork: "yes"`), '1.36');
  assert.equal(faults.length, 1);
  assert.match(faults[0] ?? '', /hostNetwork: must be boolean/);
});

test('rejects a kind that a release does not have', () => {
  const policy = (version: string) =>
    `apiVersion: admissionregistration.k8s.io/${version}\nkind: MutatingAdmissionPolicy\nmetadata:\n  name: x\n`;
  const passes = (version: string) =>
    releases.filter((release) => manifestFaults(policy(version), release).length === 0);
  assert.equal(passes('v1'), ['1.36']);
  assert.equal(passes('v1beta1'), ['1.34', '1.36']);
});

test('checks every item of a list', () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  date: {}\n`;
  assert.equal(manifestFaults(list, '1.29').length, 1);
});

test('checks the fields of a SecretProviderClass', () => {
  const document = (key: string) =>
    `apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: a}\nspec: {provider: aws, ${key}: {}}\n`;
  assert.equal(manifestFaults(document('parameters'), '1.29'), []);
  assert.is(manifestFaults(document('parameter'), '1.29').length, 1);
});

test.run();
