/**
 * Checks the Kubernetes Secrets of a pod's configs.
 */

import type { Problem } from '../core/problem.ts';
import { asObject, asObjects, textOf, valueAt } from '../core/unknown.ts';
import { type KubeObject, manifestProblem } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { appContainers } from './own-names.ts';
import type { PlannedBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

/** The pod, its configs, and the options. */
export interface SecretsContext {
  readonly workload: Workload;
  readonly pod: KubeObject;
  readonly bindings: readonly PlannedBinding[];
  readonly options: InjectOptions;
}

/** The problems. */
export function secretsProblems(context: SecretsContext): readonly Problem[] {
  return [...missingToken(context), ...unsyncedReads(context), ...secretVolumes(context)];
}

/** The warnings. */
export function secretsWarnings(context: SecretsContext): readonly Problem[] {
  return [...unsynced(context), ...migration(context)];
}

function missingToken({ workload, pod, options }: SecretsContext): readonly Problem[] {
  if (!options.syncSecrets || pod.automountServiceAccountToken !== false) return [];
  return [
    manifestProblem(
      workload.subject,
      '--sync-secrets needs a service account token, but the pod has automountServiceAccountToken: false',
      'Mount the token, or leave --sync-secrets out.',
    ),
  ];
}

/** Without the driver and without --sync-secrets nothing creates the Secret, and the container does not start. */
function unsyncedReads({ workload, pod, bindings, options }: SecretsContext): readonly Problem[] {
  if (options.syncSecrets) return [];
  const names = secretNames(bindings);
  const pulls = asObjects(pod.imagePullSecrets)
    .map(({ name }) => String(name))
    .filter((name) => names.includes(name))
    .map((name) =>
      manifestProblem(
        workload.subject,
        `imagePullSecrets has the Secret ${name} of the config's secretObjects, which podsecrets creates only with --sync-secrets`,
        'Add --sync-secrets.',
      ),
    );
  const reads = appContainers(pod).flatMap((container) =>
    secretReads(container)
      .filter(({ secret }) => names.includes(secret))
      .map(({ by, secret }) =>
        manifestProblem(
          `${workload.subject} container ${String(container.name)}`,
          `${by} reads the Secret ${secret} of the config's secretObjects, which podsecrets creates only with --sync-secrets`,
          'Add --sync-secrets, or read the file instead.',
        ),
      ),
  );
  return [...pulls, ...reads];
}

/** The kubelet mounts the volumes of a pod before it starts a container, podsecrets too: it would wait for the Secret forever. */
function secretVolumes({ workload, pod, bindings, options }: SecretsContext): readonly Problem[] {
  const names = secretNames(bindings);
  return asObjects(pod.volumes).flatMap((volume) =>
    secretsOf(volume)
      .filter((secret) => names.includes(secret))
      .map((secret) =>
        manifestProblem(
          `${workload.subject} volume ${String(volume.name)}`,
          options.syncSecrets
            ? `the Secret ${secret} of the config's secretObjects does not exist when the kubelet mounts the volume: podsecrets starts after that, and creates it`
            : `the Secret ${secret} of the config's secretObjects is created by podsecrets only with --sync-secrets, and then after the kubelet mounts the volume`,
          'Mount the files of podsecrets instead, or set optional: true: the kubelet then fills the volume later.',
        ),
      ),
  );
}

/** The Secrets without which a volume cannot be mounted. */
function secretsOf(volume: KubeObject): readonly string[] {
  const secret = asObject(volume.secret);
  const projected = asObjects(valueAt(volume, 'projected', 'sources')).map((source) =>
    asObject(source.secret),
  );
  return [
    ...(secret.optional === true ? [] : [textOf(secret.secretName)]),
    ...projected.filter(({ optional }) => optional !== true).map(({ name }) => textOf(name)),
  ].filter((name) => name !== undefined);
}

/** The Secrets that a container reads before it starts: by variable, or all keys of one. */
function secretReads(container: KubeObject): readonly { readonly by: string; readonly secret: string }[] {
  const variables = asObjects(container.env).map((entry) => ({
    by: `variable ${String(entry.name)}`,
    secret: textOf(valueAt(entry, 'valueFrom', 'secretKeyRef', 'name')),
  }));
  const all = asObjects(container.envFrom).map((entry) => ({
    by: 'envFrom',
    secret: textOf(valueAt(entry, 'secretRef', 'name')),
  }));
  return [...variables, ...all].flatMap(({ by, secret }) => (secret === undefined ? [] : [{ by, secret }]));
}

function unsynced({ workload, bindings, options }: SecretsContext): readonly Problem[] {
  const names = secretNames(bindings);
  if (options.syncSecrets || names.length === 0) return [];
  return [
    manifestProblem(
      workload.subject,
      `the config has secretObjects (${names.join(', ')}), but without --sync-secrets these Secrets are not updated`,
      'Add --sync-secrets if another workload reads them.',
    ),
  ];
}

/** The driver created these Secrets, and writes them until the rollout is complete. */
function migration({ workload, bindings, options }: SecretsContext): readonly Problem[] {
  const names = secretNames(bindings.filter(({ isCsi }) => isCsi));
  if (!options.syncSecrets || names.length === 0) return [];
  const adopt = options.adoptDriverSecrets ? '' : '--adopt-driver-secrets, ';
  return [
    manifestProblem(
      workload.subject,
      `the Secrets Store CSI driver manages ${names.join(', ')} until the last old pod is gone`,
      `In this order: 1. apply this output with ${adopt}the old SecretProviderClass still in the cluster; 2. wait for the rollout to complete and an hour more; 3. inject again without --adopt-driver-secrets; 4. delete the SecretProviderClass and the driver.`,
    ),
  ];
}

function secretNames(bindings: readonly PlannedBinding[]): readonly string[] {
  return bindings.flatMap(({ plan }) => plan.secretObjects.map(({ secretName }) => secretName));
}
