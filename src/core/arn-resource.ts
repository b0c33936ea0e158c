/**
 * The resources of IAM that values are, also where a config names less than an ARN.
 *
 * A name says neither partition nor account, and not the six characters that Secrets Manager puts at the end of a secret's
 * ARN. The partition follows from the region; the rest stays a wildcard, as narrow as it gets.
 */

import type { SecretRef } from '../config/secret-ref.ts';

/** A part of AWS with names, accounts and endpoints of its own. */
export interface Partition {
  readonly name: string;
  /** How the names of its services end. */
  readonly suffix: string;
}

/** https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const partitions: readonly (readonly [string, Partition])[] = [
  ['cn-', { name: 'aws-cn', suffix: 'amazonaws.com.cn' }],
  ['us-gov-', { name: 'aws-us-gov', suffix: 'amazonaws.com' }],
  ['us-iso-', { name: 'aws-iso', suffix: 'c2s.ic.gov' }],
  ['us-isob-', { name: 'aws-iso-b', suffix: 'sc2s.sgov.gov' }],
  ['eu-isoe-', { name: 'aws-iso-e', suffix: 'cloud.adc-e.uk' }],
  ['us-isof-', { name: 'aws-iso-f', suffix: 'csp.hci.ic.gov' }],
  ['eusc-', { name: 'aws-eusc', suffix: 'amazonaws.eu' }],
];

/** The partition that a region belongs to. */
export function partitionOf(region: string): Partition {
  return (
    partitions.find(([start]) => region.startsWith(start))?.[1] ?? { name: 'aws', suffix: 'amazonaws.com' }
  );
}

/** The ARN of a value that is asked for by its name, in an account; `*` by default. */
export function namedArn(
  { service, region, id }: SecretRef,
  account = '*',
  partition: string = partitionOf(region).name,
): string {
  return service === 'ssmparameter'
    ? `arn:${partition}:ssm:${region}:${account}:parameter/${id.replace(/^\/+/, '')}`
    : `arn:${partition}:secretsmanager:${region}:${account}:secret:${id}-??????`;
}
