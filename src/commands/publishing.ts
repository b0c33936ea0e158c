/**
 * What init and sidecar are made of: the edges, opened as the settings say, and one pass over them.
 */

import { hostname } from 'node:os';
import { inKubernetes } from '../core/environment.ts';
import { throwProblems } from '../core/problem.ts';
import { scrub } from '../core/telling/scrub.ts';
import { type Delivery, type DeliveryOptions, openDelivery } from '../delivery.ts';
import { type Directory, openDirectory } from '../edge/directory/open.ts';
import { createFetcher } from '../fetch.ts';
import type { ApiMeter, Log } from '../ports.ts';
import { openPublication, type Publication } from '../publication.ts';
import type { Context } from './context.ts';
import { openNotifiers } from './notifiers.ts';
import { readPlans } from './plans.ts';
import { openSources, type Sources } from './sources.ts';

/** Everything that a pass over the configs needs, opened. */
export interface Publishing extends Delivery {
  readonly publications: readonly Publication[];
  readonly sources: Sources;
  /** Ends telling within `grace` milliseconds, and gives the directories free. */
  close(grace: number): Promise<void>;
}

/** Counters of the sidecar's metrics page; init has nobody to show them to. */
export interface Meters {
  readonly api: ApiMeter;
  readonly publishes: DeliveryOptions['publishes'];
  readonly notifications: DeliveryOptions['notifications'];
}

/** Reads the configs and opens everything they need. Throws every problem of stage usage, config, credentials or publish. */
export async function openPublishing(context: Context, log: Log, meters: Meters): Promise<Publishing> {
  const { settings, clock, stop } = context;
  const { configs, problems, warnings } = await readPlans(context);
  for (const warning of [...context.warnings, ...warnings]) log.problem('warn', 'config.warning', warning);
  throwProblems(problems);

  const sources = openSources(context, log, meters.api);
  const directories: Directory[] = [];
  const values = () => directories.flatMap((directory) => directory.values());
  const notifiers = await openNotifiers(context, log, (text) => scrub(text, values()));
  const publications: Publication[] = [];
  for (const { plan, directory: dir } of configs) {
    // First of all: without its variables a way to authenticate has no hope, and nothing need be opened.
    sources.of(plan);
    const directory = await openDirectory({
      dir,
      owner: settings.owner,
      allowDisk: settings.allowDisk,
      user: context.process.user,
      inKubernetes: inKubernetes(context.env),
      holder: context.command,
      patience: settings.startTimeout,
      clock,
      stop,
    });
    directories.push(directory);
    publications.push(
      openPublication({
        directory: directory.path,
        plan,
        target: directory,
        sourceOf: sources.of,
        tells: notifiers.length > 0,
        notifyOnStart: settings.notifyOnStart,
        clock,
        log,
      }),
    );
  }
  const delivery = openDelivery({
    publications,
    notifiers,
    fetcher: createFetcher(),
    applySecrets: settings.syncSecrets ? secretsApplier(context, log) : undefined,
    splay: settings.notifySplay,
    clock,
    log,
    publishes: meters.publishes,
    notifications: meters.notifications,
  });
  return {
    ...delivery,
    publications,
    sources,
    async close(grace) {
      await delivery.teller.close(grace);
      await Promise.all(directories.map((directory) => directory.close()));
    },
  };
}

/** Applies a publication's secretObjects, and says what changed. */
function secretsApplier({ settings, env }: Context, log: Log): NonNullable<DeliveryOptions['applySecrets']> {
  return async (plan, snapshot, signal) => {
    if (plan.secretObjects.length === 0) return;
    const { applySecrets } = await import('../edge/kubernetes/apply-secrets.ts');
    const outcome = await applySecrets({
      plan,
      snapshot,
      owner: settings.secretOwner,
      env,
      hostname: hostname(),
      signal,
    });
    for (const { name, result } of outcome.applied) {
      const fields = { secret: name, result };
      if (result === 'unchanged')
        log.write('debug', 'secret.unchanged', `Secret ${name} is as it should be`, fields);
      else log.write('info', 'secret.applied', `Secret ${name} was ${result}`, fields);
    }
    for (const warning of outcome.warnings) log.problem('warn', 'secret.warning', warning);
    throwProblems(outcome.problems);
  };
}
