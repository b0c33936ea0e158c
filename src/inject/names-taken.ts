/**
 * Finds containers and volumes of a pod whose names podsecrets needs for its own.
 */

import type { Problem } from '../core/problem.ts';
import { asObjects, valueAt } from '../core/unknown.ts';
import { type KubeObject, manifestProblem } from './manifest.ts';
import { INIT_NAME, isInjected, SIDECAR_NAME } from './own-names.ts';
import { isCsiVolume, type PlannedBinding, type VolumeBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

/** A Problem for each name. `pod`: the pod spec without the containers of an earlier injection. */
export function namesTaken(
  workload: Workload,
  pod: KubeObject,
  bindings: readonly PlannedBinding[],
): readonly Problem[] {
  const containers = [...asObjects(pod.initContainers), ...asObjects(pod.containers)]
    .map((container) => String(container.name))
    .filter((name) => name === SIDECAR_NAME || name === INIT_NAME)
    .map((name) => `container ${name}`);
  // After an injection with other options the volume may have the ConfigMap of another config; a volume without a ConfigMap is foreign.
  const again = isInjected(workload.pod);
  const volumes = asObjects(pod.volumes)
    .filter((volume) => bindings.some((binding) => isForeign(volume, binding, again)))
    .map((volume) => `volume ${String(volume.name)}`);
  // The StatefulSet controller replaces the pod's volume of the same name by the volume of a claim.
  const claims = workload.claims
    .filter((claim) =>
      bindings.some(({ volume, configVolume }) => claim === volume || claim === configVolume),
    )
    .map((claim) => `volumeClaimTemplate ${claim}`);
  // The name of a volume has at most 63 characters: a longer one is cut before -config, so two may become the same.
  const cut = bindings
    .filter((binding, index) =>
      bindings.slice(0, index).some(({ configVolume }) => configVolume === binding.configVolume),
    )
    .map(({ volume }) => `volume ${volume}`);
  return [...containers, ...volumes, ...claims, ...cut].map((taken) =>
    manifestProblem(
      `${workload.subject} ${taken}`,
      'the name is already used by another container or volume',
      'Rename it.',
    ),
  );
}

function isForeign(volume: KubeObject, binding: VolumeBinding, again: boolean): boolean {
  if (volume.name === binding.volume)
    return !isCsiVolume(volume) && valueAt(volume, 'emptyDir', 'medium') !== 'Memory';
  return (
    volume.name === binding.configVolume &&
    !(again && volume.configMap !== undefined) &&
    valueAt(volume, 'configMap', 'name') !== binding.source.configMapName
  );
}
