/**
 * What one object asks AWS for: a value in the primary region and, with a failover region, one there.
 *
 * As the AWS provider asks, with one difference: an ARN of the primary region means nothing to the other one, and is
 * rewritten for it unless failoverObject says what to ask for there.
 */

import { arnInRegion, isArn } from '../core/arn.ts';
import { quote } from '../core/text.ts';
import type { Failover } from './failover-object.ts';
import type { TextField } from './fields.ts';
import type { ObjectContext, ObjectFields, Pin } from './object-keys.ts';
import { type SecretRef, type Service, secretRef } from './secret-ref.ts';

/** What an object says of the value it means. */
export interface Wanted {
  readonly service: Service;
  readonly name: TextField;
  readonly pin: Pin;
  readonly failover: Failover;
}

/** The read in the primary region. */
export function primaryRead({ service, name, pin }: Wanted, region: string): SecretRef {
  return pinnedRead(service, region, name.text, pin);
}

/** The read in the failover region, if there is one. What failoverObject leaves out is inherited. */
export function failoverRead(
  wanted: Wanted,
  fields: ObjectFields,
  context: ObjectContext,
): SecretRef | undefined {
  const { service, name, pin, failover } = wanted;
  if (context.failoverRegion === undefined) return undefined;
  const id = failover.name ?? nameThere(name, context.failoverRegion, fields, context);
  const version = failover.version ?? pin.version;
  const label = failover.label ?? pin.label;
  return pinnedRead(service, context.failoverRegion, id, { version, label });
}

/** Parameter Store takes one selector only: the version, or else the label. */
function pinnedRead(service: Service, region: string, id: string, { version, label }: Pin): SecretRef {
  const stage = service === 'ssmparameter' && version !== undefined ? undefined : label;
  return secretRef({
    service,
    region,
    id,
    ...(version === undefined ? {} : { version }),
    ...(stage === undefined ? {} : { stage }),
  });
}

function nameThere(name: TextField, region: string, fields: ObjectFields, context: ObjectContext): string {
  if (!isArn(name.text)) return name.text;
  const rewritten = arnInRegion(name.text, region);
  context.findings.warning({
    code: 'config.failover',
    subject: `${fields.subject}.objectName`,
    line: name.line,
    message: `expected failoverObject beside an ARN, got none; ${quote(rewritten)} is asked for in failoverRegion`,
    remedy: 'Write failoverObject with the ARN of its replica, or a name instead of the ARN.',
  });
  return rewritten;
}
