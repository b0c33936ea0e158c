/**
 * Settings and error handling that all AWS clients share: endpoint, signing, retries, metrics.
 *
 * Every setting that the SDK would otherwise look up in the environment or in `~/.aws/config` is passed to it. Retries are the
 * SDK's standard mode: three attempts with full jitter (50 ms, after throttling 1 s, doubled each time), Retry-After honoured up to
 * 5 s longer than that, and clock skew corrected. Callers get the facts of an error, never the SDK's error object.
 */

import type { Clock } from '../core/clock.ts';
import { abortable } from '../core/limits.ts';
import { Problem } from '../core/problem.ts';
import type { AwsCredentials, Credentials } from './credential-cache.ts';
import type { AwsEnvironment, EndpointName } from './environment.ts';
import { type AwsErrorFacts, errorFacts, withStaticKeys } from './error-facts.ts';
import type { CallFailure } from './fetch-problems.ts';
import type { Transport, WireResponse } from './transport.ts';

/** Counts API calls for the metrics. */
export interface ApiMeter {
  /** One attempt of an AWS call has ended: `result` is `success`, `denied`, `throttled`, `client`, `server` or `network`. */
  apiCall(service: string, operation: string, region: string, result: string): void;
}

/** What a client of one region is created from. */
export interface ClientContext {
  readonly region: string;
  readonly environment: AwsEnvironment;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly meter: ApiMeter;
}

/** The result of one call. */
export type CallResult<Output> = { readonly kind: 'output'; readonly output: Output } | CallFailure;

/**
 * Attempts for one call, the first included. A call therefore ends within three attempt timeouts and 13 s of backoff (1 s and 2 s
 * after throttling, each up to 5 s longer for Retry-After), and a sync within that time for every sixteen calls.
 */
const ATTEMPTS = 3;

/** The complete configuration of a client, so that the SDK looks up nothing itself. */
export function clientSettings({ region, environment, transport }: ClientContext, service: EndpointName) {
  const endpoint = environment.endpoints[service];
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: environment.fips,
    useDualstackEndpoint: environment.dualstack,
    requestHandler: transport,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    authSchemePreference: [],
    disableClockSkewCorrection: false,
    userAgentAppId: 'podsecrets',
  };
}

/** The credentials as an SDK provider. `memoized` keeps the SDK from caching them, so that replaced credentials are used at once. */
export function credentialProvider(
  credentials: Credentials,
): (() => Promise<AwsCredentials>) & { memoized: true } {
  return Object.assign(() => credentials.get(), { memoized: true as const });
}

/**
 * Makes one call. If AWS rejects the credentials, they are replaced and the call is repeated once. Rejects only with the signal's
 * reason, or with an internal error.
 */
export async function call<Output>(
  send: () => Promise<Output>,
  credentials: Credentials,
  { clock }: Pick<ClientContext, 'clock'>,
  signal: AbortSignal,
): Promise<CallResult<Output>> {
  for (let renewed = false; ; renewed = true) {
    let used: AwsCredentials | undefined;
    try {
      used = await credentials.get(signal);
      return { kind: 'output', output: await abortable(send(), signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem) return { kind: 'credentials', problem: error };
      const found = errorFacts(error, clock.now());
      if (found === undefined) throw internalError(error);
      const failure = used?.sessionToken === undefined ? withStaticKeys(found) : found;
      const rejected = failure.kind === 'expired' || failure.kind === 'rejected';
      if (!rejected || renewed) return { kind: 'failure', failure };
      credentials.invalidate(used);
    }
  }
}

/** For an error that is neither from AWS nor from the network. Its message may quote a response, so only its class is reported. */
export function internalError(error: unknown): Error {
  return new Error(`${error instanceof Error ? error.constructor.name : typeof error} in a call to AWS`);
}

interface Stack {
  addRelativeTo(
    middleware: (next: Next, context: { readonly commandName?: string }) => Next,
    options: { readonly name: string; readonly relation: 'before'; readonly toMiddleware: string },
  ): void;
}
type Next = (args: object) => Promise<{ readonly response?: unknown }>;

/**
 * An SDK plugin that counts each attempt, as AWS bills them: a retry is a call. Attempts that podsecrets aborted are not counted. A
 * `message` of an error response that is not text is removed. The body of a response is freed when it is parsed.
 */
export function countAttempts(service: string, { region, clock, meter }: ClientContext) {
  return {
    applyToStack(stack: object): void {
      (stack as Stack).addRelativeTo(
        (next, { commandName = '' }) =>
          async (args) => {
            const count = (result: string): void =>
              meter.apiCall(service, commandName.replace(/Command$/, ''), region, result);
            try {
              const result = await next(args);
              count('success');
              (result.response as WireResponse | undefined)?.free?.();
              return result;
            } catch (error) {
              const failure = errorFacts(error, clock.now());
              if (failure !== undefined) count(results[failure.kind]);
              // Invalid JSON of an endpoint: the SDK's retry strategy would throw a TypeError.
              if (error instanceof Error && typeof error.message !== 'string') error.message = '';
              throw error;
            }
          },
        { name: 'countAttempts', relation: 'before', toMiddleware: 'deserializerMiddleware' },
      );
    },
  };
}

/** The `result` of `ApiMeter.apiCall`. */
const results: Readonly<Record<AwsErrorFacts['kind'], string>> = {
  notFound: 'client',
  denied: 'denied',
  expired: 'denied',
  rejected: 'denied',
  client: 'client',
  throttled: 'throttled',
  server: 'server',
  network: 'network',
  response: 'server',
};
