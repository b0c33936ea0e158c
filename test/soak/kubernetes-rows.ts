/** The faults of the Kubernetes API, for a config with `secretObjects`. */

import { kubernetesDouble } from '../support/kubernetes-api.ts';
import { binary } from '../support/program.ts';
import type { FaultRow, Scene } from './fault-rows.ts';
import { root } from './needs.ts';

const secretObjects = [{ secretName: 'app', type: 'Opaque', data: [{ objectName: 'db', key: 'password' }] }];

/** Mounts the double's service account where the kubelet mounts it, for this process only. */
export const WITH_ACCOUNT =
  'd=/run/secrets/kubernetes.io/serviceaccount; mount -t tmpfs none /run && mkdir -p $d && mount --bind "$0" $d && exec "$@"';

async function syncSecrets(scene: Scene, status: number): Promise<void> {
  const double = await kubernetesDouble();
  scene.after.push(() => double.close());
  for (let count = 0; count < 100; count++) double.faults.push({ status, body: { message: 'the fault' } });
  Object.assign(scene.env, double.env);
  scene.args.push('--sync-secrets');
  scene.command = ['unshare', '-m', 'sh', '-c', WITH_ACCOUNT, double.serviceAccountDirectory, binary];
}

const row = (fault: string, make: (scene: Scene) => unknown, start: string): FaultRow => ({
  area: 'Kubernetes API',
  fault,
  make,
  start,
  refresh: 'not applicable',
  spec: { secretObjects },
  needs: root,
});

export const kubernetesRows: readonly FaultRow[] = [
  row('rejects the service account (403)', (scene) => syncSecrets(scene, 403), 'kubernetes.denied'),
  row('fails (500)', (scene) => syncSecrets(scene, 500), 'kubernetes.api'),
  row(
    'unreachable',
    async (scene) => {
      await syncSecrets(scene, 403);
      scene.env.KUBERNETES_SERVICE_PORT = '1';
      scene.env.KUBERNETES_SERVICE_PORT_HTTPS = '1';
    },
    'kubernetes.api',
  ),
];
