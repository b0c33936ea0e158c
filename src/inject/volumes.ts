/**
 * Binds configs to the volumes of a pod, with their paths.
 *
 * A volume of the Secrets Store CSI driver keeps its name and its mount paths, whatever they are, and becomes a tmpfs that
 * podsecrets fills. A pod that was injected before is recognized by its config volume, so that injecting again finds the
 * same bindings. Any other config gets a new volume.
 */

import type { Plan } from '../config/plan.ts';
import { Problem } from '../core/problem.ts';
import { didYouMean, quote } from '../core/text.ts';
import { asObjects, textOf, valueAt } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { appContainers, hasAllFiles, isInjected, isNamed, ROOT } from './own-names.ts';
import type { Source } from './sources.ts';

/** A volume of a pod, and the config that fills it. */
export interface VolumeBinding {
  readonly volume: string;
  readonly configVolume: string;
  readonly source: Source;
  /** Where podsecrets mounts the whole volume. */
  readonly root: string;
  /** Where containers of the application mount the files. */
  readonly dir: string;
  /** Where they mounted them before the injection; the same as `dir` if none did. */
  readonly previousDir: string;
  /** Whether `dir` was set explicitly: mounts at another path then move there. */
  readonly moves: boolean;
  /** Where podsecrets mounts the config. */
  readonly configDir: string;
  /** The volume was in the pod spec already: its mounts keep their paths, and only `--containers` adds one. */
  readonly userDefined: boolean;
  /** A volume of the CSI driver before the injection: the subPaths of its mounts name files. */
  readonly isCsi: boolean;
}

/** A binding whose config was read. */
export interface PlannedBinding extends VolumeBinding {
  readonly plan: Plan;
}

/** The sources to bind, and the options that decide where. */
export interface Wanted extends Pick<InjectOptions, 'dir' | 'dirIsChosen' | 'containers'> {
  readonly sources: readonly Source[];
  /** Sources for pods that refer to none. */
  readonly defaults: readonly Source[];
  /** Those of other namespaces, for the error of a pod that names one. */
  readonly elsewhere: readonly Source[];
}

export const CSI_DRIVER = 'secrets-store.csi.k8s.io';

/** The bindings of a pod; an empty list if it needs none. Throws a Problem if a volume's class is not found. */
export function bindingsOf(pod: KubeObject, wanted: Wanted, subject: string): readonly VolumeBinding[] {
  const found: Bound[] = [];
  for (const volume of asObjects(pod.volumes)) {
    const name = textOf(volume.name);
    if (name === undefined) continue;
    if (isCsiVolume(volume)) {
      const source = classOf(volume, wanted, `${subject} volume ${name}`);
      if (!source.otherProvider) found.push({ ...keptBinding(pod, name, source, wanted), isCsi: true });
      continue;
    }
    // Injected before: a config volume of podsecrets, with its secrets volume.
    const source = wanted.sources.find(
      (candidate) => candidate.configMapName === valueAt(volume, 'configMap', 'name'),
    );
    const partner = asObjects(pod.volumes).find((other) => configVolumeName(String(other.name)) === name);
    if (source === undefined || partner === undefined) continue;
    const secrets = String(partner.name);
    found.push(
      OWN_VOLUME.test(secrets)
        ? ownBinding(pod, secrets, source, wanted)
        : keptBinding(pod, secrets, source, wanted),
    );
  }
  for (const source of wanted.defaults) {
    if (found.some((binding) => binding.source === source)) continue;
    found.push(ownBinding(pod, freeName(found), source, wanted));
  }
  return found.map((binding, index) => ({
    ...binding,
    root: found.length === 1 ? ROOT : `${ROOT}/${binding.volume}`,
    configDir: configDirOf(index),
  }));
}

/** Where the config of each binding is mounted, from 0. */
function configDirOf(index: number): string {
  return index === 0 ? CONFIG_DIR : `${CONFIG_DIR}-${index + 1}`;
}

const CONFIG_DIR = '/etc/podsecrets';

/** Whether an injection mounts a config at this path. */
export function isConfigPath(path: string): boolean {
  return path.startsWith(CONFIG_DIR) && /^(-\d+)?\/config\.yaml$/.test(path.slice(CONFIG_DIR.length));
}

const OWN_VOLUME = /^podsecrets(-\d+)?$/;

/** The first name that no other binding has. */
function freeName(found: readonly Bound[]): string {
  const taken = found.map((binding) => binding.volume);
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'podsecrets' : `podsecrets-${number}`;
    if (!taken.includes(name)) return name;
  }
}

