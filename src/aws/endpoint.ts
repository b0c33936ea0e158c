/**
 * Where a service of AWS is, for a connection that opens before the SDK is loaded. The requests themselves go where the SDK's own
 * rules say.
 */

import { partitionOf } from '../core/arn.ts';
import { type AwsEnvironment, type EndpointName, globalStsEndpoint } from './environment.ts';

const HOSTS: Readonly<Record<EndpointName, string>> = {
  SECRETS_MANAGER: 'secretsmanager',
  SSM: 'ssm',
  STS: 'sts',
};

/** Undefined for FIPS and dual-stack endpoints, whose names have exceptions. */
export function endpointOf(
  service: EndpointName,
  region: string,
  environment: AwsEnvironment,
): URL | undefined {
  const configured = environment.endpoints[service];
  if (configured !== undefined) return new URL(configured);
  if (environment.fips || environment.dualstack) return undefined;
  const globalSts = service === 'STS' ? globalStsEndpoint(environment, region) : undefined;
  return new URL(globalSts ?? `https://${HOSTS[service]}.${region}.${partitionOf(region).suffix}`);
}
