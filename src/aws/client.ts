/**
 * What every AWS client here has in common: where it sends, how it signs, how it retries, how it is counted.
 *
 * Everything that the SDK would otherwise look up in the environment or in `~/.aws/config` is given. Three attempts with
 * full jitter (50 ms, after throttling 1 s, doubled each time) and Retry-After up to 5 s more than that are the SDK's own
 * standard retry, as is its correction of a wrong clock. Callers get the facts of an error only, never its text.
 */

import type { Clock } from '../core/clock.ts';
import { Problem } from '../core/problem.ts';
import type { AwsCredentials, Credentials } from './credential-cache.ts';
import type { AwsEnvironment, EndpointName } from './environment.ts';
import { type AwsErrorFacts, errorFacts, withStaticKeys } from './error-facts.ts';
import { abortable } from './limits.ts';
import type { Transport } from './transport.ts';

/** Counts what the metrics page shows. */
export interface ApiMeter {
  /** One call to AWS that ended: `result` is `success`, `denied`, `throttled`, `client`, `server` or `network`. */
  apiCall(service: string, operation: string, region: string, result: string): void;
}

/** What a client of one region is made of. */
export interface ClientContext {
  readonly region: string;
  readonly environment: AwsEnvironment;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly meter: ApiMeter;
}

/** What came of one call: an answer, a failure of AWS or the network, or credentials that could not be had. */
export type Answer<Output> =
  | { readonly kind: 'answer'; readonly output: Output }
  | { readonly kind: 'failure'; readonly failure: AwsErrorFacts }
  | { readonly kind: 'credentials'; readonly problem: Problem };

/**
 * Attempts for one call, the first included. A call so ends within three times the limit of an attempt and 13 s of pauses
 * (1 s and 2 s after throttling, 5 s more each for Retry-After), and a pass within that for every sixteen calls.
 */
const ATTEMPTS = 3;

/** The configuration of a client, complete: nothing is left for the SDK to find. */
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

/** The SDK's own rules for the endpoint of a service. */
type EndpointRules = (parameters: {
  readonly Region: string;
  readonly UseFIPS: boolean;
  readonly UseDualStack: boolean;
  readonly Endpoint?: string;
}) => { readonly url: URL };

/** Opens the connection that the first request of a client will use, before there are credentials to sign it. */
export function connectEarly(context: ClientContext, service: EndpointName, rules: EndpointRules): void {
  const { region, environment, transport } = context;
  const endpoint = environment.endpoints[service];
  const parameters = { Region: region, UseFIPS: environment.fips, UseDualStack: environment.dualstack };
  transport.connectEarly(
    rules({ ...parameters, ...(endpoint === undefined ? {} : { Endpoint: endpoint }) }).url,
  );
}

/** The credentials as the SDK takes them; it keeps no copy, so that a replaced set is used at once. */
export function credentialProvider(
  credentials: Credentials,
): (() => Promise<AwsCredentials>) & { memoized: true } {
  return Object.assign(() => credentials.get(), { memoized: true as const });
}

/**
 * One call. Credentials that AWS does not take (any more) are replaced, and the call made once more. Rejects only with the reason
 * of the signal, or with a bug.
 */
export async function call<Output>(
  send: () => Promise<Output>,
  credentials: Credentials,
  { clock }: Pick<ClientContext, 'clock'>,
  signal: AbortSignal,
): Promise<Answer<Output>> {
  for (let renewed = false; ; renewed = true) {
    let used: AwsCredentials | undefined;
    try {
      used = await credentials.get(signal);
      return { kind: 'answer', output: await abortable(send(), signal) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem) return { kind: 'credentials', problem: error };
      const found = errorFacts(error, clock.now());
      if (found === undefined) throw bugOf(error);
      const failure = used?.sessionToken === undefined ? withStaticKeys(found) : found;
      const stale = failure.kind === 'expired' || failure.kind === 'refused';
      if (!stale || renewed) return { kind: 'failure', failure };
      credentials.refuse(used);
    }
  }
}

/** For an error that is neither AWS's nor the network's. Its message may quote an answer, so only its kind is reported. */
export function bugOf(error: unknown): Error {
  return new Error(`${error instanceof Error ? error.constructor.name : typeof error} in a call to AWS`);
}

interface Stack {
  addRelativeTo(
    middleware: (next: Next, context: { readonly commandName?: string }) => Next,
    options: { readonly name: string; readonly relation: 'before'; readonly toMiddleware: string },
  ): void;
}
type Next = (args: object) => Promise<object>;

/** Counts each attempt, as AWS does: a retry is a call. Attempts that we broke off ourselves are not counted. */
export function countAttempts(service: string, { region, clock, meter }: ClientContext) {
  return {
    applyToStack(stack: object): void {
      (stack as Stack).addRelativeTo(
        (next, { commandName = '' }) =>
          async (args) => {
            const count = (result: string): void =>
              meter.apiCall(service, commandName.replace(/Command$/, ''), region, result);
            try {
              const answer = await next(args);
              count('success');
              return answer;
            } catch (error) {
              const failure = errorFacts(error, clock.now());
              if (failure !== undefined) count(results[failure.kind]);
              throw error;
            }
          },
        { name: 'countAttempts', relation: 'before', toMiddleware: 'deserializerMiddleware' },
      );
    },
  };
}

/** The words of `ApiMeter.apiCall`. */
const results: Readonly<Record<AwsErrorFacts['kind'], string>> = {
  notFound: 'client',
  denied: 'denied',
  expired: 'denied',
  refused: 'denied',
  client: 'client',
  throttled: 'throttled',
  server: 'server',
  network: 'network',
  answer: 'server',
};
