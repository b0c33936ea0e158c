/**
 * Takes over Secrets that the Secrets Store CSI driver created, for `--adopt-driver-secrets`.
 *
 * Server-side apply is not sufficient: it never removes fields that it does not manage, and the driver leaves its label, its
 * ownerReferences (the old ReplicaSet, with which the garbage collector deletes the Secret) and data keys that the config no longer
 * has. So one merge patch removes these and the driver's entry in managedFields, on condition that the Secret has not changed since
 * it was read, and a forced apply follows.
 *
 * While an old pod runs, the driver writes them again within 5 minutes. So a sync adopts the Secret again whenever it finds the
 * label, and a sidecar checks its Secrets between syncs.
 */

import type { Plan } from '../config/plan.ts';
import type { KubernetesApi } from './api.ts';
import { toProblem } from './api-problems.ts';
import type { DesiredSecret } from './desired-secret.ts';
import {
  DRIVER_LABEL,
  type LiveSecret,
  MANAGED_BY_LABEL,
  MANAGER,
  parseLiveSecret,
  readSecret,
  secretRequest,
} from './live-secret.ts';

/** The Secret without the driver's part; undefined if it changed since it was read. Throws a Problem if the patch is rejected. */
export async function removeDriverPart(
  api: KubernetesApi,
  desired: DesiredSecret,
  live: LiveSecret,
): Promise<LiveSecret | undefined> {
  const request = { ...secretRequest(api, 'patch', desired.name), patch: 'merge' } as const;
  const response = await api.send(request, JSON.stringify(patchOf(desired, live)));
  if (response.status === 409 || response.status === 404) return undefined;
  const next = response.status === 200 ? parseLiveSecret(response.body) : undefined;
  if (next === undefined) throw toProblem(request, response);
  return next;
}

function patchOf(desired: DesiredSecret, live: LiveSecret): unknown {
  const { fields, otherEntries = [] } = live.driver ?? {};
  // Without an entry in managedFields, everything that podsecrets does not manage is the driver's.
  const isDrivers = (field: string) => fields?.has(field) ?? !live.managed?.has(field);
  const unwanted = [...live.data.keys()].filter((key) => !desired.data.has(key) && isDrivers(`data.${key}`));
  const owners = live.owners.filter(({ uid }) => !isDrivers(`owner.${uid}`));
  return {
    metadata: {
      uid: live.uid,
      resourceVersion: live.resourceVersion,
      labels: { [DRIVER_LABEL]: null, [MANAGED_BY_LABEL]: MANAGER },
      ownerReferences: owners.length === 0 ? null : owners,
      managedFields: otherEntries.length === 0 ? [LABEL_ENTRY] : otherEntries,
    },
    ...(unwanted.length === 0 ? {} : { data: Object.fromEntries(unwanted.map((key) => [key, null])) }),
  };
}

/**
 * Replaces the driver's entry if there is no other. The API server treats an empty list as "unchanged", and records all
 * fields of an object without entries as managed by "before-first-apply" at the next apply: no later apply could remove a key.
 */
const LABEL_ENTRY = {
  manager: MANAGER,
  operation: 'Update',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:metadata': { 'f:labels': { [`f:${MANAGED_BY_LABEL}`]: {} } } },
};

/** Whether a Secret of the plan is missing, or has the driver's label again. Throws a Problem if it cannot be read. */
export async function needsAdoption(api: KubernetesApi, plan: Plan): Promise<boolean> {
  const found = await Promise.all(
    plan.secretObjects.map(async ({ secretName }) => {
      const live = await readSecret(api, secretName);
      for (const value of live?.data.values() ?? []) value.wipe();
      return live;
    }),
  );
  return found.some((live) => live === undefined || live.driver !== undefined);
}
