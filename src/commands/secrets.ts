/**
 * The Kubernetes Secrets of a sync: applied after each publish, and checked between syncs while the CSI driver may write
 * them.
 */

import { hostname } from 'node:os';
import type { Plan } from '../config/plan.ts';
import type { Log } from '../core/log.ts';
import { problemsOf, throwProblems } from '../core/problem.ts';
import { watchSecrets } from '../sidecar/secrets-watch.ts';
import type { ApplySecrets } from '../worker/sync.ts';
import type { Context } from './context.ts';

/** Applies the secretObjects of a plan and logs what changed. Throws Problems of stage `kubernetes`. */
export function secretsApplier({ settings, env }: Pick<Context, 'settings' | 'env'>, log: Log): ApplySecrets {
  return async (plan, snapshot, signal) => {
    if (plan.secretObjects.length === 0) return;
    const [{ applySecrets }, { openApi }] = await Promise.all([
      import('../kubernetes/apply-secrets.ts'),
      import('../kubernetes/api.ts'),
    ]);
    const outcome = await applySecrets({
      plan,
      snapshot,
      owner: settings.secretOwner,
      adoptDriverSecrets: settings.adoptDriverSecrets,
      env,
      hostname: hostname(),
      signal,
      openApi: () => openApi({ env, signal }),
    });
    for (const { name, result } of outcome.applied) {
      const fields = { secret: name, result };
      if (result === 'unchanged') log.write('secret.unchanged', `Secret ${name} is up to date`, fields);
      else if (result === 'adopted')
        log.write('secret.applied', `Secret ${name} was taken over from the CSI driver`, fields);
      else log.write('secret.applied', `Secret ${name} was ${result}`, fields);
    }
    for (const warning of outcome.warnings) log.problem('secret.warning', warning);
    throwProblems(outcome.problems);
  };
}

/** Whether the CSI driver wrote a Secret of the plans again, or the garbage collector deleted one. Throws Problems. */
export async function areSecretsStale(
  { env }: Pick<Context, 'env'>,
  plans: readonly Plan[],
  signal: AbortSignal,
): Promise<boolean> {
  const [{ needsAdoption }, { openApi }] = await Promise.all([
    import('../kubernetes/driver-secrets.ts'),
    import('../kubernetes/api.ts'),
  ]);
  const api = await openApi({ env, signal });
  try {
    return (await Promise.all(plans.map((plan) => needsAdoption(api, plan)))).includes(true);
  } finally {
    api.close();
  }
}

/** With `--adopt-driver-secrets`: calls `onStale` when a Secret is stale, for the first hour. */
export async function watchAdoptedSecrets(
  { settings, clock, stop }: Context,
  areStale: () => Promise<boolean>,
  onStale: () => void,
): Promise<void> {
  if (!settings.syncSecrets || !settings.adoptDriverSecrets) return;
  const isStale = async (): Promise<boolean> => {
    try {
      return await areStale();
    } catch (error) {
      // The next check tries again, and the next sync reports the error.
      if (problemsOf(error) !== undefined || stop.aborted) return false;
      throw error;
    }
  };
  await watchSecrets({ clock, isStale, onStale }, stop);
}
