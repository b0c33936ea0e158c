/**
 * The sources of values, one for each identity that the configs ask for.
 */

import type { Context } from '../commands/context.ts';
import type { Plan } from '../config/plan.ts';
import type { Log } from '../core/log.ts';
import { type CredentialsStatus, momentText } from '../sidecar/status.ts';
import { type AuthMethod, authMethodText, resolveAuthMethod } from './auth-method.ts';
import type { ApiMeter } from './client.ts';
import { readAwsEnvironment } from './environment.ts';
import type { SecretSource } from './fetcher.ts';
import { type AwsSource, openSecretSource } from './secret-source.ts';
import { openTransport } from './transport.ts';

/** The sources that were opened so far. */
export interface Sources {
  /** The source with the identity that a plan asks for; throws a Problem when there is none. */
  readonly of: (plan: Plan) => SecretSource;
  /** The credentials that expire first; undefined before any were asked for. */
  status(): CredentialsStatus | undefined;
}

/** One source for all plans that authenticate alike, so that they share credentials, connections and batches. */
export function openSources({ settings, env, clock }: Context, log: Log, meter: ApiMeter): Sources {
  const environment = readAwsEnvironment(env);
  const transport = openTransport({ environment, awsTimeout: settings.awsTimeout, clock });
  const { awsTimeout, fetch } = settings;
  const opened = new Map<string, { readonly kind: AuthMethod['kind']; readonly source: AwsSource }>();

  function of({ usePodIdentity, preferredAddressType }: Plan): SecretSource {
    const authentication = resolveAuthMethod({
      auth: settings.auth,
      usePodIdentity,
      preferredAddressType,
      env,
    });
    const key = JSON.stringify(authentication);
    const known = opened.get(key);
    if (known !== undefined) return known.source;
    log.write('info', 'credentials.source', `authenticating with ${authMethodText(authentication)}`);
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
    opened.set(key, { kind: authentication.kind, source });
    return source;
  }

  return {
    of,
    status() {
      const soonest = [...opened.values()]
        .map(({ kind, source }) => ({
          kind,
          servedBy: source.servedBy(),
          expiry: source.expiry() ?? Number.POSITIVE_INFINITY,
        }))
        .sort((a, b) => a.expiry - b.expiry)[0];
      if (soonest === undefined) return undefined;
      const { kind, servedBy, expiry } = soonest;
      return {
        source: kind,
        ...(servedBy === undefined ? {} : { servedBy }),
        ...(Number.isFinite(expiry) ? { expiresAt: momentText(expiry) } : {}),
      };
    },
  };
}
