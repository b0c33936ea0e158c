/**
 * Names of AWS resources, taken apart as far as a config's checks need it.
 *
 * Whatever begins with `arn:` claims to be one; it needs six sections, and any of them may be empty.
 */

/** The sections that checks need. */
export interface Arn {
  readonly service: string;
  readonly region: string;
  readonly resource: string;
}

/** Whether the name claims to be an ARN, complete or not. */
export function isArn(name: string): boolean {
  return name.startsWith('arn:');
}

/** The sections; undefined when there are fewer than six. */
export function parseArn(name: string): Arn | undefined {
  const [, , service, region, account, ...resource] = name.split(':');
  if (!isArn(name) || service === undefined || region === undefined || account === undefined)
    return undefined;
  return resource.length === 0 ? undefined : { service, region, resource: resource.join(':') };
}

/** The same resource in another region: replicas of a secret keep their name and its random ending. */
export function arnInRegion(name: string, region: string): string {
  return name
    .split(':')
    .map((section, index) => (index === 3 ? region : section))
    .join(':');
}
