/**
 * The renderings that are kept in test/fixtures/helm/golden, each for three releases of Kubernetes.
 *
 * `node test/helm/golden.ts` rewrites them; review the diff.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { render, renderShop } from '../support/helm.ts';
import { releases } from '../support/kubernetes-schemas.ts';

const everything = [
  'options.interval=5m',
  'options.startTimeout=1m30s',
  'options.notifyTouch=/tmp/changed',
  'options.syncSecrets=true',
  'options.secretOwner=workload',
  'user.uid=101',
  'user.gid=101',
];

const assigned = ['user.uid=none', 'resources.limits.cpu=10m', 'resources.requests.memory=128Mi'];

/** Name of a file to the function that renders its text. */
export const goldens: ReadonlyMap<string, () => string> = new Map(
  releases.flatMap((release) => [
    [`cluster-${release}.yaml`, () => render(release)] as const,
    ...(release === '1.36'
      ? [[`cluster-variables-${release}.yaml`, () => render(release, ['policy.env=true'])] as const]
      : []),
    [`cluster-assigned-user-${release}.yaml`, () => render(release, assigned)] as const,
    [`shop-sidecar-${release}.yaml`, () => renderShop(release)] as const,
    [`shop-everything-${release}.yaml`, () => renderShop(release, everything)] as const,
    [
      `shop-init-and-sidecar-${release}.yaml`,
      () => renderShop(release, [...everything, 'as=init+sidecar']),
    ] as const,
  ]),
);

export function goldenFile(name: string): string {
  return join(import.meta.dirname, '../fixtures/helm/golden', name);
}

if (import.meta.main) for (const [name, text] of goldens) writeFileSync(goldenFile(name), text());
