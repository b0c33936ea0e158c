/**
 * A pod without a kubelet: what inject prints, run as real processes in the order that Kubernetes promises.
 *
 * Init containers run one after the other; one with restartPolicy Always is a sidecar, and the next waits until its
 * startupProbe succeeds. Sidecars are restarted whenever they end, others according to the pod's restartPolicy. When the
 * containers have ended, or the pod is stopped, sidecars get SIGTERM last, in reverse order. Volumes are folders: a Memory
 * emptyDir on a tmpfs, a ConfigMap with its files. A missing subPath is created as root's, with the mode of the volume.
 * The back-off between restarts is short; there is no network namespace.
 */

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Container, type Mount, startContainer, startPause } from './container.ts';
import { until, within } from './wait.ts';

interface PodSpec {
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly shareProcessNamespace?: boolean;
  readonly securityContext?: User;
  readonly initContainers?: readonly PodContainer[];
  readonly containers: readonly PodContainer[];
  readonly volumes?: readonly Volume[];
}

interface User {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
}

interface PodContainer {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly restartPolicy?: 'Always';
  readonly securityContext?: User & { readonly readOnlyRootFilesystem?: boolean };
  readonly startupProbe?: {
    readonly httpGet: { readonly path: string; readonly port: number };
    readonly periodSeconds: number;
    readonly failureThreshold: number;
  };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
}

interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string };
  readonly configMap?: { readonly name: string };
}

