/**
 * What init and sidecar are made of: the edges, opened as the settings say, and one pass over them.
 */

import { hostname } from 'node:os';
import { authenticationText, chooseAuthentication } from '../core/authentication.ts';
import { readAwsEnvironment } from '../core/aws-environment.ts';
import type { Plan } from '../core/plan.ts';
import { throwProblems } from '../core/problem.ts';
import type { Phase } from '../core/schedule.ts';
import { scrub } from '../core/scrub.ts';
import type { FilePath } from '../core/snapshot.ts';
import { openSecretSource } from '../edge/aws/source.ts';
import { openTransport } from '../edge/aws/transport.ts';
import { type Directory, openDirectory } from '../edge/directory/open.ts';
import { createFetcher } from '../fetch.ts';
import type { ApiMeter, Log, SecretSource } from '../ports.ts';
import { openPublication, type Publication } from '../publication.ts';
import { type PublisherOptions, publishAll } from '../publisher.ts';
import { openTeller, type Teller } from '../teller.ts';
import type { Context } from './context.ts';
import { openNotifiers } from './notifiers.ts';
import { type PlannedConfig, readPlans } from './plans.ts';

export interface Publishing {
  readonly publications: readonly Publication[];
  readonly teller: Teller;
  /** The source with the identity that a plan asks for; throws a Problem when there is none. */
  readonly sourceOf: (plan: Plan) => SecretSource;
  pass(phase: Phase, stop: AbortSignal): Promise<void>;
  /** Ends telling within `grace` milliseconds, and gives the directories free. */
  close(grace: number): Promise<void>;
}

/** Counters of the sidecar's metrics page; init has nobody to show them to. */
export interface Meters {
  readonly api: ApiMeter;
  readonly publishes: PublisherOptions['count'];
  readonly notifications: Parameters<typeof openTeller>[0]['count'];
}

/** Reads the configs and opens everything they need. Throws every problem of stage usage, config, credentials or publish. */
export async function openPublishing(context: Context, log: Log, meters: Meters): Promise<Publishing> {
  const { settings, clock, stop } = context;
  const { configs, problems, warnings } = await readPlans(context);
  for (const warning of [...context.warnings, ...warnings]) log.problem('warn', 'config.warning', warning);
  throwProblems(problems);

  const sourceOf = openSources(context, log, meters.api);
  const directories: Directory[] = [];
  const values = () => directories.flatMap((directory) => directory.values());
  const notifiers = await openNotifiers(context, log, (text) => scrub(text, values()));
  const publications: Publication[] = [];
  for (const config of configs) {
    // First of all: without its variables a way to authenticate has no hope, and nothing need be opened.
    sourceOf(config.plan);
    const directory = await openDirectory({
      dir: config.directory,
      owner: settings.owner,
      allowDisk: settings.allowDisk,
      holder: context.command,
      patience: settings.startTimeout,
      clock,
      stop,
    });
    for (const warning of directory.warnings) log.problem('warn', 'config.warning', warning);
    directories.push(directory);
    publications.push(publicationOf(context, log, config, directory, sourceOf, notifiers.length > 0));
  }
  /** A publish whose change is not handed to the teller yet. */
  let publishing = false;
  const forget = (): void => {
    if (!publishing) for (const publication of publications) publication.told();
  };
  const teller = openTeller({
    notifiers,
    clock,
    log,
    splay: settings.notifySplay,
    count: meters.notifications,
    settled: forget,
  });
  const options: PublisherOptions = {
    publications,
    fetcher: createFetcher(),
    tell: teller.tell,
    applySecrets: settings.syncSecrets ? secretsApplier(context, log) : undefined,
    clock,
    log,
    count: meters.publishes,
  };
  return {
    publications,
    teller,
    sourceOf,
    async pass(phase, stopPass) {
      publishing = true;
      try {
        await publishAll(options, phase, stopPass);
      } finally {
        publishing = false;
        if (teller.isSettled()) forget();
      }
    },
    async close(grace) {
      await teller.close(grace);
      await Promise.all(directories.map((directory) => directory.close()));
    },
  };
}

function publicationOf(
  { settings, clock }: Context,
  log: Log,
  { plan }: PlannedConfig,
  directory: Directory,
  sourceOf: (plan: Plan) => SecretSource,
  tells: boolean,
): Publication {
  return openPublication({
    directory: directory.path,
    plan,
    target: directory,
    sourceOf,
    wasPublished: directory.holds(expectedPaths(plan)),
    tells,
    notifyOnStart: settings.notifyOnStart,
    clock,
    log,
  });
}

/** The files that a plan is sure to make: those of optional objects may be missing, and only values name those of `expand`. */
function expectedPaths(plan: Plan): readonly FilePath[] {
  return plan.objects
    .filter((object) => !object.optional)
    .flatMap((object) => object.outputs.flatMap((output) => (output.kind === 'expand' ? [] : [output.path])));
}

/** One source for all plans that authenticate alike, so that they share credentials, connections and batches. */
function openSources(
  { settings, env, clock }: Context,
  log: Log,
  meter: ApiMeter,
): (plan: Plan) => SecretSource {
  const environment = readAwsEnvironment(env);
  const transport = openTransport({ environment, awsTimeout: settings.awsTimeout, clock });
  const sources = new Map<string, SecretSource>();
  return ({ usePodIdentity, preferredAddressType }) => {
    const authentication = chooseAuthentication({
      auth: settings.auth,
      usePodIdentity,
      preferredAddressType,
      env,
    });
    const key = JSON.stringify(authentication);
    const known = sources.get(key);
    if (known !== undefined) return known;
    log.write('info', 'credentials.source', `authenticating with ${authenticationText(authentication)}`);
    const { awsTimeout, fetch } = settings;
    const source = openSecretSource({
      authentication,
      environment,
      transport,
      fetch,
      awsTimeout,
      clock,
      log,
      meter,
    });
    sources.set(key, source);
    return source;
  };
}

/** Applies a publication's secretObjects, and says what changed. */
function secretsApplier({ settings, env }: Context, log: Log): NonNullable<PublisherOptions['applySecrets']> {
  return async (publication, { snapshot }, signal) => {
    const plan = publication.plan();
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
