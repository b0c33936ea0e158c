/**
 * One entry of `objects`: the value to fetch, and the files to create from it.
 *
 * The checks are those of the AWS provider, and a few more. All of them run, so that one check names every mistake in an object;
 * checks across objects are in path-conflicts.ts.
 */

import { arnInRegion, isArn } from '../core/arn.ts';
import type { Service } from '../core/service.ts';
import { quote } from '../core/text.ts';
import type { YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { EnvClaim } from './env.ts';
import { type FailoverObject, readFailoverObject } from './failover-object.ts';
import { Fields, kindText, type TextField } from './fields.ts';
import { objectKeys, placeOfKey } from './keys.ts';
import { checkName, checkType } from './object-name.ts';
import { type Claim, type OutputContext, readOutputs } from './outputs.ts';
import type { PlannedObject } from './plan.ts';
import { type SecretRef, secretRef, type VersionPin } from './secret-ref.ts';

type ObjectFields = Fields<(typeof objectKeys)[number]>;

/** What applies to all objects. A member is undefined if its parameter is invalid, and nothing can be checked against it. */
export interface ObjectContext extends OutputContext {
  readonly region: string | undefined;
  readonly failoverRegion: string | undefined;
  readonly diagnostics: Diagnostics;
}

/** The result of reading one entry. */
export interface ReadObject {
  /** Undefined if a problem was found. */
  readonly planned: PlannedObject | undefined;
  /** The paths that it claims, except invalid ones. */
  readonly claims: readonly Claim[];
  /** The environment variables that it names. */
  readonly envClaims: readonly EnvClaim[];
}

/** Reads and checks `objects[index]`. */
export function readObject(value: YamlValue, index: number, context: ObjectContext): ReadObject {
  const { diagnostics } = context;
  const errorsBefore = diagnostics.errorCount;
  const fields = readFields(value, `objects[${index}]`, diagnostics);
  if (fields === undefined) return { planned: undefined, claims: [], envClaims: [] };

  const name = fields.text('objectName');
  if (name === undefined)
    fields.error(
      'objectName',
      'expected the name or ARN of a secret or parameter, got none',
      'Write objectName.',
    );
  const type = fields.text('objectType');
  const service = checkService(fields, name, type, context);
  const pin = readPin(fields, service, diagnostics);
  const optional = readFlag(fields, 'optional');
  const expand = readFlag(fields, 'expand');
  const decode = readDecode(fields);
  const { outputs, claims, envClaims } = readOutputs(fields, { name: name?.text, expand }, context);
  const failover = readFailoverObject(fields, { service, type, pin }, context);
  if (
    diagnostics.errorCount > errorsBefore ||
    name === undefined ||
    service === undefined ||
    context.region === undefined
  ) {
    return { planned: undefined, claims, envClaims };
  }

  const planned: PlannedObject = {
    subject: fields.subject,
    line: fields.line,
    name: name.text,
    service,
    primary: pinnedRef(service, context.region, name.text, pin),
    failover: failoverRef(service, name, pin, failover, fields, context),
    optional,
    decode,
    outputs,
  };
  return { planned, claims, envClaims };
}

function readFields(value: YamlValue, subject: string, diagnostics: Diagnostics): ObjectFields | undefined {
  const code = 'config.object';
  if (value.kind === 'map')
    return new Fields(
      [value],
      objectKeys,
      { match: 'anyCase', code, placeOf: placeOfKey },
      subject,
      diagnostics,
    );
  const message = `expected an object with objectName, got ${kindText(value)}`;
  const remedy = 'Remove the entry, or write objectName under it.';
  diagnostics.error(code, subject, { line: value.line, message, remedy });
  return undefined;
}

function checkService(
  { subject }: ObjectFields,
  name: TextField | undefined,
  type: TextField | undefined,
  { region, diagnostics }: ObjectContext,
): Service | undefined {
  const context = { subject: `${subject}.objectName`, region, regionKey: 'region', type } as const;
  const service = name && checkName(name, context, diagnostics);
  checkType(type, `${subject}.objectType`, diagnostics);
  return service;
}

function readPin(fields: ObjectFields, service: Service | undefined, diagnostics: Diagnostics): VersionPin {
  const version = fields.text('objectVersion')?.text;
  const label = fields.text('objectVersionLabel')?.text;
  if (version === undefined) return { version, label };
  if (service === 'ssmparameter') {
    if (label !== undefined) {
      const message = 'expected objectVersion or objectVersionLabel for a parameter, got both';
      const line = fields.lineOf('objectVersion');
      diagnostics.error('config.object', fields.subject, { line, message, remedy: 'Remove one of the two.' });
    } else if (!/^\d+$/.test(version)) {
      const message = `expected a version number, got ${quote(version)}; Parameter Store reads it as a label`;
      fields.warning('objectVersion', message, 'Write it as objectVersionLabel.');
    }
  } else if (service === 'secretsmanager' && (version.length < 32 || version.length > 64)) {
    const message = `expected a version id of 32 to 64 characters, got ${quote(version)}`;
    const remedy =
      'Copy the VersionId from aws secretsmanager list-secret-version-ids; a staging label goes into objectVersionLabel.';
    fields.warning('objectVersion', message, remedy);
  }
  return { version, label };
}

function readFlag(fields: ObjectFields, name: 'optional' | 'expand'): boolean {
  const flag = fields.scalar(name);
  if (flag !== undefined && flag.text !== 'true' && flag.text !== 'false') {
    const message = `expected true or false, got ${quote(flag.text)}`;
    fields.error(name, message, `Write ${name}: true, or remove it.`);
  }
  return flag?.text === 'true';
}

function readDecode(fields: ObjectFields): 'base64' | undefined {
  const decode = fields.scalar('decode');
  if (decode === undefined) return undefined;
  if (decode.text === 'base64') return 'base64';
  const message = `expected "base64", got ${quote(decode.text)}`;
  fields.error('decode', message, 'Write decode: "base64", or remove it.');
  return undefined;
}

/** The ref in the failover region, if there is one. What failoverObject leaves out is inherited from the object. */
function failoverRef(
  service: Service,
  name: TextField,
  pin: VersionPin,
  failover: FailoverObject,
  { subject }: ObjectFields,
  { failoverRegion: region, diagnostics }: ObjectContext,
): SecretRef | undefined {
  if (region === undefined) return undefined;
  const id = failover.name ?? idInRegion(name, region, `${subject}.objectName`, diagnostics);
  const version = failover.version ?? pin.version;
  const label = failover.label ?? pin.label;
  return pinnedRef(service, region, id, { version, label });
}

/**
 * The AWS provider sends an ARN of the primary region unchanged to the failover region, where it is not valid. Here its region is
 * replaced, unless failoverObject has a name.
 */
function idInRegion(
  { text, line }: TextField,
  region: string,
  subject: string,
  diagnostics: Diagnostics,
): string {
  if (!isArn(text)) return text;
  const rewritten = arnInRegion(text, region);
  diagnostics.warning('config.failover', subject, {
    line,
    message: `expected failoverObject for an ARN, got none; ${quote(rewritten)} is fetched in failoverRegion`,
    remedy: 'Write failoverObject with the ARN of the replica, or a name instead of the ARN.',
  });
  return rewritten;
}

/** Parameter Store accepts one selector only: the version, or else the label. */
function pinnedRef(service: Service, region: string, id: string, { version, label }: VersionPin): SecretRef {
  const stage = service === 'ssmparameter' && version !== undefined ? undefined : label;
  return secretRef({ service, region, id, version, stage });
}