export interface PodOptions {
  /** What an image would bring: the program in front of a container's args. */
  readonly entrypoint: (container: string) => readonly string[];
  /** ConfigMaps by name, each with its files. */
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What the webhooks of EKS put into every container. */
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface RunningPod {
  readonly phase: () => Phase;
  /** What happened, in order: `start podsecrets`, `started podsecrets`, `end app 0`. */
  readonly events: readonly string[];
  readonly log: (container: string) => string;
  readonly kill: (container: string, signal: NodeJS.Signals) => void;
  /** Resolves as soon as the condition is true; rejects with all logs at the time limit. */
  readonly until: (condition: () => boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Linux mounts a tmpfs here, in containers too. */
const TMPFS = '/dev/shm';
/** Milliseconds between two polls. */
const TICK = 20;
/** Milliseconds before a restart; the kubelet waits ten seconds and more. */
const BACK_OFF = 300;

export async function runPod(spec: PodSpec, options: PodOptions): Promise<RunningPod> {
  const root = mkdtempSync(join(TMPFS, 'pod-'));
  chmodSync(root, 0o755);
  const folders = makeVolumes(root, spec.volumes ?? [], options);
  const emptyFolder = join(root, '..root');
  mkdirSync(emptyFolder);
  const pause = spec.shareProcessNamespace === true ? await startPause() : undefined;
  const events: string[] = [];
  const logs = new Map<string, () => string>();
  const running = new Map<string, Container>();
  let phase: Phase = 'Pending';
  let stopping = false;

  function start(container: PodContainer): Container {
    const { runAsUser: uid = 0, runAsGroup: gid = uid } = {
      ...spec.securityContext,
      ...container.securityContext,
    };
    const own = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
    const started = startContainer({
      command: [...(container.command ?? options.entrypoint(container.name)), ...(container.args ?? [])],
      env: { ...options.env, ...own },
      mounts: [
        ...options.mounts,
        ...(container.volumeMounts ?? []).map(({ name, mountPath, subPath = '', readOnly = false }) => ({
          from: partOf(folders.get(name) ?? missing(`volume ${name}`), subPath),
          to: mountPath,
          readOnly,
        })),
      ],
      root: emptyFolder,
      readOnlyRoot: container.securityContext?.readOnlyRootFilesystem === true,
      user: { uid, gid },
      joins: pause?.pid,
    });
    events.push(`start ${container.name}`);
    const before = logs.get(container.name)?.() ?? '';
    logs.set(container.name, () => before + started.log());
    running.set(container.name, started);
    return started;
  }

  async function end(container: PodContainer, started: Container): Promise<number | string> {
    const code = await started.ended;
    events.push(`end ${container.name} ${code}`);
    running.delete(container.name);
    return code;
  }

  /** Runs a container to its end, again and again if that is the policy. */
  async function keep(
    container: PodContainer,
    policy: PodSpec['restartPolicy'],
    first = start(container),
  ): Promise<number | string> {
    for (let started = first; ; started = start(container)) {
      const code = await end(container, started);
      const again = policy === 'Always' || (policy === 'OnFailure' && code !== 0);
      if (stopping || !again) return code;
      await tick(BACK_OFF);
      if (stopping) return code;
    }
  }

  async function life(): Promise<void> {
    const { restartPolicy = 'Always', initContainers = [], containers } = spec;
    const sidecars: { readonly container: PodContainer; readonly over: Promise<unknown> }[] = [];
    for (const container of initContainers) {
      if (stopping) break;
      if (container.restartPolicy === 'Always') {
        const over = keep(container, 'Always');
        sidecars.push({ container, over });
        await startedUp(container, () => running.get(container.name)?.kill('SIGKILL'));
        if (!stopping) events.push(`started ${container.name}`);
      } else {
        const code = await keep(container, restartPolicy === 'Always' ? 'OnFailure' : restartPolicy);
        if (code !== 0) {
          phase = 'Failed';
          break;
        }
      }
    }
    if (!stopping && phase === 'Pending') {
      phase = 'Running';
      const codes = await Promise.all(containers.map((container) => keep(container, restartPolicy)));
      phase = codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
    }
    stopping = true;
    for (const { container, over } of sidecars.toReversed()) {
      running.get(container.name)?.kill('SIGTERM');
      await over;
    }
  }

  async function startedUp({ startupProbe }: PodContainer, kill: () => void): Promise<void> {
    if (startupProbe === undefined) return;
    const { httpGet, periodSeconds, failureThreshold } = startupProbe;
    let since = performance.now();
    while (!stopping && !(await responds(httpGet.port, httpGet.path))) {
      if (performance.now() - since > failureThreshold * periodSeconds * 1000) {
        kill();
        since = performance.now();
      }
      await tick();
    }
  }

  const over = life();
  return {
    phase: () => phase,
    events,
    log: (container) => logs.get(container)?.() ?? '',
    kill: (container, signal) => running.get(container)?.kill(signal),
    until(condition) {
      const all = () => [...logs].map(([name, log]) => `── ${name}\n${log().slice(-2000)}`).join('\n');
      return until(() => `${condition}\n${events.slice(0, 20).join(', ')}\n${all()}`, condition);
    },
    async stop() {
      stopping = true;
      const sidecars = new Set(
        (spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name),
      );
      for (const [name, container] of running)
        if (!sidecars.has(name) || phase === 'Pending') container.kill('SIGTERM');
      await within(() => `the end of the pod, after ${events.join(', ')}`, over).finally(() => {
        for (const container of running.values()) container.kill('SIGKILL');
      });
      pause?.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function makeVolumes(
  root: string,
  volumes: readonly Volume[],
  options: PodOptions,
): ReadonlyMap<string, string> {
  return new Map(
    volumes.map(({ name, configMap }) => {
      const folder = join(root, name);
      mkdirSync(folder);
      // The kubelet's own mode of a Memory emptyDir without fsGroup.
      chmodSync(folder, configMap === undefined ? 0o1777 : 0o755);
      const files =
        configMap === undefined
          ? {}
          : (options.configMaps.get(configMap.name) ?? missing(`ConfigMap ${configMap.name}`));
      for (const [file, text] of Object.entries(files)) {
        writeFileSync(join(folder, file), text);
        // Not through the mode of the creation, from which the umask takes away.
        chmodSync(join(folder, file), 0o644);
      }
      return [name, folder];
    }),
  );
}

function partOf(volume: string, subPath: string): string {
  const part = join(volume, subPath);
  if (!existsSync(part)) {
    mkdirSync(part, { recursive: true });
    chmodSync(part, statSync(volume).mode);
  }
  return part;
}

function missing(what: string): never {
  throw new Error(`expected ${what}, got none`);
}

function tick(ms: number = TICK): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function responds(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, timeout: 1000, agent: false }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    call.once('error', () => resolve(false));
    call.once('timeout', () => call.destroy());
    call.end();
  });
}
