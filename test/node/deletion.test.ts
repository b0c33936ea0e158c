/** Deleting a pod that still waits for AWS. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene; fault: number }>('deletion while podsecrets waits');
const FINALIZER = 'podsecrets.test/look';

test.before(async (context) => {
  context.scene = await openScene();
  const id = `${context.scene.namespace}/db`;
  context.fault = await context.scene.aws.addFault({
    on: { service: 'secretsmanager', id },
    does: { kind: 'hang' },
  });
});
test.after(async ({ scene, fault }) => {
  await scene.aws.removeFault({ number: fault });
  await scene.close();
});

for (const [form, name] of [
  ['sidecar', 'podsecrets'],
  ['init', 'podsecrets-init'],
] as const) {
  test(`${form}: SIGTERM ends it, and the application never starts`, async ({ scene }) => {
    const config = secretProviderClass([secretFile(await scene.putSecret('db', 'x'), 'db')]);
    const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 600 };
    // The finalizer keeps the pod, so its last state can be read.
    const metadata = { name: form, finalizers: [FINALIZER] };
    const pod = { ...shopPod(appContainer(), spec), metadata };
    await scene.apply(scene.inject(pod, config, [`--as=${form}`, '--start-timeout=10m']));
    const calls = () => scene.aws.count({ service: 'secretsmanager', id: `${scene.namespace}/db` });
    const before = await calls();
    await scene.until('a call to AWS that hangs', async () => (await calls()) > before, 60);

    scene.kubectl(['delete', 'pod', form, '--wait=false']);
    // Far less than the grace period, after which SIGKILL would end it.
    const ended = await scene.until(
      'the end of podsecrets',
      async () => {
        const found = await scene.pod(form);
        return container(found, name)?.state.terminated && found;
      },
      60,
    );
    scene.kubectl(['patch', 'pod', form, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    assert.is(container(ended, name)?.state.terminated?.exitCode, 143);
    assert.is(container(ended, 'app')?.state.running, undefined);
    assert.is(container(ended, 'app')?.containerID || undefined, undefined);
  });
}

test('after errors of AWS the last one is the termination message', async ({ scene }) => {
  const { aws, namespace } = scene;
  const id = `${namespace}/failing`;
  const on = { service: 'secretsmanager', id } as const;
  const number = await aws.addFault({ on, does: { kind: 'server-error' } });
  try {
    const config = secretProviderClass([secretFile(await scene.putSecret('failing', 'x'), 'db')]);
    const pod = { ...shopPod(), metadata: { name: 'failing', finalizers: [FINALIZER] } };
    await scene.apply(scene.inject(pod, config, ['--start-timeout=10m']));
    const retried = async () => (await scene.log('failing', 'podsecrets')).includes('InternalServiceError');
    await scene.until('a line about the error', retried, 60);

    scene.kubectl(['delete', 'pod', 'failing', '--wait=false']);
    const end = async () => container(await scene.pod('failing'), 'podsecrets')?.state.terminated;
    const ended = await scene.until('the end of podsecrets', end, 60);
    scene.kubectl(['patch', 'pod', 'failing', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    assert.is(ended.exitCode, 143);
    assert.match(ended.message ?? '', /InternalServiceError.*\[fetch\.server\]/s);
  } finally {
    await aws.removeFault({ number });
  }
});

test.run();
