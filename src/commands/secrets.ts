/**
 * The Kubernetes Secrets of a sync: applied after each publish, and checked between syncs while the CSI driver may write
 * them.
 */

import { hostname } from 'node:os';
import type { Log } from '../core/log.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import { watchSecrets } from '../sidecar/secrets-watch.ts';
import type { ApplySecrets } from '../sidecar/sync.ts';
import type { SyncTarget } from '../sidecar/target.ts';
import type { Context } from './context.ts';

/** Applies the secretObjects of a plan and logs what changed. Throws Problems of stage `kubernetes`. */
export function secretsApplier({ settings, env }: Context, log: Log): ApplySecrets {
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

/** With `--adopt-driver-secrets`: calls `onLost` when the driver wrote a Secret again or the garbage collector deleted one. */
export async function watchAdoptedSecrets(
  { settings, env, clock, stop }: Context,
  targets: readonly SyncTarget[],
  onLost: () => void,
): Promise<void> {
  if (!settings.syncSecrets || !settings.adoptDriverSecrets) return;
  const [{ needsAdoption }, { openApi }] = await Promise.all([
    import('../kubernetes/driver-secrets.ts'),
    import('../kubernetes/api.ts'),
  ]);
  const isLost = async (): Promise<boolean> => {
    try {
      const api = await openApi({ env, signal: stop });
      try {
        const found = await Promise.all(targets.map((target) => needsAdoption(api, target.plan())));
        return found.includes(true);
      } finally {
        api.close();
      }
    } catch (error) {
      // The next check tries again, and the next sync reports the error.
      if (error instanceof Problem || stop.aborted) return false;
      throw error;
    }
  };
  await watchSecrets({ clock, isLost, onLost }, stop);
}
