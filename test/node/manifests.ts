/** Manifests as users write them: a config, a pod, a Deployment. */

import { images } from './images.ts';

/** A SecretProviderClass with these objects. `more` is added to its spec. */
export function secretProviderClass(objects: readonly object[], more: object = {}): object {
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { name: 'app' },
    spec: { provider: 'aws', parameters: { objects: JSON.stringify(objects) }, ...more },
  };
}

/** An entry of `objects`: a secret as the file `objectAlias`. */
export function secretFile(objectName: string, objectAlias: string): object {
  return { objectName, objectType: 'secretsmanager', objectAlias };
}

/** A container `app`, of another user than podsecrets, that sleeps unless it is given something else to do. */
export function appContainer(fields: object = {}): object {
  return { name: 'app', image: images.app, command: ['sleep', '3600'], ...fields };
}

/** A pod `shop` with that container; `spec` is added to its spec. */
export function shopPod(container: object = appContainer(), spec: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop' },
    spec: { containers: [container], ...spec },
  };
}

/** A Deployment `shop` of such pods, which have the label `app: shop`. */
export function shopDeployment(container: object = appContainer(), replicas = 1) {
  const labels = { app: 'shop' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}
