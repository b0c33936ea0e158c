/**
 * The secrets of AWS as a SecretSource.
 *
 * Everything is asked for at once: regions, services and calls run side by side, held back only by the transport. Failures
 * are outcomes, each read's own; when credentials cannot be had, all reads that need them share one Problem. The SDK of a
 * service, and of a way to authenticate, is loaded when it is first needed, while the credentials are on their way.
 */

import type { FetchMode } from '../cli/options.ts';
import type { FetchResult, SecretRef, SecretRefKey } from '../config/secret-ref.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { AuthMethod } from './auth-method.ts';
import { type AwsRequest, batchReads, iamActions } from './batches.ts';
import type { ApiMeter, ClientContext } from './client.ts';
import type { FetchContainerCredentials } from './container-credentials.ts';
import { type CredentialSource, type Credentials, createCredentialCache } from './credential-cache.ts';
import type { AwsEnvironment } from './environment.ts';
import { type AwsErrorFacts, isUnknownOperation } from './error-facts.ts';
import { failedFetch } from './fetch-problems.ts';
import type { SecretSource } from './fetcher.ts';
import type { ParameterStore } from './parameter-store.ts';
import type { SecretsManager } from './secrets-manager.ts';
import type { Transport } from './transport.ts';

/** The identity, how to fetch, and what all sources of the process share. */
export interface SourceOptions {
  readonly authentication: AuthMethod;
  readonly environment: AwsEnvironment;
  /** Shared by all sources of the process, so that the limit of requests in flight holds for all together. */
  readonly transport: Transport;
  readonly fetch: FetchMode;
  /** Milliseconds for one attempt of one call. */
  readonly awsTimeout: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: ApiMeter;
}

type Outcomes = readonly (readonly [SecretRefKey, FetchResult])[];

/** One region: its credentials, and its clients once they are needed. */
interface Region {
  readonly credentials: Credentials;
  secretsManager(): Promise<SecretsManager>;
  parameterStore(): Promise<ParameterStore>;
}

/** A SecretSource that knows its credentials. */
export interface AwsSource extends SecretSource {
  /** Which link of the default chain served them; undefined without a chain, and before any were asked for. */
  servedBy(): string | undefined;
  /** When the first of the credentials in use expires: milliseconds since 1970; undefined when none does. */
  expiry(): number | undefined;
}

