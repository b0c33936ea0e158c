/**
 * One entry of `objects`: what to read and which files to make of it.
 *
 * The checks are the AWS provider's and ours; all of them are made, so that one run names everything that is wrong with an
 * object. What concerns several objects at once is checked in secret-provider-class-paths.ts.
 */

import { arnInRegion, isArn } from './arn.ts';
import type { Findings } from './findings.ts';
import type { PlannedObject } from './plan.ts';
import { type Read, readOf, type Service } from './read.ts';
import { readFailover } from './secret-provider-class-failover.ts';
import { type ObjectContext, type ObjectFields, objectKeys, type Pin } from './secret-provider-class-keys.ts';
import { checkName, checkType } from './secret-provider-class-name.ts';
import { type Claim, readOutputs } from './secret-provider-class-outputs.ts';
import { quoted } from './text.ts';
import type { YamlValue } from './yaml.ts';
import { Fields, kindText } from './yaml-fields.ts';

export interface ReadObject {
  /** Undefined when a problem was found. */
  readonly planned: PlannedObject | undefined;
  /** The paths it lays claim to, as far as they could be read. */
  readonly claims: readonly Claim[];
}

/** Reads and checks `objects[index]`. */
export function readObject(value: YamlValue, index: number, context: ObjectContext): ReadObject {
  const { findings } = context;
  const subject = `objects[${index}]`;
  if (value.kind !== 'map') {
    const message = `expected an object with objectName, got ${kindText(value)}`;
    const remedy = 'Remove the entry, or write objectName under it.';
    findings.refuse({ code: 'config.object', subject, line: value.line, message, remedy });
    return { planned: undefined, claims: [] };
  }
  const before = findings.count;
  const fields: ObjectFields = new Fields(
    [value],
    objectKeys,
    { match: 'anyCase', code: 'config.object' },
    subject,
    findings,
  );
  const name = fields.text('objectName');
  const type = fields.text('objectType');
  checkType(type, `${subject}.objectType`, findings);
  if (name === undefined) {
    const message = 'expected the name or ARN of a secret or parameter, got none';
    const remedy = 'Write objectName.';
    findings.refuse({
      code: 'config.object',
      subject: `${subject}.objectName`,
      line: value.line,
      message,
      remedy,
    });
  }
  const place = {
    subject: `${subject}.objectName`,
    region: context.region,
    regionName: 'region',
    type,
  } as const;
  const service = name && checkName(name, place, findings);
  const pin = { version: fields.text('objectVersion')?.text, label: fields.text('objectVersionLabel')?.text };
  checkPin(fields, service, pin, findings);
  const expand = readFlag(fields, 'expand', findings);
  const { outputs, claims } = readOutputs(fields, { name: name?.text, expand }, context);
  const failover = readFailover(fields, { service, type, pin }, context);
  const optional = readFlag(fields, 'optional', findings);
  const decode = readDecode(fields, findings);
  if (name === undefined || service === undefined || context.region === undefined)
    return { planned: undefined, claims };
  if (findings.count > before) return { planned: undefined, claims };

  const primary = readFor(service, context.region, name.text, pin.version, pin.label);
  const planned: PlannedObject = {
    subject,
    line: value.line,
    name: name.text,
    service,
    primary,
    failover:
      context.failoverRegion === undefined
        ? undefined
        : readFor(
            service,
            context.failoverRegion,
            failover.name ?? failoverName(name.text, name.line, subject, context),
            failover.version ?? pin.version,
            failover.label ?? pin.label,
          ),
    optional,
    decode,
    outputs,
  };
  return { planned, claims };
}

/** Parameter Store takes one selector only: the version, or else the label. */
function readFor(
  service: Service,
  region: string,
  id: string,
  version: string | undefined,
  label: string | undefined,
): Read {
  const stage = service === 'ssmparameter' && version !== undefined ? undefined : label;
  return readOf({
    service,
    region,
    id,
    ...(version === undefined ? {} : { version }),
    ...(stage === undefined ? {} : { stage }),
  });
}

/** An ARN of the primary region means nothing to the other one: the AWS provider sends it all the same, in vain. */
function failoverName(name: string, line: number, subject: string, context: ObjectContext): string {
  if (!isArn(name) || context.failoverRegion === undefined) return name;
  const rewritten = arnInRegion(name, context.failoverRegion);
  context.findings.warn({
    code: 'config.failover',
    subject: `${subject}.objectName`,
    line,
    message: `expected failoverObject beside an ARN, got none; ${quoted(rewritten)} is asked for in failoverRegion`,
    remedy: 'Write failoverObject with the ARN of its replica, or a name instead of the ARN.',
  });
  return rewritten;
}

function checkPin(fields: ObjectFields, service: Service | undefined, pin: Pin, findings: Findings): void {
  if (service !== 'ssmparameter' || pin.version === undefined) return;
  const place = { code: 'config.object', line: fields.lineOf('objectVersion') } as const;
  if (pin.label !== undefined) {
    const message = 'expected objectVersion or objectVersionLabel for a parameter, got both';
    findings.refuse({ ...place, subject: fields.subject, message, remedy: 'Remove one of the two.' });
  } else if (!/^\d+$/.test(pin.version)) {
    const message = `expected a version number, got ${quoted(pin.version)}; Parameter Store takes it for a label`;
    const subject = `${fields.subject}.objectVersion`;
    findings.warn({ ...place, subject, message, remedy: 'Write it as objectVersionLabel.' });
  }
}

/** Ours: true or false, with or without quotes. */
function readFlag(fields: ObjectFields, name: 'optional' | 'expand', findings: Findings): boolean {
  const flag = fields.scalar(name);
  if (flag === undefined || flag.text === 'false') return false;
  if (flag.text === 'true') return true;
  findings.refuse({
    code: 'config.object',
    subject: `${fields.subject}.${name}`,
    line: flag.line,
    message: `expected true or false, got ${quoted(flag.text)}`,
    remedy: `Write ${name}: true, or remove it.`,
  });
  return false;
}

function readDecode(fields: ObjectFields, findings: Findings): 'base64' | undefined {
  const decode = fields.text('decode');
  if (decode === undefined || decode.text === 'base64') return decode && 'base64';
  findings.refuse({
    code: 'config.object',
    subject: `${fields.subject}.decode`,
    line: decode.line,
    message: `expected "base64", got ${quoted(decode.text)}`,
    remedy: 'Write decode: base64, or remove it.',
  });
  return undefined;
}
