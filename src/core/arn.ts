/**
 * Parses ARNs, and builds ARNs for IAM policies from the names in a config.
 *
 * A name that starts with `arn:` is parsed as an ARN. It needs six sections, and any of them may be empty. A plain name has
 * neither partition nor account, nor the six characters that Secrets Manager appends to a secret's ARN. The partition follows
 * from the region; the rest stays a wildcard, as narrow as possible.
 */

import type { Service } from './service.ts';

/** The sections that checks need. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Whether the name starts like an ARN, complete or not. */
export function isArn(name: string): boolean {
  return name.startsWith('arn:');
}

/** The sections; undefined if there are fewer than six. */
export function parseArn(name: string): Arn | undefined {
  const [, partition, service, region, account, ...resource] = name.split(':');
  if (
    !isArn(name) ||
    partition === undefined ||
    service === undefined ||
    region === undefined ||
    account === undefined
  )
    return undefined;
  return resource.length === 0
    ? undefined
    : { partition, service, region, account, resource: resource.join(':') };
}

/** The same resource in another region: replicas of a secret keep their name and its random ending. */
export function arnInRegion(name: string, region: string): string {
  return name
    .split(':')
    .map((section, index) => (index === 3 ? region : section))
    .join(':');
}

/** A partition of AWS, which has its own ARN prefix, accounts and endpoints. */
export interface Partition {
  readonly name: string;
  /** The DNS suffix of its endpoints. */
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

/** A value by its name: of a secret, or of a parameter. */
export interface NamedValue {
  readonly service: Service;
  readonly region: string;
  readonly id: string;
}

/** The ARN of a value with this name, in an account; `*` by default. */
export function namedArn(
  { service, region, id }: NamedValue,
  account = '*',
  partition: string = partitionOf(region).name,
): string {
  return service === 'ssmparameter'
    ? `arn:${partition}:ssm:${region}:${account}:parameter/${id.replace(/^\/+/, '')}`
    : `arn:${partition}:secretsmanager:${region}:${account}:secret:${id}-??????`;
}
