/**
 * Adds podsecrets to one pod spec.
 *
 * The containers of podsecrets are removed first and added again, so that the result depends only on the options.
 * Everything else keeps its order and its content.
 */

import { asObjects, valueAt } from '../core/unknown.ts';
import { ownContainers } from './containers.ts';
import { programVolumes, withExec } from './exec.ts';
import type { KubeObject } from './manifest.ts';
import { mountsWith } from './mounts.ts';
import type { InjectOptions } from './options.ts';
import { isInjectedContainer } from './own-names.ts';
import { envWith } from './variables.ts';
import type { PlannedBinding, VolumeBinding } from './volumes.ts';

/** The pod spec with containers, volumes and mounts for the bindings. */
export function injectPod(
  pod: KubeObject,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
): KubeObject {
  const own = ownContainers(pod, bindings, options);
  const containers = [...others(pod.containers, bindings, options), ...own.last];
  const initContainers = [...own.first, ...others(pod.initContainers, bindings, options)];
  const hasInit = initContainers.length > 0 || pod.initContainers !== undefined;
  const injected: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(pod)) {
    if (key === 'containers' && hasInit && pod.initContainers === undefined)
      injected.initContainers = initContainers;
    injected[key] = value;
  }
  return {
    ...injected,
    ...(hasInit ? { initContainers } : {}),
    containers,
    volumes: programVolumes(options).reduce(
      withVolume,
      bindings.reduce(options.as === 'none' ? withConfig : withVolumes, asObjects(pod.volumes)),
    ),
  };
}

function others(
  containers: unknown,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
): readonly KubeObject[] {
  return asObjects(containers)
    .filter((container) => !isInjectedContainer(container))
    .map((container) => withList(container, 'env', envWith(container, bindings, options)))
    .map((container) =>
      options.as === 'none'
        ? container
        : withList(container, 'volumeMounts', mountsWith(container, bindings, options)),
    )
    .map((container) => withExec(container, bindings, options));
}

/** A list that stays empty is unchanged; one that becomes empty is removed. */
function withList(
  container: KubeObject,
  key: 'env' | 'volumeMounts',
  items: readonly KubeObject[],
): KubeObject {
  if (items.length > 0) return { ...container, [key]: items };
  return asObjects(container[key]).length === 0 ? container : { ...container, [key]: undefined };
}

function withVolumes(volumes: readonly KubeObject[], binding: VolumeBinding): readonly KubeObject[] {
  const secrets = { name: binding.volume, emptyDir: { medium: 'Memory', sizeLimit: SIZE_LIMIT } };
  return withConfig(withVolume(volumes, secrets), binding);
}

function withConfig(
  volumes: readonly KubeObject[],
  { configVolume, source }: VolumeBinding,
): readonly KubeObject[] {
  return withVolume(volumes, { name: configVolume, configMap: { name: source.configMapName } });
}

/** Enough for two generations of 128 secrets of the largest size (64 KiB); memory is used only for what is written. */
const SIZE_LIMIT = '16Mi';

/** A tmpfs of this name is kept, because its size may have been changed; anything else is replaced. */
function withVolume(volumes: readonly KubeObject[], volume: KubeObject): readonly KubeObject[] {
  const existing = volumes.find((other) => other.name === volume.name);
  if (existing === undefined) return [...volumes, volume];
  const isTmpfs = valueAt(existing, 'emptyDir', 'medium') === 'Memory';
  return isTmpfs ? volumes : volumes.map((other) => (other === existing ? volume : other));
}
