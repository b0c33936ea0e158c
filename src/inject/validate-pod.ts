/**
 * What cannot work in a pod, reported before it fails in a cluster.
 *
 * A problem would break the injected pod; a warning is about a setting that works but may be unintended. Each has its reason.
 */

import { modeText } from '../cli/values.ts';
import { type Problem, usageProblem } from '../core/problem.ts';
import { didYouMean, quote } from '../core/text.ts';
import { asObjects, textOf, valueAt } from '../core/unknown.ts';
import { applicationUser, sharesUser } from './containers.ts';
import { execProblems } from './exec.ts';
import { type KubeObject, manifestProblem } from './manifest.ts';
import { directoryProblems, ignoredDirectories, staleSubPaths } from './mount-paths.ts';
import { namesTaken } from './names-taken.ts';
import type { InjectOptions } from './options.ts';
import { knative } from './other-kinds.ts';
import { appContainers, INIT_NAME, isInjectedContainer, SIDECAR_NAME } from './own-names.ts';
import { fargateSelector, operatingSystem } from './platform.ts';
import { type SecretsContext, secretsProblems, secretsWarnings } from './validate-secrets.ts';
import { variableProblems } from './variables.ts';
import { isCsiVolume, type PlannedBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

/** What cannot work, and what may be unintended. */
export interface PodValidation {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Validates a pod for an injection. */
export function validatePod(
  workload: Workload,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
): PodValidation {
  const pod = withoutOwn(workload.pod);
  const context: PodContext = { workload, pod, bindings, options };
  return {
    problems: [
      ...notLists(context),
      platform(context),
      fargate(context),
      sharedProcesses(context),
      endlessJob(context),
      rootPod(context),
      ...portTaken(context),
      ...secretsProblems(context),
      ...variableProblems(workload, pod, bindings, options),
      ...execProblems(workload, pod, bindings, options),
      ...namesTaken(workload, pod, bindings),
      ...unknownContainers(context),
      ...directoryProblems(workload.subject, pod, bindings, options),
      ...(options.as === 'init' ? [] : staleSubPaths(workload.subject, pod, bindings)),
    ].filter((problem) => problem !== undefined),
    warnings: [
      ...(options.as === 'init' ? staleSubPaths(workload.subject, pod, bindings) : []),
      ...ignoredDirectories(workload.subject, bindings),
      otherUser(context),
      unreadable(context),
      skipped(context),
      nodeSecret(context),
      hostPort(context),
      otherProvider(context),
      ...knative(workload, options),
      ...secretsWarnings(context),
    ].filter((problem) => problem !== undefined),
  };
}

type PodContext = SecretsContext;

function withoutOwn(pod: KubeObject): KubeObject {
  const others = (containers: unknown) =>
    asObjects(containers).filter((container) => !isInjectedContainer(container));
  return { ...pod, containers: others(pod.containers), initContainers: others(pod.initContainers) };
}

/** A missing dash turns a list into a map, whose containers would get no files. */
function notLists({ workload: { subject, pod } }: PodContext): readonly Problem[] {
  const fields = ['containers', 'initContainers', 'volumes'].map(
    (name) => [subject, name, pod[name]] as const,
  );
  const mounts = [...asObjects(pod.containers), ...asObjects(pod.initContainers)].map(
    (container) =>
      [`${subject} container ${String(container.name)}`, 'volumeMounts', container.volumeMounts] as const,
  );
  return [...fields, ...mounts].flatMap(([place, name, value]) =>
    value === undefined || value === null || Array.isArray(value)
      ? []
      : [
          manifestProblem(
            place,
            `expected a list in ${name}, got ${typeof value === 'object' ? 'a map' : quote(String(value))}`,
            'Begin each entry with a dash: - name: …',
          ),
        ],
  );
}

function platform({ workload, pod }: PodContext): Problem | undefined {
  const system = operatingSystem(pod);
  if (system === 'linux') return undefined;
  return manifestProblem(
    workload.subject,
    `expected a Linux pod, got one for ${quote(system)}`,
    'podsecrets publishes to a tmpfs through symlinks, which other systems do not have; leave this workload out.',
  );
}

function fargate({ workload, pod, bindings, options }: PodContext): Problem | undefined {
  const selector = fargateSelector(workload, pod);
  const requesting = bindings.find(({ plan }) => plan.usePodIdentity === true);
  const byFlag = options.auth === 'pod-identity';
  if (selector === undefined || options.auth === 'irsa' || (requesting === undefined && !byFlag))
    return undefined;
  const from = byFlag ? '--auth pod-identity' : `usePodIdentity in ${requesting?.source.subject}`;
  return manifestProblem(
    workload.subject,
    `${from} does not work on Fargate (${selector}): it has no EKS Pod Identity agent`,
    'Give the service account a role with eks.amazonaws.com/role-arn and remove usePodIdentity.',
  );
}

function sharedProcesses({ workload, pod, options }: PodContext): Problem | undefined {
  if (!options.signals) return undefined;
  if (pod.shareProcessNamespace === true) return undefined;
  const got =
    pod.hostPID === true
      ? 'hostPID: true, which shows every process of the node'
      : 'containers that do not share processes';
  return manifestProblem(
    workload.subject,
    `expected shareProcessNamespace: true for --notify-signal, got ${got}`,
    'Set shareProcessNamespace: true in the pod spec, or use --notify-url or --notify-touch.',
  );
}

/** A regular sidecar container never ends, so the job would not end either. */
function endlessJob({ workload, pod, options }: PodContext): Problem | undefined {
  const ends =
    workload.kind === 'Job' ||
    workload.kind === 'CronJob' ||
    workload.kind === 'ScaledJob' ||
    (workload.kind === 'Pod' && pod.restartPolicy !== undefined && pod.restartPolicy !== 'Always');
  if (options.as !== 'init+sidecar' || !ends) return undefined;
  return manifestProblem(
    workload.subject,
    '--as init+sidecar would keep this pod running: a regular sidecar container does not end with the job',
    'Use --as init; or --as sidecar (Kubernetes 1.29+), which Kubernetes ends with the job.',
  );
}

function unknownContainers({ workload, pod, options }: PodContext): readonly Problem[] {
  const names = [...asObjects(pod.initContainers), ...asObjects(pod.containers)].map(({ name }) =>
    String(name),
  );
  return options.containers
    .filter((wanted) => !names.includes(wanted))
    .map((wanted) => {
      const hint = didYouMean(wanted, names);
      return usageProblem(
        '--containers',
        `expected a container of ${workload.subject} (${names.join(', ')}), got ${quote(wanted)}`,
        hint === undefined ? 'Correct the name.' : `Did you mean ${hint}?`,
      );
    });
}

function otherUser({ workload, pod, options }: PodContext): Problem | undefined {
  if (!options.signals || options.owner !== undefined || sharesUser(pod, options)) return undefined;
  return manifestProblem(
    workload.subject,
    'containers do not share one runAsUser: a signal reaches only processes of the same user',
    'Set --owner UID:GID to the user of the application.',
  );
}

/** podsecrets would get the pod's user, and its runAsNonRoot keeps the kubelet from starting it. */
function rootPod({ workload, pod, options }: PodContext): Problem | undefined {
  const isRoot = valueAt(pod, 'securityContext', 'runAsUser') === 0;
  if (options.runAsUser !== 'none' || !isRoot || applicationUser(pod) !== undefined) return undefined;
  return manifestProblem(
    workload.subject,
    'the pod runs as root (securityContext.runAsUser: 0): with --run-as-user none podsecrets would run as root too, which its runAsNonRoot forbids',
    'Leave out --run-as-user none.',
  );
}

/** Files belong to the user that writes them, and to the pod's fsGroup when it has one. */
function unreadable({ workload, pod, bindings, options }: PodContext): Problem | undefined {
  if (options.owner !== undefined || sharesUser(pod, options)) return undefined;
  const needed = valueAt(pod, 'securityContext', 'fsGroup') === undefined ? 0o004 : 0o044;
  const closed = bindings
    .flatMap(({ plan }) => plan.objects.flatMap((object) => object.outputs))
    .find((output) => (output.mode & needed) === 0);
  if (closed === undefined) return undefined;
  return manifestProblem(
    workload.subject,
    `containers do not share one runAsUser: files of mode ${modeText(closed.mode)} are readable only to the user of podsecrets, who writes them`,
    'Set runAsUser in the pod spec, or --owner UID:GID, or a mode that lets others read.',
  );
}

function skipped({ workload }: PodContext): Problem | undefined {
  const list = textOf(valueAt(workload.metadata, 'annotations', SKIP_CONTAINERS)) ?? '';
  const skips = list.split(',').map((name) => name.trim());
  if (!skips.includes(SIDECAR_NAME) && !skips.includes(INIT_NAME)) return undefined;
  return manifestProblem(
    workload.subject,
    `the annotation ${SKIP_CONTAINERS}: ${quote(list)} keeps AWS credentials from the podsecrets container`,
    'Remove its name from the annotation.',
  );
}

const SKIP_CONTAINERS = 'eks.amazonaws.com/skip-containers';

function nodeSecret({ workload, pod, bindings }: PodContext): Problem | undefined {
  const volume = asObjects(pod.volumes).find(
    (other) =>
      bindings.some((binding) => binding.volume === other.name) &&
      valueAt(other, 'csi', 'nodePublishSecretRef') !== undefined,
  );
  if (volume === undefined) return undefined;
  return manifestProblem(
    `${workload.subject} volume ${String(volume.name)}`,
    'nodePublishSecretRef was left out: credentials come from the service account',
    'Give the service account a role.',
  );
}

/** Only a sidecar listens. */
function hasSidecar({ as }: InjectOptions): boolean {
  return as === 'sidecar' || as === 'init+sidecar';
}

function hostPort({ workload, pod, options }: PodContext): Problem | undefined {
  if (pod.hostNetwork !== true || !hasSidecar(options) || options.listen === 'off') return undefined;
  return manifestProblem(
    workload.subject,
    `the pod uses hostNetwork: port ${options.listen.port} is used on the node itself`,
    'Use --listen HOST:PORT with a port that is free on every node.',
  );
}

/** The kubelet's probes would reach the other container. */
function portTaken({ workload, pod, options }: PodContext): readonly Problem[] {
  const { listen } = options;
  if (!hasSidecar(options) || listen === 'off') return [];
  return appContainers(pod)
    .filter((container) =>
      asObjects(container.ports).some(({ containerPort }) => containerPort === listen.port),
    )
    .map((container) =>
      manifestProblem(
        `${workload.subject} container ${String(container.name)}`,
        `port ${listen.port} is already used by this container: podsecrets serves its probes and metrics there`,
        'Use --listen 0.0.0.0:PORT with a free port.',
      ),
    );
}

function otherProvider({ workload, pod, bindings }: PodContext): Problem | undefined {
  const left = asObjects(pod.volumes)
    .filter((volume) => isCsiVolume(volume) && !bindings.some((binding) => binding.volume === volume.name))
    .map(({ name }) => String(name));
  if (left.length === 0) return undefined;
  return manifestProblem(
    workload.subject,
    `volumes of another provider still need the CSI driver: ${left.join(', ')}`,
    'Keep the driver for them; podsecrets reads AWS secrets only.',
  );
}
