/**
 * The environment of each test: a separate namespace on the node, with a service account that has an identity, and the fake AWS.
 *
 * Pods are written as their users write them: a plain manifest that `podsecrets inject` completes, or the project's own
 * documents.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type RemoteControls, remoteControls } from '../fake-aws/client.ts';
import { binary } from '../support/program.ts';
import { type Api, type KubeObject, openApi } from './api.ts';
import { ASSOCIATION, REGION } from './identity.ts';
import { type FoundNode, NODE_VARIABLE } from './node.ts';
import { until } from './wait.ts';

/** Seconds for a pod to start on a machine that does nothing else: two. */
const START_LIMIT = 90;

export interface Pod extends KubeObject {
  readonly spec: { readonly [field: string]: unknown };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
}

interface ContainerState {
  readonly running?: { readonly startedAt: string };
  readonly terminated?: { readonly exitCode: number; readonly reason: string; readonly message?: string };
}

export interface Scene {
  readonly namespace: string;
  readonly node: FoundNode;
  readonly aws: RemoteControls;
  readonly api: Api;
  /** Sets a secret of this namespace in Secrets Manager; the name under which configs read it. */
  readonly putSecret: (name: string, value: string) => Promise<string>;
  /** Adds podsecrets to manifests with `podsecrets inject`. */
  readonly inject: (manifest: object, config: object, flags?: readonly string[]) => readonly KubeObject[];
  readonly apply: (objects: readonly KubeObject[]) => Promise<void>;
  readonly pod: (name: string) => Promise<Pod | undefined>;
  /** The pods with this label `app`. */
  readonly pods: (app: string) => Promise<readonly Pod[]>;
  /** Until all its containers are ready. */
  readonly ready: (name: string) => Promise<Pod>;
  /** Calls `poll` until it returns a value; a failure shows the pods of the namespace and what their containers have logged. */
  readonly until: <T>(
    what: string,
    poll: () => T | undefined | false | Promise<T | undefined | false>,
    seconds: number,
  ) => Promise<T>;
  readonly log: (pod: string, container: string) => Promise<string>;
  /** Runs a shell command in a container; its output. */
  readonly exec: (pod: string, container: string, command: string) => string;
  readonly kubectl: (words: readonly string[], input?: string) => string;
  readonly close: () => Promise<void>;
}

/** Opens a scene on the node that test/node/run.ts has started. */
export async function openScene(): Promise<Scene> {
  const { KUBECONFIG, KUBECTL, [NODE_VARIABLE]: found } = process.env;
  if (!KUBECONFIG || !KUBECTL || !found) throw new Error('no node: start this with npm run test:node');
  const node = JSON.parse(found) as FoundNode;
  const api = openApi(KUBECONFIG);
  const aws = remoteControls(node.awsUrl);
  const namespace = `test-${randomBytes(3).toString('hex')}`;
  await makeNamespace(api, namespace);

  const path = `/api/v1/namespaces/${namespace}/pods`;
  const kubectl = (words: readonly string[], input = '') =>
    execFileSync(KUBECTL, ['-n', namespace, ...words], { encoding: 'utf8', input, stdio: 'pipe' });
  const pod = (name: string) => api.call<Pod>('GET', `${path}/${name}`);
  const pods = async (selector: string) => {
    const list = await api.call<{ readonly items: readonly Pod[] }>('GET', `${path}${selector}`);
    return list?.items ?? [];
  };
  const log = async (name: string, container: string) => {
    const words = `${path}/${name}/log?container=${container}&tailLines=200`;
    return (await api.call<string>('GET', words).catch(notStarted)) ?? '';
  };
  const waitUntil: Scene['until'] = (what, poll, seconds) =>
    until(async () => `${what}\n${await describe(await pods(''), log)}`, poll, seconds);

  return {
    namespace,
    node,
    aws,
    api,
    log,
    kubectl,
    pod,
    pods: (app) => pods(`?labelSelector=app%3D${app}`),
    until: waitUntil,
    inject: (manifest, config, flags = []) => inject(namespace, manifest, config, flags),
    async putSecret(name, value) {
      await aws.putSecret({ region: REGION, name: `${namespace}/${name}`, string: value });
      return `${namespace}/${name}`;
    },
    async apply(objects) {
      const list = { apiVersion: 'v1', kind: 'List', items: objects };
      kubectl(['apply', '-f', '-'], JSON.stringify(list));
    },
    ready: (name) =>
      waitUntil(
        `pod ${name} to be ready`,
        async () => {
          const found = await pod(name);
          return found !== undefined && isReady(found) && found;
        },
        START_LIMIT,
      ),
    exec: (name, container, command) => kubectl(['exec', name, '-c', container, '--', 'sh', '-c', command]),
    async close() {
      kubectl(['delete', 'pods', '--all', '--force', '--wait=false']);
      await api.call('DELETE', `/api/v1/namespaces/${namespace}`);
    },
  };
}

