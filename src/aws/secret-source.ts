/**
 * Secrets Manager and Parameter Store as one SecretSource.
 *
 * Regions, services and calls run concurrently; only the transport limits them. Each ref has its own result; without credentials,
 * all refs that need them share one Problem. The SDK module of a service or of an authentication method is loaded when it is first
 * needed, while the connections open and the request for credentials is in flight.
 */

import type { FetchMode } from '../cli/options.ts';
import { type FetchResults, mergeResults, type SecretRef } from '../config/secret-ref.ts';
import type { Clock } from '../core/clock.ts';
import { mapLimited } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { once } from '../core/once.ts';
import { Problem } from '../core/problem.ts';
import type { Service } from '../core/service.ts';
import { quote } from '../core/text.ts';
import type { AuthMethod } from './auth-method.ts';
import { type AwsRequest, type FetchPhase, iamActions, reasonToDisable, requestsFor } from './batches.ts';
import type { ApiMeter, ClientContext } from './client.ts';
import type { FetchContainerCredentials } from './container-credentials.ts';
import { type CredentialSource, type Credentials, createCredentialCache } from './credential-cache.ts';
import { endpointOf } from './endpoint.ts';
import type { AwsEnvironment, EndpointName } from './environment.ts';
import type { AwsErrorFacts } from './error-facts.ts';
import { failedCall } from './fetch-problems.ts';
import type { SecretSource } from './fetcher.ts';
import type { ParameterStore } from './parameter-store.ts';
import type { SecretsManager } from './secrets-manager.ts';
import { noState, type SourceState } from './source-state.ts';
import type { Transport } from './transport.ts';

/** The authentication method, the fetch options, and what all sources of the process share. */
export interface SourceOptions {
  readonly authentication: AuthMethod;
  readonly environment: AwsEnvironment;
  /** One for the process, so that its limit of concurrent requests applies to all sources together. */
  readonly transport: Transport;
  readonly fetch: FetchMode;
  /** Milliseconds for one attempt of one call. */
  readonly awsTimeout: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: ApiMeter;
  /** Default: nothing is kept after the end of the process. `identity`: the name of this source in it. */
  readonly state?: SourceState | undefined;
  readonly identity?: string;
}

/** One region: its credentials, and its clients, which are created when they are first needed. */
interface Region {
  readonly credentials: Credentials;
  /** Opens the first connection to each service, and to STS if it is needed for credentials. Does nothing after that. */
  connectEarly(services: readonly Service[]): Promise<void>;
  secretsManager(): Promise<SecretsManager>;
  parameterStore(): Promise<ParameterStore>;
}

/** A SecretSource that reports its credentials. */
export interface AwsSource extends SecretSource {
  /** The link of the default chain that provided them; undefined without a chain, and before the first fetch. */
  provider(): string | undefined;
  /** When the first of the credentials in use expires: milliseconds since 1970; undefined if none expires. */
  expiry(): number | undefined;
}

