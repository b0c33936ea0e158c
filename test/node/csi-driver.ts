/**
 * What the CSI driver does to a Kubernetes Secret while one of its pods runs: its label, its field manager, the owners of the
 * pod as owners of the Secret; and it writes the Secret repeatedly, even if another manager has written it in between.
 *
 * The driver writes every five minutes and restores the owners every five seconds. Here a test sets both intervals.
 */

import { setTimeout } from 'node:timers/promises';
import type { Api, KubeObject } from './api.ts';

export const DRIVER_LABEL = 'secrets-store.csi.k8s.io/managed';
export const DRIVER = 'secrets-store-csi-driver';

export interface DriverSecret {
  readonly namespace: string;
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
  /** Milliseconds between two writes. */
  readonly interval: number;
}

export interface CsiDriver {
  /** Writes once more. */
  readonly write: () => Promise<void>;
  /** Ends the repetition; rejects with the error that has ended it before. */
  readonly stop: () => Promise<void>;
}

/** Writes the Secret from now on, until the pod ends. */
export function startCsiDriver(api: Api, pod: KubeObject, secret: DriverSecret): CsiDriver {
  const stopping = new AbortController();
  const stopped = stopping.signal;
  const isRunning = async () => {
    const now = await api.call('GET', `/api/v1/namespaces/${secret.namespace}/pods/${pod.metadata.name}`);
    return now !== undefined && now.metadata.deletionTimestamp === undefined;
  };
  const loop = (async () => {
    while (!stopped.aborted && (await isRunning())) {
      await write(api, pod, secret);
      await setTimeout(secret.interval, undefined, { signal: stopped }).catch(() => {});
    }
  })();
  // `stop` rejects with the error.
  loop.catch(() => {});
  return {
    write: () => write(api, pod, secret),
    stop() {
      stopping.abort();
      return loop;
    },
  };
}

async function write(api: Api, pod: KubeObject, { namespace, name, data }: DriverSecret): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const manager = `fieldManager=${DRIVER}`;
  const secret = {
    type: 'Opaque',
    metadata: { name, labels: { [DRIVER_LABEL]: 'true' } },
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  };
  const there = await api.call('GET', `${path}/${name}`);
  // An update without a resourceVersion: it overwrites everything, and drops the owners.
  if (there === undefined) await api.call('POST', `${path}?${manager}`, secret);
  else await api.call('PUT', `${path}/${name}?${manager}`, secret);
  const owners = (pod.metadata.ownerReferences ?? []) as readonly Record<string, unknown>[];
  const ownerReferences = owners.map((owner) => ({
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.name,
    uid: owner.uid,
  }));
  await api.call('PATCH', `${path}/${name}?${manager}`, { metadata: { ownerReferences } });
}
