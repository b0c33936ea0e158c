import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clusterCheck } from '../../src/doctor/kubernetes.ts';
import { openApi } from '../../src/kubernetes/api.ts';
import { type KubernetesDouble, kubernetesDouble } from '../support/kubernetes-api.ts';

const test = suite<{ cluster: KubernetesDouble }>('the check of the cluster');
test.before(async (context) => {
  context.cluster = await kubernetesDouble();
});
test.after(({ cluster }) => cluster.close());

const signal = new AbortController().signal;

async function check(
  { env, serviceAccountDirectory }: KubernetesDouble,
  directory = serviceAccountDirectory,
) {
  const { status, text, problems } = await clusterCheck(() =>
    openApi({ env, signal, serviceAccountDirectory: directory }),
  );
  return [status, text, ...problems.map(({ code, message }) => `${message} [${code}]`)];
}

for (const version of ['v1.35.0', 'v1.36.3-eks-0a1b2c3', 'v2.0.0'])
  test(`${version} has fileKeyRef`, async ({ cluster }) => {
    cluster.gitVersion = version;
    assert.equal((await check(cluster))[0], 'ok');
  });

test('a cluster before 1.35 is a warning: the file itself works', async ({ cluster }) => {
  cluster.gitVersion = 'v1.34.1-eks-0a1b2c3';
  assert.equal(await check(cluster), [
    'warning',
    'Kubernetes 1.34',
    'fileKeyRef needs 1.35; this is 1.34 [kubernetes.version]',
  ]);
});

test('without a token, and without a response, the check is skipped', async ({ cluster }) => {
  assert.match(
    (await check(cluster, '/nonexistent')).join(' '),
    /^skipped its version cannot be read: \/nonex/,
  );
  cluster.faults.push({ status: 503 });
  assert.equal(await check(cluster), ['skipped', 'its version cannot be read: HTTP status 503']);
});

test.run();
