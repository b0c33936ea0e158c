/**
 * objectName and objectType: determines the service, and checks that name, type and region are consistent.
 *
 * The checks run in the order of the AWS provider, and stop where a mistake makes the next one meaningless.
 */

import { type Arn, isArn, parseArn } from '../core/arn.ts';
import { type Service, services } from '../core/service.ts';
import { didYouMean, quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { TextField } from './fields.ts';
import { placeholderRemedy } from './template.ts';

/** The place of a name, and the region and type that it must match. */
export interface NameContext {
  readonly subject: string;
  /** Undefined if unknown: an error that is reported elsewhere, or set only in the pod. */
  readonly region: string | undefined;
  readonly regionKey: 'region' | 'failoverRegion';
  readonly type: TextField | undefined;
}

type ReportError = (message: string, remedy: string) => void;

/** The service of the name; undefined, and reported, if it cannot be determined. */
export function checkName(
  name: TextField,
  { subject, region, regionKey, type }: NameContext,
  diagnostics: Diagnostics,
): Service | undefined {
  const error: ReportError = (message, remedy) =>
    diagnostics.error('config.object', subject, { line: name.line, message, remedy });
  const arn = parseArn(name.text);
  if (isArn(name.text) && arn === undefined) {
    error(
      `expected an ARN of six sections, got ${quote(name.text)}`,
      'Copy the whole ARN, or write the name instead.',
    );
    return serviceOfType(type);
  }
  if (arn !== undefined && isPlaceholder(arn)) {
    const message = `expected an ARN with a partition, a region and an account, got the placeholder ${quote(name.text)}`;
    error(message, 'Copy the ARN of your own secret or parameter, or write its name instead.');
    return serviceOfType(type) ?? serviceOfArn(arn);
  }
  if (arn !== undefined && region !== undefined && arn.region !== region) {
    const message = `expected an ARN in ${regionKey} ${quote(region)}, got ${quote(name.text)}`;
    error(message, `Write the ARN of that region, or change ${regionKey}.`);
  }
  if (type === undefined && arn === undefined) {
    const message = 'expected objectType for a name that is not an ARN, got none';
    error(message, 'Write objectType: "secretsmanager" or "ssmparameter".');
    return undefined;
  }
  const service = type === undefined ? serviceOfArn(arn) : serviceOfType(type);
  if (type === undefined && service === undefined) {
    const message = `expected an ARN of secretsmanager or ssm, got ${quote(name.text)}`;
    error(message, 'Name a secret of Secrets Manager or a parameter of Parameter Store.');
  }
  if (service !== undefined && arn !== undefined && serviceOfArn(arn) !== service) {
    const message = `expected an ARN of objectType ${quote(service)}, got ${quote(name.text)}`;
    error(message, 'Correct objectType, or leave it out: an ARN needs none.');
  } else if (service !== undefined && !checkCharacters(name, arn, service, error)) {
    return service;
  } else if (service === 'ssmparameter') {
    checkSelector(name, arn, error);
  }
  return service;
}

/** `objectType` is case-sensitive, and `ssm` is only a section of ARNs. */
export function checkType(type: TextField | undefined, subject: string, diagnostics: Diagnostics): void {
  if (type === undefined || serviceOfType(type) !== undefined) return;
  const meant = type.text === 'ssm' ? 'ssmparameter' : didYouMean(type.text, services);
  diagnostics.error('config.object', subject, {
    line: type.line,
    message: `expected "secretsmanager" or "ssmparameter", got ${quote(type.text)}`,
    remedy: meant === undefined ? 'Write one of the two.' : `Write objectType: "${meant}".`,
  });
}

function serviceOfType(type: TextField | undefined): Service | undefined {
  return services.find((service) => service === type?.text);
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
 * An account consists of digits, or is missing in the ARN of a public parameter; examples contain `ACCOUNT`, `<account-id>` and
 * `${AWS::Partition}`. A wildcard in any section would be a wildcard in an IAM policy too.
 */
function isPlaceholder({ partition, account, region }: Arn): boolean {
  const word = /^[A-Za-z0-9-]*$/;
  return (
    !word.test(partition) ||
    !/^\d*$/.test(account) ||
    !word.test(region) ||
    /^(your-?|my-?)?region$/i.test(region)
  );
}

/**
 * Characters that a name may have. Secrets Manager: letters, digits and `/_+=.@-`, and `!` in secrets that AWS manages
 * (`rds!db-…`). Parameter Store: letters, digits and `._-/`, a selector after `:`; its names below
 * /aws/reference/secretsmanager/ are names of secrets. AWS would reject others, and `*` and `?` would be wildcards in an IAM
 * policy.
 */
const FORBIDDEN: Readonly<Record<Service, RegExp>> = {
  secretsmanager: /[^A-Za-z0-9/_+=.@!-]/u,
  ssmparameter: /[^A-Za-z0-9/_.:-]/u,
};
const SECRET_REFERENCE = /^\/?(parameter\/)?aws\/reference\/secretsmanager\//;

/** Whether the service allows the characters of the name; reported if not. */
function checkCharacters(
  name: TextField,
  arn: Arn | undefined,
  service: Service,
  error: ReportError,
): boolean {
  // The resource of a secret's ARN begins with `secret:`.
  const text = arn === undefined ? name.text : arn.resource.replace(/^secret:/, '');
  const rule = SECRET_REFERENCE.test(text) ? /[^A-Za-z0-9/_+=.@!:-]/u : FORBIDDEN[service];
  const [forbidden] = rule.exec(text) ?? [];
  if (forbidden === undefined) return true;
  const label = service === 'secretsmanager' ? 'Secrets Manager' : 'Parameter Store';
  const message = `expected a name that ${label} allows, got ${quote(name.text)} with ${quote(forbidden)}`;
  error(message, remedyForSections(name.text) ?? remedyForCharacters(name.text));
  return false;
}

/** ECS writes a key, a stage and a version id behind the ARN of a secret. */
function remedyForSections(name: string): string | undefined {
  const [, arn, key, stage, version] =
    /^(arn:[^:]*:secretsmanager:[^:]*:\d*:secret:[^:]+):([^:]*)(?::([^:]*)(?::([^:]*))?)?$/.exec(name) ?? [];
  if (arn === undefined) return undefined;
  const keys = [
    `objectName: ${quote(arn)}`,
    ...(key ? [`jmesPath with path: ${quote(key)}`] : []),
    ...(stage ? [`objectVersionLabel: ${quote(stage)}`] : []),
    ...(version ? [`objectVersion: ${quote(version)}`] : []),
  ];
  return `Write ${keys.join(', ')}: a key, a stage and a version id behind the ARN are the form of ECS.`;
}

function remedyForCharacters(name: string): string {
  const placeholder = placeholderRemedy(name);
  if (placeholder !== undefined) return placeholder;
  if (/[*?]/.test(name)) return 'Name each secret or parameter: wildcards are not supported.';
  return 'Correct the name: names are letters, digits and / _ . - (in Secrets Manager also + = @).';
}

/**
 * Parameter Store reads `/a/b:3` as version 3, but returns it as `/a/b`, on which the AWS provider crashes. It is an error here,
 * because a version has its own key.
 */
function checkSelector(name: TextField, arn: Arn | undefined, error: ReportError): void {
  const resource = arn?.resource ?? name.text;
  const colon = resource.indexOf(':');
  if (colon === -1) return;
  const selector = resource.slice(colon + 1);
  if (selector.includes('/')) {
    const path = selector.startsWith('/') ? selector : `/${selector}`;
    const message = `expected the name or ARN of a parameter, got ${quote(name.text)} with ":" before ${quote(path)}`;
    const written = name.text.slice(0, name.text.length - selector.length - 1) + path;
    error(message, `Write objectName: ${quote(arn === undefined ? path : written)}.`);
    return;
  }
  const bare = name.text.slice(0, name.text.length - selector.length - 1);
  const key = /^\d+$/.test(selector) ? 'objectVersion' : 'objectVersionLabel';
  error(
    `expected the name of a parameter without a version, got ${quote(name.text)}`,
    `Write objectName: ${quote(bare)} and ${key}: ${quote(selector)}.`,
  );
}
