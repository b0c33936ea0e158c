/** The real source of values, as the sidecar opens it, with the variables of a test. */

import { resolveAuthMethod } from '../../src/aws/auth-method.ts';
import type { ApiMeter } from '../../src/aws/client.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import type { SecretSource } from '../../src/aws/fetcher.ts';
import { openSecretSource } from '../../src/aws/secret-source.ts';
import { createTransport } from '../../src/aws/transport.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Log } from '../../src/core/log.ts';

/** Milliseconds for an attempt, by the clock of the test. */
const awsTimeout = 5000;

/** A source that authenticates by the variables, and fetches each secret singly. */
export function awsSource(env: Environment, clock: Clock, log: Log, meter: ApiMeter): SecretSource {
  const environment = readAwsEnvironment(env);
  const authentication = resolveAuthMethod({
    auth: 'auto',
    usePodIdentity: undefined,
    preferredAddressType: 'auto',
    env,
  });
  const transport = createTransport({ environment, awsTimeout, clock });
  return openSecretSource({
    authentication,
    environment,
    transport,
    fetch: 'single',
    awsTimeout,
    clock,
    log,
    meter,
  });
}
