/**
 * The sources of values, one for each identity that the configs need.
 */

import type { Plan } from '../config/plan.ts';
import type { Environment } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import { type AuthInput, type AuthMethod, authMethodText, resolveAuthMethod } from './auth-method.ts';
import { readAwsEnvironment } from './environment.ts';
import type { SecretSource } from './fetcher.ts';
import { type KeepingSource, keepValues } from './kept-values.ts';
import { type AwsSource, openSecretSource, type SourceOptions } from './secret-source.ts';
import { createTransport, type TransportOptions } from './transport.ts';

/** The options that all sources of the process share. */
export interface SourcesOptions
  extends Pick<SourceOptions, 'fetch' | 'awsTimeout' | 'clock' | 'meter' | 'state'>,
    Required<Pick<TransportOptions, 'collectGarbage'>> {
  readonly auth: AuthInput['auth'];
  readonly env: Environment;
  readonly log: Log;
  /** Until the process ends; for one that fetches until the first success, so that a retry reads only what is missing. */
  readonly keepsValues: boolean;
}

/** The credentials in use. */
export interface CredentialsInUse {
  readonly source: AuthMethod['kind'];
  /** The link of the default chain that provided them; undefined for another source, and before they were fetched. */
  readonly provider: string | undefined;
  /** Milliseconds since 1970; undefined: they do not expire, or were not fetched yet. */
  readonly expiresAt: number | undefined;
}

/** The opened sources. */
export interface Sources {
  /** The source with the identity of a plan; throws a Problem if there is none. */
  of(plan: Plan): SecretSource;
  /** The credentials that expire first; undefined before a source was opened. */
  status(): CredentialsInUse | undefined;
  /** Whether a retry would read less than everything. */
  hasValues(): boolean;
}

type OpenedSource = AwsSource & Partial<KeepingSource<AwsSource>>;

/** One source for all plans with the same identity, so that they share credentials, connections and batches. */
export function openSources(options: SourcesOptions): Sources {
  const { auth, env, log, fetch, awsTimeout, clock, meter, collectGarbage } = options;
  const environment = readAwsEnvironment(env);
  const transport = createTransport({ environment, awsTimeout, clock, collectGarbage });
  const opened = new Map<string, { readonly kind: AuthMethod['kind']; readonly source: OpenedSource }>();
  return {
    of({ usePodIdentity, preferredAddressType }) {
      const authentication = resolveAuthMethod({ auth, usePodIdentity, preferredAddressType, env });
      const key = JSON.stringify(authentication);
      const known = opened.get(key);
      if (known !== undefined) return known.source;
      log.write('credentials.source', `authenticating with ${authMethodText(authentication)}`);
      const opening = openSecretSource({
        authentication,
        environment,
        transport,
        fetch,
        awsTimeout,
        clock,
        log,
        meter,
        state: options.state,
        identity: key,
      });
      const source: OpenedSource = options.keepsValues ? keepValues(opening) : opening;
      opened.set(key, { kind: authentication.kind, source });
      return source;
    },
    status() {
      const never = Number.POSITIVE_INFINITY;
      return [...opened.values()]
        .map(({ kind, source }) => ({
          source: kind,
          provider: source.provider(),
          expiresAt: source.expiry(),
        }))
        .sort((a, b) => (a.expiresAt ?? never) - (b.expiresAt ?? never))[0];
    },
    hasValues: () => [...opened.values()].some(({ source }) => source.hasValues?.() === true),
  };
}