/** A source with one identity for all regions; it connects and loads the SDK at the first fetch. */
export function openSecretSource(options: SourceOptions): AwsSource {
  const regions = new Map<string, Region>();
  const regionOf = createRegions(options, regions);
  const { clock, log } = options;
  const { state = noState, identity = '' } = options;
  let singleUntil = state.batchesDisabled(identity) ?? 0;
  const batchMode = (): FetchMode =>
    options.fetch === 'auto' && clock.elapsed() < singleUntil ? 'single' : options.fetch;

  async function readRegion(
    name: string,
    refs: readonly SecretRef[],
    signal: AbortSignal,
    phase: FetchPhase,
  ): Promise<FetchResults> {
    try {
      const region = regionOf(name);
      const services = [...new Set(refs.map((ref) => ref.service))];
      await region.connectEarly(services);
      await Promise.all([
        region.credentials.get(signal),
        // Yields first, because loading an SDK module blocks, and the request for credentials must be sent before.
        ...services.map(async (service) => {
          await nextTurn();
          await (service === 'ssmparameter' ? region.parameterStore() : region.secretsManager());
        }),
      ]);
      const requests = requestsFor(refs, batchMode(), phase);
      return mergeResults(await mapLimited(requests, MAX_CALLS, (request) => send(request, region, signal)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return new Map(refs.map((ref) => [ref.key, { kind: 'failed', problem: error }]));
    }
  }

  async function send(request: AwsRequest, region: Region, signal: AbortSignal): Promise<FetchResults> {
    switch (request.kind) {
      case 'GetParameters':
        return await (await region.parameterStore()).read(request.refs, signal);
      case 'GetSecretValue':
        return await readSingly([request.ref], await region.secretsManager(), signal);
      case 'BatchGetSecretValue':
        return await sendBatch(request.refs, await region.secretsManager(), signal);
      default:
        return request satisfies never;
    }
  }

  async function readSingly(
    refs: readonly SecretRef[],
    secrets: SecretsManager,
    signal: AbortSignal,
  ): Promise<FetchResults> {
    return new Map(
      await mapLimited(refs, MAX_CALLS, async (ref) => [ref.key, await secrets.single(ref, signal)] as const),
    );
  }

  /** Refs that the batch response lacks are fetched by single calls. */
  async function sendBatch(
    refs: readonly SecretRef[],
    secrets: SecretsManager,
    signal: AbortSignal,
  ): Promise<FetchResults> {
    const batch = await secrets.batch(refs, signal);
    if (batch.kind === 'output') {
      const missing = refs.filter((ref) => !batch.output.has(ref.key));
      return mergeResults([batch.output, await readSingly(missing, secrets, signal)]);
    }
    if (batch.kind === 'failure' && mayReadSingly(batch.failure))
      return await readSingly(refs, secrets, signal);
    return new Map(refs.map((ref) => [ref.key, failedCall(ref, BATCH_ACTION, batch)]));
  }

  /** Whether single calls may succeed. With `--fetch auto`, a reason that lasts also disables batches: an hour, or until the process ends. */
  function mayReadSingly(failure: AwsErrorFacts): boolean {
    // The cause may be one malformed name.
    if (options.fetch !== 'auto') return failure.kind === 'client' || failure.kind === 'notFound';
    // Without a network or with rejected credentials, single calls fail too.
    if (failure.kind === 'network' || failure.kind === 'expired' || failure.kind === 'rejected') return false;
    const reason = reasonToDisable(failure);
    if (reason !== undefined && batchMode() === 'auto') {
      singleUntil = clock.elapsed() + reason.duration;
      state.disableBatches(identity, singleUntil);
      log.write('fetch.batchDisabled', `secrets are fetched one by one: ${reason.text}`, {
        action: BATCH_ACTION,
        awsCode: failure.code,
      });
    }
    return true;
  }

  return {
    provider: () => [...regions.values()].flatMap(({ credentials }) => credentials.link()?.name ?? [])[0],
    expiry() {
      const ends = [...regions.values()].flatMap(({ credentials }) => credentials.expiry() ?? []);
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    async read(refs, signal, phase = 'refresh') {
      const regional = [...Map.groupBy(refs, (ref) => ref.region)];
      const reading = regional.map(([name, refs]) => readRegion(name, refs, signal, phase));
      // Waits for all, so that no request is still running after an abort.
      const settled = await Promise.allSettled(reading);
      return mergeResults(
        settled.map((region) => {
          if (region.status === 'rejected') throw region.reason;
          return region.value;
        }),
      );
    },
  };
}

const { BatchGetSecretValue: BATCH_ACTION } = iamActions;

/**
 * Calls of a region at the same time, not more than the transport sends. Each holds its signed request and a listener of the
 * signal: with all calls at once, 5,000 secrets took 10.7 s of CPU instead of 4.3, and 120 MiB more (`npm run bench`).
 */
const MAX_CALLS = 16;

const ENDPOINTS: Readonly<Record<Service, EndpointName>> = {
  secretsmanager: 'SECRETS_MANAGER',
  ssmparameter: 'SSM',
};

/** Creates each region once, and each of its clients once. */
function createRegions(options: SourceOptions, regions: Map<string, Region>): (name: string) => Region {
  const credentialsOf = openCredentials(options);
  const create = (name: string): Region => {
    if (!/^[a-z0-9-]{1,63}$/i.test(name)) throw invalidRegion(name);
    const context: ClientContext = { ...options, region: name };
    const credentials = credentialsOf(context);
    const { authentication, environment, transport } = options;
    const connected = new Set<EndpointName>();
    return {
      credentials,
      async connectEarly(services) {
        const needsSts = authentication.kind === 'irsa' && credentials.expiry() === undefined;
        const names = [
          ...(needsSts ? (['STS'] as const) : []),
          ...services.map((service) => ENDPOINTS[service]),
        ];
        const urls = names
          .filter((name) => !connected.has(name))
          .flatMap((name) => endpointOf(name, context.region, environment) ?? []);
        for (const name of names) connected.add(name);
        await Promise.all(urls.map((url) => transport.connectEarly(url)));
      },
      secretsManager: once(async () => {
        const { createSecretsManager } = await import('./secrets-manager.ts');
        return createSecretsManager(context, credentials);
      }),
      parameterStore: once(async () => {
        const { createParameterStore } = await import('./parameter-store.ts');
        return createParameterStore(context, credentials);
      }),
    };
  };
  return (name) => {
    const region = regions.get(name) ?? create(name);
    regions.set(name, region);
    return region;
  };
}

/** One cache for all regions; with IRSA one for each region, because each uses its own STS. */
export function openCredentials(options: SourceOptions): (context: ClientContext) => Credentials {
  const { authentication, clock, log, state = noState, identity = '' } = options;
  const create = (context: ClientContext, name: string): Credentials =>
    createCredentialCache(credentialSource(options, context), clock, log, {
      kept: state.credentials(name),
      keep: (credentials) => state.keepCredentials(name, credentials),
    });
  if (authentication.kind === 'irsa') return (context) => create(context, `${identity} ${context.region}`);
  let shared: Credentials | undefined;
  return (context) => {
    shared ??= create(context, identity);
    return shared;
  };
}

function credentialSource(options: SourceOptions, context: ClientContext): CredentialSource {
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
        fetch: async () =>
          (await import('./container-credentials.ts')).fetchFromPodIdentity(
            authentication,
            fetchFromContainer,
          ),
      };
    case 'irsa':
      return {
        name: `STS in ${context.region}`,
        fetch: async () => (await import('./web-identity.ts')).fetchFromWebIdentity(authentication, context),
      };
    case 'default':
      return {
        name: "the SDK's default chain",
        fetch: async () =>
          (await import('./default-chain.ts')).fetchFromDefaultChain(
            authentication.chain,
            context,
            fetchFromContainer,
          ),
      };
    default:
      return authentication satisfies never;
  }
}

/** Resolves in the next iteration of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function invalidRegion(name: string): Problem {
  return new Problem({
    code: 'config.region',
    subject: 'region',
    message: `expected a region such as eu-west-1, got ${quote(name)}`,
    remedy: 'Correct parameters.region, parameters.failoverRegion or AWS_REGION.',
  });
}
