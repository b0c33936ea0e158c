/**
 * One entry of `objects`: what to read and which files to make of it.
 *
 * The checks are the AWS provider's and ours; all of them are made, so that one run names everything that is wrong with an
 * object. What concerns several objects at once is checked in paths.ts.
 */

import { quote } from '../core/text.ts';
import type { YamlValue } from '../formats/yaml.ts';
import type { Diagnostics } from './diagnostics.ts';
import { readFailover } from './failover-object.ts';
import { Fields, kindText, type TextField } from './fields.ts';
import { readExtensions } from './object-extensions.ts';
import { type ObjectContext, type ObjectFields, objectKeys, type Pin } from './object-keys.ts';
import { checkName, checkType } from './object-name.ts';
import { failoverRead, primaryRead } from './object-refs.ts';
import { type Claim, readOutputs } from './outputs.ts';
import type { PlannedObject } from './plan.ts';
import type { Service } from './secret-ref.ts';

/** What became of one entry. */
export interface ReadObject {
  /** Undefined when a problem was found. */
  readonly planned: PlannedObject | undefined;
  /** The paths it lays claim to, as far as they could be read. */
  readonly claims: readonly Claim[];
}

/** Reads and checks `objects[index]`. */
export function readObject(value: YamlValue, index: number, context: ObjectContext): ReadObject {
  const { findings } = context;
  const before = findings.count;
  const fields = readFields(value, `objects[${index}]`, findings);
  if (fields === undefined) return { planned: undefined, claims: [] };

  const name = readName(fields, findings);
  const type = fields.text('objectType');
  const service = checkService(fields, name, type, context);
  const pin = readPin(fields, service, findings);
  const { optional, expand, decode } = readExtensions(fields, findings);
  const { outputs, claims } = readOutputs(fields, { name: name?.text, expand }, context);
  const failover = readFailover(fields, { service, type, pin }, context);
  if (
    findings.count > before ||
    name === undefined ||
    service === undefined ||
    context.region === undefined
  ) {
    return { planned: undefined, claims };
  }

  const wanted = { service, name, pin, failover };
  const planned: PlannedObject = {
    subject: fields.subject,
    line: fields.line,
    name: name.text,
    service,
    primary: primaryRead(wanted, context.region),
    failover: failoverRead(wanted, fields, context),
    optional,
    decode,
    outputs,
  };
  return { planned, claims };
}

function readFields(value: YamlValue, subject: string, findings: Diagnostics): ObjectFields | undefined {
  const code = 'config.object';
  if (value.kind === 'map')
    return new Fields([value], objectKeys, { match: 'anyCase', code }, subject, findings);
  const message = `expected an object with objectName, got ${kindText(value)}`;
  const remedy = 'Remove the entry, or write objectName under it.';
  findings.error({ code, subject, line: value.line, message, remedy });
  return undefined;
}

function readName(fields: ObjectFields, findings: Diagnostics): TextField | undefined {
  const name = fields.text('objectName');
  if (name !== undefined) return name;
  findings.error({
    code: 'config.object',
    subject: `${fields.subject}.objectName`,
    line: fields.line,
    message: 'expected the name or ARN of a secret or parameter, got none',
    remedy: 'Write objectName.',
  });
  return undefined;
}

function checkService(
  { subject }: ObjectFields,
  name: TextField | undefined,
  type: TextField | undefined,
  { region, findings }: ObjectContext,
): Service | undefined {
  const place = { subject: `${subject}.objectName`, region, regionName: 'region', type } as const;
  const service = name && checkName(name, place, findings);
  checkType(type, `${subject}.objectType`, findings);
  return service;
}

function readPin(fields: ObjectFields, service: Service | undefined, findings: Diagnostics): Pin {
  const version = fields.text('objectVersion')?.text;
  const label = fields.text('objectVersionLabel')?.text;
  if (service !== 'ssmparameter' || version === undefined) return { version, label };
  const place = { code: 'config.object', line: fields.lineOf('objectVersion') } as const;
  if (label !== undefined) {
    const message = 'expected objectVersion or objectVersionLabel for a parameter, got both';
    findings.error({ ...place, subject: fields.subject, message, remedy: 'Remove one of the two.' });
  } else if (!/^\d+$/.test(version)) {
    const message = `expected a version number, got ${quote(version)}; Parameter Store takes it for a label`;
    const subject = `${fields.subject}.objectVersion`;
    findings.warning({ ...place, subject, message, remedy: 'Write it as objectVersionLabel.' });
  }
  return { version, label };
}
