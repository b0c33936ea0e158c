/**
 * What cannot work in a pod, said before anybody waits for it in a cluster.
 *
 * A problem is what no change of ours could make work; a warning is what works and may surprise. Each gives its reason.
 */

import { modeText } from '../cli/values.ts';
import { Problem, type ProblemCode } from '../core/problem.ts';
import { didYouMean, quote } from '../core/text.ts';
import { asObject, asObjects, textOf, valueAt } from '../core/unknown.ts';
import { applicationUser, NONROOT } from './containers.ts';
import type { KubeObject } from './manifest.ts';
import { directoryProblems, ignoredDirectories, subPaths } from './mount-paths.ts';
import type { InjectOptions } from './options.ts';
import { INIT_NAME, isInjected, isInjectedContainer, SIDECAR_NAME } from './own-names.ts';
import { isCsiVolume, type PlannedBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

/** What stands in the way, and what may surprise. */
export interface PodValidation {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Everything that stands in the way of an injection. */
export function validatePod(
  workload: Workload,
  bindings: readonly PlannedBinding[],
  choices: InjectOptions,
): PodValidation {
  const pod = withoutOwn(workload.pod);
  const site: PodContext = { workload, pod, bindings, choices };
  return {
    problems: [
      platform(site),
      fargate(site),
      signalling(site),
      endlessJob(site),
      token(site),
      ...namesTaken(site),
      ...unknownContainers(site),
      ...directoryProblems(workload.subject, pod, bindings, choices),
      ...(choices.as === 'init' ? [] : subPaths(workload.subject, pod, bindings)),
    ].filter((problem) => problem !== undefined),
    warnings: [
      ...(choices.as === 'init' ? subPaths(workload.subject, pod, bindings) : []),
      ...ignoredDirectories(workload.subject, bindings),
      otherUser(site),
      unreadable(site),
      skipped(site),
      nodeSecret(site),
      hostPort(site),
      unsynced(site),
    ].filter((problem) => problem !== undefined),
  };
}

interface PodContext {
  readonly workload: Workload;
  readonly pod: KubeObject;
  readonly bindings: readonly PlannedBinding[];
  readonly choices: InjectOptions;
}

function withoutOwn(pod: KubeObject): KubeObject {
  const strangers = (containers: unknown) =>
    asObjects(containers).filter((container) => !isInjectedContainer(container));
  return { ...pod, containers: strangers(pod.containers), initContainers: strangers(pod.initContainers) };
}

function platform({ workload, pod }: PodContext): Problem | undefined {
  const selector = asObject(pod.nodeSelector);
  const system =
    valueAt(pod, 'os', 'name') ??
    selector['kubernetes.io/os'] ??
    selector['beta.kubernetes.io/os'] ??
    'linux';
  if (system === 'linux') return undefined;
  return content(
    workload.subject,
    `expected a Linux pod, got one for ${quote(String(system))}`,
    'podsecrets publishes to a tmpfs through links, which other systems do not have; leave this workload out.',
  );
}

function fargate({ workload, pod, bindings, choices }: PodContext): Problem | undefined {
  const mark = fargateMark(workload, pod);
  const asking = bindings.find(({ plan }) => plan.usePodIdentity === true);
  const flagged = choices.auth === 'pod-identity';
  if (mark === undefined || choices.auth === 'irsa' || (asking === undefined && !flagged)) return undefined;
  const who = flagged ? '--auth pod-identity' : `usePodIdentity in ${asking?.source.subject}`;
  return content(
    workload.subject,
    `expected IRSA on Fargate (${mark}), got ${who}: EKS Pod Identity does not exist there`,
    'Give the service account a role with eks.amazonaws.com/role-arn and remove usePodIdentity.',
  );
}

function fargateMark({ metadata }: Workload, pod: KubeObject): string | undefined {
  if (valueAt(metadata, 'labels', FARGATE_PROFILE) !== undefined) return `label ${FARGATE_PROFILE}`;
  if (valueAt(pod, 'nodeSelector', COMPUTE_TYPE) === 'fargate') return `nodeSelector ${COMPUTE_TYPE}`;
  return pod.schedulerName === 'fargate-scheduler' ? 'schedulerName fargate-scheduler' : undefined;
}

const FARGATE_PROFILE = 'eks.amazonaws.com/fargate-profile';
const COMPUTE_TYPE = 'eks.amazonaws.com/compute-type';

function signalling({ workload, pod, choices }: PodContext): Problem | undefined {
  if (!choices.signals) return undefined;
  if (pod.shareProcessNamespace === true) return undefined;
  const got =
    pod.hostPID === true
      ? 'hostPID: true, and with it every process of the node'
      : 'a pod whose containers do not see each other';
  return content(
    workload.subject,
    `expected shareProcessNamespace: true for --notify-signal, got ${got}`,
    'Set shareProcessNamespace: true in the pod spec, or use --notify-url or --notify-touch.',
  );
}

/** A plain container beside a job's own never ends, and so the job would not. */
function endlessJob({ workload, pod, choices }: PodContext): Problem | undefined {
  const ends =
    workload.kind === 'Job' ||
    workload.kind === 'CronJob' ||
    (workload.kind === 'Pod' && pod.restartPolicy !== undefined && pod.restartPolicy !== 'Always');
  if (choices.as !== 'init+sidecar' || !ends) return undefined;
  return content(
    workload.subject,
    'expected a pod that runs for ever, got one that is to end: a plain sidecar would keep it running',
    'Use --as init; or --as sidecar on Kubernetes 1.29 and later, which ends native sidecars.',
  );
}

function token({ workload, pod, choices }: PodContext): Problem | undefined {
  if (!choices.syncSecrets || pod.automountServiceAccountToken !== false) return undefined;
  return content(
    workload.subject,
    'expected a service account token for --sync-secrets, got automountServiceAccountToken: false',
    'Allow the token, or leave --sync-secrets out.',
  );
}

function namesTaken({ workload, pod, bindings }: PodContext): readonly Problem[] {
  const containers = [...asObjects(pod.initContainers), ...asObjects(pod.containers)]
    .map((container) => String(container.name))
    .filter((name) => name === SIDECAR_NAME || name === INIT_NAME)
    .map((name) => `container ${name}`);
  // Another config's ConfigMap stands there after an injection with other choices, and is somebody else's otherwise.
  const again = isInjected(workload.pod);
  const volumes = asObjects(pod.volumes)
    .filter((volume) =>
      bindings.some(
        (binding) =>
          (volume.name === binding.volume &&
            !isCsiVolume(volume) &&
            valueAt(volume, 'emptyDir', 'medium') !== 'Memory') ||
          (volume.name === binding.configVolume &&
            !(again && volume.configMap !== undefined) &&
            valueAt(volume, 'configMap', 'name') !== binding.source.configMapName),
      ),
    )
    .map((volume) => `volume ${String(volume.name)}`);
  return [...containers, ...volumes].map((taken) =>
    content(
      `${workload.subject} ${taken}`,
      'expected the name to be free, got something else of that name',
      'Rename it.',
    ),
  );
}

function unknownContainers({ workload, pod, choices }: PodContext): readonly Problem[] {
  const names = [...asObjects(pod.initContainers), ...asObjects(pod.containers)].map(({ name }) =>
    String(name),
  );
  return choices.containers
    .filter((wanted) => !names.includes(wanted))
    .map((wanted) => {
      const hint = didYouMean(wanted, names);
      return usage(
        '--containers',
        `expected a container of ${workload.subject} (${names.join(', ')}), got ${quote(wanted)}`,
        hint === undefined ? 'Correct the name.' : `Did you mean ${hint}?`,
      );
    });
}

function otherUser({ workload, pod, choices }: PodContext): Problem | undefined {
  if (!choices.signals || choices.owner !== undefined || applicationUser(pod) !== undefined) return undefined;
  return content(
    workload.subject,
    'expected one runAsUser for all containers, got none that can be told: a signal reaches only processes of the same user',
    'Give --owner UID:GID with the user that the application runs as.',
  );
}

/** Files belong to the user that writes them, and to the pod's fsGroup when it has one. */
function unreadable({ workload, pod, bindings, choices }: PodContext): Problem | undefined {
  if (choices.owner !== undefined || applicationUser(pod) !== undefined) return undefined;
  const needed = valueAt(pod, 'securityContext', 'fsGroup') === undefined ? 0o004 : 0o044;
  const closed = bindings
    .flatMap(({ plan }) => plan.objects.flatMap((object) => object.outputs))
    .find((output) => (output.mode & needed) === 0);
  if (closed === undefined) return undefined;
  return content(
    workload.subject,
    `expected one runAsUser for all containers, got none that can be told: files of mode ${modeText(closed.mode)} are readable only to user ${NONROOT}, who writes them`,
    'Set runAsUser in the pod spec, or give --owner UID:GID, or a mode that others may read.',
  );
}

function skipped({ workload }: PodContext): Problem | undefined {
  const list = textOf(valueAt(workload.metadata, 'annotations', SKIP_CONTAINERS)) ?? '';
  const skips = list.split(',').map((name) => name.trim());
  if (!skips.includes(SIDECAR_NAME) && !skips.includes(INIT_NAME)) return undefined;
  return content(
    workload.subject,
    `expected AWS credentials in our container, got ${SKIP_CONTAINERS}: ${quote(list)}`,
    'Take its name out of the annotation.',
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
  return content(
    `${workload.subject} volume ${String(volume.name)}`,
    'expected no nodePublishSecretRef, got one, which was left out: credentials come from the service account',
    'Give the service account a role.',
  );
}

function hostPort({ workload, pod, choices }: PodContext): Problem | undefined {
  if (pod.hostNetwork !== true || choices.as === 'init' || choices.listen === 'off') return undefined;
  return content(
    workload.subject,
    `expected a network of the pod's own, got hostNetwork: port ${choices.listen.port} is then taken on the node itself`,
    'Give --listen HOST:PORT with a port that is free on every node.',
  );
}

function unsynced({ workload, bindings, choices }: PodContext): Problem | undefined {
  const names = bindings.flatMap(({ plan }) => plan.secretObjects.map((object) => object.secretName));
  if (choices.syncSecrets || names.length === 0) return undefined;
  return content(
    workload.subject,
    `expected --sync-secrets, for the config has secretObjects (${names.join(', ')}), got none: these Secrets will not be kept`,
    'Add --sync-secrets if anything reads them.',
  );
}

function content(subject: string, message: string, remedy: string): Problem {
  return problem('kubernetes.content', subject, message, remedy);
}

function usage(subject: string, message: string, remedy: string): Problem {
  return problem('usage.value', subject, message, remedy);
}

function problem(code: ProblemCode, subject: string, message: string, remedy: string): Problem {
  return new Problem({ code, subject, message, remedy });
}
