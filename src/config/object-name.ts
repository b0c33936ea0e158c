/**
 * Which value an object means: its name, its type, and whether they agree with each other and with the region.
 *
 * The checks stand in the AWS provider's order; each is made only when those before it leave something to check.
 */

import { type Arn, isArn, parseArn } from '../core/arn.ts';
import { didYouMean, quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { TextField } from './fields.ts';
import type { Service } from './secret-ref.ts';

/** Where the name stands, and what it must agree with. */
export interface NamePlace {
  readonly subject: string;
  /** Undefined when it could not be found out; that is reported elsewhere. */
  readonly region: string | undefined;
  readonly regionName: 'region' | 'failoverRegion';
  readonly type: TextField | undefined;
}

/** The service that the name belongs to; undefined when nobody can tell, which is then among the problems. */
export function checkName(name: TextField, place: NamePlace, findings: Diagnostics): Service | undefined {
  const refuse = (message: string, remedy: string) =>
    findings.error({ code: 'config.object', subject: place.subject, line: name.line, message, remedy });
  const arn = parseArn(name.text);
  if (isArn(name.text) && arn === undefined) {
    const remedy = 'Copy the whole ARN, or write the name instead.';
    refuse(`expected an ARN of six sections, got ${quote(name.text)}`, remedy);
    return serviceOfType(place.type);
  }
  if (arn !== undefined && place.region !== undefined && arn.region !== place.region) {
    const message = `expected an ARN in ${place.regionName} ${quote(place.region)}, got ${quote(name.text)}`;
    refuse(message, `Write the ARN of that region, or change ${place.regionName}.`);
  }
  if (place.type === undefined && arn === undefined) {
    const message = 'expected objectType beside a name that is not an ARN, got none';
    refuse(message, 'Write objectType: "secretsmanager" or "ssmparameter".');
    return undefined;
  }
  const service = place.type === undefined ? serviceOfArn(arn) : serviceOfType(place.type);
  if (place.type === undefined && service === undefined) {
    const message = `expected an ARN of secretsmanager or ssm, got ${quote(name.text)}`;
    refuse(message, 'Name a secret of Secrets Manager or a parameter of Parameter Store.');
  }
  if (service !== undefined && arn !== undefined && serviceOfArn(arn) !== service) {
    const message = `expected an ARN of objectType ${quote(service)}, got ${quote(name.text)}`;
    refuse(message, 'Correct objectType, or leave it out: an ARN needs none.');
  } else if (service === 'ssmparameter') {
    checkSelector(name, arn, refuse);
  }
  return service;
}

/** `objectType` means what it says or nothing: `ssm` is only a section of ARNs. */
export function checkType(type: TextField | undefined, subject: string, findings: Diagnostics): void {
  if (type === undefined || serviceOfType(type) !== undefined) return;
  const meant =
    type.text === 'ssm' ? 'ssmparameter' : didYouMean(type.text, ['secretsmanager', 'ssmparameter']);
  findings.error({
    code: 'config.object',
    subject,
    line: type.line,
    message: `expected "secretsmanager" or "ssmparameter", got ${quote(type.text)}`,
    remedy: meant === undefined ? 'Write one of the two.' : `Write objectType: "${meant}".`,
  });
}

function serviceOfType(type: TextField | undefined): Service | undefined {
  return type?.text === 'secretsmanager' || type?.text === 'ssmparameter' ? type.text : undefined;
}

function serviceOfArn(arn: Arn | undefined): Service | undefined {
  switch (arn?.service) {
    case 'secretsmanager':
      return 'secretsmanager';
    case 'ssm':
    case 'ssmparameter':
      return 'ssmparameter';
    default:
      return undefined;
  }
}

/**
 * `/a/b:3` asks Parameter Store for version 3, but its answer is named `/a/b`: the AWS provider crashes on it. It is
 * refused, because the version has a key of its own.
 */
function checkSelector(
  name: TextField,
  arn: Arn | undefined,
  refuse: (message: string, remedy: string) => void,
): void {
  const selector = (arn?.resource ?? name.text).split(':').slice(1).join(':');
  if (selector === '' && !(arn?.resource ?? name.text).includes(':')) return;
  const bare = name.text.slice(0, name.text.length - selector.length - 1);
  const key = /^\d+$/.test(selector) ? 'objectVersion' : 'objectVersionLabel';
  refuse(
    `expected the name of a parameter without a version, got ${quote(name.text)}`,
    `Write objectName: ${quote(bare)} and ${key}: ${quote(selector)}.`,
  );
}