/** A source with one identity for all regions; opens no connection and loads no SDK before the first read. */
export function openSecretSource(options: SourceOptions): AwsSource {
  const regions = new Map<string, Region>();
  const region = openRegions(options, regions);
  const { clock, log } = options;
  let singleUntil = 0;
  const batchMode = (): FetchMode =>
    options.fetch === 'auto' && clock.elapsed() < singleUntil ? 'single' : options.fetch;

  async function readRegion(
    name: string,
    reads: readonly SecretRef[],
    signal: AbortSignal,
  ): Promise<Outcomes> {
    try {
      const here = region(name);
      const services = [...new Set(reads.map((read) => read.service))];
      let waiting = true;
      await Promise.all([
        here.credentials.get(signal).finally(() => {
          waiting = false;
        }),
        // Without the turn, the request for credentials would wait until the SDK of each service is loaded.
        ...services.map(async (service) => {
          await turn();
          const client = await (service === 'ssmparameter' ? here.parameterStore() : here.secretsManager());
          if (waiting) client.connectEarly();
        }),
      ]);
      const requests = batchReads(reads, batchMode());
      return (await Promise.all(requests.map((request) => send(request, here, signal)))).flat();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return reads.map((read) => [read.key, { kind: 'failed', problem: error }]);
    }
  }

  async function send(request: AwsRequest, here: Region, signal: AbortSignal): Promise<Outcomes> {
    switch (request.kind) {
      case 'GetParameters':
        return [...(await (await here.parameterStore()).read(request.reads, signal))];
      case 'GetSecretValue':
        return [[request.read.key, await (await here.secretsManager()).single(request.read, signal)]];
      case 'BatchGetSecretValue':
        return await sendBatch(request.reads, await here.secretsManager(), signal);
      default:
        return request satisfies never;
    }
  }

  /** What a batch does not answer is fetched by single calls. */
  async function sendBatch(
    reads: readonly SecretRef[],
    secrets: SecretsManager,
    signal: AbortSignal,
  ): Promise<Outcomes> {
    const singly = (left: readonly SecretRef[]): Promise<Outcomes> =>
      Promise.all(left.map(async (read) => [read.key, await secrets.single(read, signal)] as const));
    const batch = await secrets.batch(reads, signal);
    if (batch.kind === 'answered')
      return [...batch.outcomes, ...(await singly(reads.filter((read) => !batch.outcomes.has(read.key))))];
    if (batch.kind === 'refused' && servesSingly(batch.failure)) return await singly(reads);
    return reads.map((read) => [
      read.key,
      batch.kind === 'credentials'
        ? { kind: 'failed', problem: batch.problem }
        : failedFetch(read, BATCH_ACTION, batch.failure),
    ]);
  }

  /** Whether single calls may do what the batch could not. With `auto`, what lasts is remembered. */
  function servesSingly(failure: AwsErrorFacts): boolean {
    // One bad name may be to blame.
    if (options.fetch !== 'auto') return failure.kind === 'client' || failure.kind === 'notFound';
    // A network that is down, and credentials that are not accepted, are so for every call.
    if (failure.kind === 'network' || failure.kind === 'expired' || failure.kind === 'refused') return false;
    const reason = lastingReason(failure);
    if (reason !== undefined && batchMode() === 'auto') {
      singleUntil = clock.elapsed() + reason.lasts;
      log.write('fetch.batchDisabled', `secrets are fetched one by one: ${reason.text}`, {
        action: BATCH_ACTION,
        awsCode: failure.code,
      });
    }
    return true;
  }

  return {
    servedBy: () => [...regions.values()].flatMap(({ credentials }) => credentials.link()?.name ?? [])[0],
    expiry() {
      const ends = [...regions.values()].flatMap(({ credentials }) => credentials.expiry() ?? []);
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    async read(reads, signal) {
      const regional = [...Map.groupBy(reads, (read) => read.region)];
      // All are waited for, so that after an abort nothing of this pass is still running.
      const settled = await Promise.allSettled(
        regional.map(([name, here]) => readRegion(name, here, signal)),
      );
      return new Map(
        settled.flatMap((result) => {
          if (result.status === 'rejected') throw result.reason;
          return result.value;
        }),
      );
    },
  };
}

const { BatchGetSecretValue: BATCH_ACTION } = iamActions;

/** Milliseconds until a denied batch is tried again: it may have been allowed. */
const DENIAL_LASTS = 3_600_000;

/** Why the next batches would fail too, and for how long. Throttling is never remembered: single calls are 20 times as many. */
function lastingReason(
  failure: AwsErrorFacts,
): { readonly text: string; readonly lasts: number } | undefined {
  if (failure.kind === 'denied')
    return {
      text: `the role may not call ${BATCH_ACTION}, which saves calls; it is tried again in an hour`,
      lasts: DENIAL_LASTS,
    };
  return isUnknownOperation(failure)
    ? { text: `the endpoint does not have ${BATCH_ACTION}`, lasts: Number.POSITIVE_INFINITY }
    : undefined;
}

/** Opens each region once, with clients that are created once. */
function openRegions(options: SourceOptions, regions: Map<string, Region>): (name: string) => Region {
  const credentialsOf = openCredentials(options);
  const open = (name: string): Region => {
    if (!/^[a-z0-9-]{1,63}$/i.test(name)) throw noRegion(name);
    const surroundings: ClientContext = { ...options, region: name };
    const credentials = credentialsOf(surroundings);
    return {
      credentials,
      secretsManager: once(async () => {
        const { openSecretsManager } = await import('./secrets-manager.ts');
        return openSecretsManager(surroundings, credentials);
      }),
      parameterStore: once(async () => {
        const { openParameterStore } = await import('./parameter-store.ts');
        return openParameterStore(surroundings, credentials);
      }),
    };
  };
  return (name) => {
    const known = regions.get(name) ?? open(name);
    regions.set(name, known);
    return known;
  };
}

/** Shared by all regions, except with IRSA, where each region has those of its own STS. */
export function openCredentials(options: SourceOptions): (surroundings: ClientContext) => Credentials {
  const { authentication, clock, log } = options;
  if (authentication.kind === 'irsa')
    return (surroundings) => createCredentialCache(credentialSource(options, surroundings), clock, log);
  let shared: Credentials | undefined;
  return (surroundings) => {
    shared ??= createCredentialCache(credentialSource(options, surroundings), clock, log);
    return shared;
  };
}

function credentialSource(options: SourceOptions, surroundings: ClientContext): CredentialSource {
  const { authentication, awsTimeout, clock } = options;
  const fetchFromContainer: FetchContainerCredentials = async (address, authorization) =>
    (await import('./container-credentials.ts')).createContainerClient(awsTimeout, clock)(
      address,
      authorization,
    );
  switch (authentication.kind) {
    case 'pod-identity':
      return {
        name: 'EKS Pod Identity',
        ask: async () =>
          (await import('./pod-identity.ts')).fetchFromPodIdentity(authentication, fetchFromContainer),
      };
    case 'irsa':
      return {
        name: `STS in ${surroundings.region}`,
        ask: async () =>
          (await import('./web-identity.ts')).fetchFromWebIdentity(authentication, surroundings),
      };
    case 'default':
      return {
        name: "the SDK's default chain",
        ask: async () =>
          (await import('./default-chain.ts')).fetchFromDefaultChain(
            authentication.chain,
            surroundings,
            fetchFromContainer,
          ),
      };
    default:
      return authentication satisfies never;
  }
}

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function noRegion(name: string): Problem {
  return new Problem({
    code: 'config.region',
    subject: 'region',
    message: `expected a region such as eu-west-1, got ${quote(name)}`,
    remedy: 'Correct parameters.region, parameters.failoverRegion or AWS_REGION.',
  });
}