/** A volume of the pod spec keeps its mount path. */
function keptBinding(pod: KubeObject, volume: string, source: Source, wanted: Wanted): Bound {
  const dir = mountPathIn(appContainers(pod), volume) ?? source.dir ?? wanted.dir;
  return { ...bound(volume, source), dir, previousDir: dir, moves: false, userDefined: true };
}

/**
 * Precedence of the directory: the options, the mount of an earlier injection, the default. An earlier mount is looked for in
 * the containers that get the files; in the others only when the pod was injected.
 */
function ownBinding(pod: KubeObject, volume: string, source: Source, wanted: Wanted): Bound {
  const containers = appContainers(pod);
  const named = containers.filter((container) => isNamed(container, wanted.containers));
  const others = isInjected(pod) ? containers : [];
  const before = mountPathIn([...named, ...others], volume);
  const chosen = source.dir ?? (wanted.dirIsChosen ? wanted.dir : undefined);
  const dir = chosen ?? before ?? wanted.dir;
  return {
    ...bound(volume, source),
    dir,
    previousDir: before ?? dir,
    moves: chosen !== undefined,
    userDefined: false,
  };
}

type Bound = Omit<VolumeBinding, 'configDir' | 'root'>;

function bound(volume: string, source: Source): Pick<Bound, 'volume' | 'configVolume' | 'source' | 'isCsi'> {
  return { volume, configVolume: configVolumeName(volume), source, isCsi: false };
}

/** The mount path of the first container that mounts a volume's files. */
function mountPathIn(containers: readonly KubeObject[], volume: string): string | undefined {
  const mounts = containers.flatMap((container) => asObjects(container.volumeMounts));
  return textOf(mounts.find((mount) => mount.name === volume && hasAllFiles(mount))?.mountPath);
}

/** Names of volumes are DNS labels: 63 characters. */
function configVolumeName(volume: string): string {
  return `${volume.slice(0, 63 - '-config'.length)}-config`;
}

/** Whether the Secrets Store CSI driver would fill the volume. */
export function isCsiVolume(volume: KubeObject): boolean {
  return valueAt(volume, 'csi', 'driver') === CSI_DRIVER;
}

/** The name of the SecretProviderClass that a volume of the driver refers to. */
export function classNameOf(volume: KubeObject): string | undefined {
  return textOf(valueAt(volume, 'csi', 'volumeAttributes', 'secretProviderClass'));
}

function classOf(volume: KubeObject, wanted: Wanted, subject: string): Source {
  const name = classNameOf(volume);
  const named = wanted.sources.find((source) => source.name === name);
  const nameless = wanted.sources.find((source) => source.name === undefined && !source.otherProvider);
  const source = named ?? nameless;
  if (source !== undefined) return source;
  const other = wanted.elsewhere.find((candidate) => candidate.name === name);
  if (other !== undefined)
    throw new Problem({
      code: 'kubernetes.content',
      subject,
      message: `SecretProviderClass ${quote(name ?? '')} is in namespace ${quote(other.namespace ?? '')}, and a pod can use only one of its own namespace`,
      remedy: 'Correct one of the two namespaces, or add the class to the namespace of the pod.',
    });
  if (name === undefined)
    throw new Problem({
      code: 'kubernetes.content',
      subject,
      message:
        'expected the name of a SecretProviderClass in volumeAttributes.secretProviderClass, got nothing',
      remedy: 'Add it, as the CSI driver needs it.',
    });
  const known = wanted.sources.flatMap((candidate) => candidate.name ?? []);
  const hint = didYouMean(name, known);
  const add = `${hint === undefined ? 'Add' : `Did you mean ${hint}? Otherwise add`} --config FILE with it (kubectl get secretproviderclass ${name} -o yaml writes one).`;
  throw new Problem({
    code: 'kubernetes.content',
    subject,
    message: `SecretProviderClass ${quote(name)} not found in the input or with --config${known.length === 0 ? '' : ` (found: ${known.join(', ')})`}`,
    remedy: isRenamed(name, wanted.sources)
      ? 'If Kustomize renamed the class (namePrefix, nameSuffix), add the nameReference of examples/inject/README.md; otherwise add --config FILE with it.'
      : add,
  });
}

/** Whether a class has this name with a namePrefix or nameSuffix: Kustomize adds these only to the references that it knows. */
function isRenamed(name: string, sources: readonly Source[]): boolean {
  return sources.some((source) => source.origin !== 'file' && source.name?.includes(name) === true);
}
