/** A Job whose application reads its secret and ends. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeObject } from './api.ts';
import { appContainer, secretFile, secretProviderClass } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('a Job');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

interface Job extends KubeObject {
  readonly status: {
    readonly succeeded?: number;
    readonly failed?: number;
    readonly conditions?: readonly { readonly type: string }[];
  };
}

for (const [form, name] of [
  ['sidecar', 'podsecrets'],
  ['init', 'podsecrets-init'],
] as const) {
  test(`${form}: completes when the application ends, and podsecrets ends with 0`, async ({ scene }) => {
    const { namespace, api } = scene;
    const config = secretProviderClass([secretFile(await scene.putSecret('db', 'hunter2'), 'db')]);
    const app = appContainer({ command: ['cat', '/mnt/secrets-store/db'] });
    const template = {
      metadata: { labels: { app: form } },
      spec: { restartPolicy: 'Never', containers: [app] },
    };
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: form },
      spec: { template, backoffLimit: 0 },
    };
    await scene.apply(scene.inject(job, config, [`--as=${form}`]));

    await scene.until(
      'a complete Job',
      async () => {
        const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${form}`;
        const { conditions = [], failed } = (await api.call<Job>('GET', path))?.status ?? {};
        assert.is(failed, undefined);
        return conditions.some(({ type }) => type === 'Complete');
      },
      90,
    );
    const [pod] = await scene.pods(form);
    assert.is(await scene.log(pod?.metadata.name ?? '', 'app'), 'hunter2');
    assert.is(container(pod, name)?.state.terminated?.exitCode, 0);
    assert.is(container(pod, name)?.restartCount, 0);
  });
}

test.run();