/** Every container of the application is ready. The kubelet starts them after the sidecars and the init containers. */
export function isReady({ status }: Pod): boolean {
  const { containerStatuses = [] } = status;
  return containerStatuses.length > 0 && containerStatuses.every(({ ready }) => ready);
}

/** The state of one container. */
export function container(pod: Pod | undefined, name: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].find((status) => status.name === name);
}

/** A container that has not started has no log, which the API server calls a bad request. */
function notStarted(error: Error): string {
  if (error.message.includes(': 400 ')) return '';
  throw error;
}

async function makeNamespace(api: Api, name: string): Promise<void> {
  await api.call('POST', '/api/v1/namespaces', { metadata: { name } });
  const path = `/api/v1/namespaces/${name}`;
  // Controllers create these, and every pod needs them.
  await until(
    'the service account of a namespace',
    () => api.call('GET', `${path}/serviceaccounts/default`),
    30,
  );
  await until(
    'the authority of a namespace',
    () => api.call('GET', `${path}/configmaps/kube-root-ca.crt`),
    30,
  );
  await associate(api, name, 'default');
}

/** Gives an existing service account the identity that is allowed every call. */
export async function associate(api: Api, namespace: string, account: string): Promise<void> {
  const metadata = { annotations: { [ASSOCIATION]: 'app' } };
  await api.call('PATCH', `/api/v1/namespaces/${namespace}/serviceaccounts/${account}`, { metadata });
}

function inject(
  namespace: string,
  manifest: object,
  config: object,
  flags: readonly string[],
): readonly KubeObject[] {
  const directory = mkdtempSync(join(tmpdir(), 'inject-'));
  try {
    const file = join(directory, 'config.yaml');
    writeFileSync(file, JSON.stringify(config));
    const words = ['inject', '-f', '-', '-n', namespace, '--config', file, ...flags];
    const { status, stdout, stderr } = spawnSync(binary, words, {
      encoding: 'utf8',
      input: JSON.stringify(manifest),
    });
    if (status !== 0) throw new Error(`podsecrets ${words.join(' ')}: ${status}\n${stderr}`);
    return objectsIn(stdout);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The objects of a YAML text. */
export function objectsIn(text: string): readonly KubeObject[] {
  return [...parseAllDocuments(text)].map((document) => document.toJS() as KubeObject).filter(Boolean);
}

/** For the message of a failed test: each pod, each container, what it has logged. */
async function describe(pods: readonly Pod[], log: Scene['log']): Promise<string> {
  const lines = pods.map(async ({ metadata, status }) => {
    const { initContainerStatuses = [], containerStatuses = [] } = status;
    const containers = [...initContainerStatuses, ...containerStatuses].map(async (one) => {
      const text = (await log(metadata.name, one.name)).trimEnd().split('\n').slice(-8).join('\n    ');
      return `  ${one.name}: ${JSON.stringify({ state: one.state, lastState: one.lastState })}\n    ${text}`;
    });
    return `pod ${metadata.name}: ${status.phase}\n${(await Promise.all(containers)).join('\n')}`;
  });
  return (await Promise.all(lines)).join('\n');
}

/** The process id of a container's first process, as this machine numbers it. */
export function pidOf({ node }: Scene, { containerID = '' }: ContainerStatus): number {
  const [ctr = '', ...words] = node.ctr;
  const tasks = execFileSync(ctr, [...words, 'tasks', 'list'], { encoding: 'utf8', stdio: 'pipe' });
  const id = containerID.replace('containerd://', '');
  const pid = tasks
    .split('\n')
    .find((line) => line.startsWith(id))
    ?.split(/\s+/)[1];
  if (pid === undefined) throw new Error(`no process of container ${id}:\n${tasks}`);
  return Number(pid);
}

/** Ends the kubelet's process, and waits for the next one, which test/node/kubelet.ts starts. */
export async function restartKubelet({ node }: Scene): Promise<void> {
  const before = readFileSync(node.kubeletPidFile, 'utf8');
  process.kill(Number(before), 'SIGTERM');
  await until('another kubelet', () => readFileSync(node.kubeletPidFile, 'utf8') !== before, 60);
}
