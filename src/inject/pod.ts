/**
 * One pod spec in, the same with podsecrets out.
 *
 * What is ours is taken out first and put in anew, so that the result depends on the choices and not on how often this ran.
 * What is not ours keeps its order and its content; nothing is added that the choices do not ask for.
 */

import { asObjects, valueAt } from '../core/unknown.ts';
import { ownContainers } from './containers.ts';
import type { KubeObject } from './manifest.ts';
import { mountsWith } from './mounts.ts';
import type { InjectOptions } from './options.ts';
import { isInjectedContainer } from './own-names.ts';
import type { VolumeBinding } from './volumes.ts';

/** The pod spec with containers, volumes and mounts for the bindings. */
export function injectPod(
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
  choices: InjectOptions,
): KubeObject {
  const own = ownContainers(pod, bindings, choices);
  const containers = [...others(pod.containers, bindings, choices), ...own.beside];
  const initContainers = [...own.first, ...others(pod.initContainers, bindings, choices)];
  const injected: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(pod)) {
    if (key === 'containers' && pod.initContainers === undefined) injected.initContainers = initContainers;
    injected[key] = value;
  }
  return {
    ...injected,
    initContainers,
    containers,
    volumes: bindings.reduce(withVolumes, asObjects(pod.volumes)),
  };
}

function others(
  containers: unknown,
  bindings: readonly VolumeBinding[],
  choices: InjectOptions,
): readonly KubeObject[] {
  return asObjects(containers)
    .filter((container) => !isInjectedContainer(container))
    .map((container) => withMounts(container, mountsWith(container, bindings, choices)));
}

/** A list that stays empty is left as it is; one that gets empty goes. */
function withMounts(container: KubeObject, mounts: readonly KubeObject[]): KubeObject {
  if (mounts.length > 0) return { ...container, volumeMounts: mounts };
  return asObjects(container.volumeMounts).length === 0
    ? container
    : { ...container, volumeMounts: undefined };
}

function withVolumes(volumes: readonly KubeObject[], binding: VolumeBinding): readonly KubeObject[] {
  const secrets = { name: binding.volume, emptyDir: { medium: 'Memory', sizeLimit: SIZE_LIMIT } };
  const config = { name: binding.configVolume, configMap: { name: binding.source.configMapName } };
  return withVolume(withVolume(volumes, secrets), config);
}

/** Room for two generations of 128 secrets of the largest size (64 KiB); memory is taken only for what is written. */
const SIZE_LIMIT = '16Mi';

/** A tmpfs of this name is kept, for somebody may have given it another size; anything else is replaced. */
function withVolume(volumes: readonly KubeObject[], volume: KubeObject): readonly KubeObject[] {
  const standing = volumes.find((other) => other.name === volume.name);
  if (standing === undefined) return [...volumes, volume];
  const isTmpfs = valueAt(standing, 'emptyDir', 'medium') === 'Memory';
  return isTmpfs ? volumes : volumes.map((other) => (other === standing ? volume : other));
}
