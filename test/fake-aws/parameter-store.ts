/**
 * Parameter Store: the operations of AmazonSSM, over the parameters of the region that the signature names.
 *
 * GetParameters returns the values in the order of the names, not in that of the request, so that a client that relies on the order
 * fails its test. A permission that is missing for one name fails the whole call, as in AWS.
 */

import { createHash } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { accessDenied } from './identities.ts';
import { flag, optionalNumber, optionalText, text, texts } from './input.ts';
import { errorResponse, jsonResponse } from './json-protocol.ts';
import {
  type FoundParameter,
  type ParameterLookup,
  type ParameterType,
  type StoredParameter,
  splitSelector,
} from './parameters.ts';
import { partition } from './secrets.ts';
import type { Context, JsonObject, Operation, Service } from './service.ts';

/** Most names in one GetParameters, and most parameters on one page. */
const BATCH = 10;

const oneName = (input: JsonObject) => [String(input.Name ?? input.Path ?? '')];

const operations: Readonly<Record<string, Operation>> = {
  GetParameters: {
    ids: (input) => (Array.isArray(input.Names) ? input.Names.map(String) : []),
    run: getParameters,
  },
  GetParameter: { ids: oneName, run: getParameter },
  GetParametersByPath: { ids: oneName, run: getParametersByPath },
  PutParameter: { ids: oneName, run: putParameter },
  LabelParameterVersion: { ids: oneName, run: labelParameterVersion },
  DeleteParameter: { ids: oneName, run: deleteParameter },
};

export const parameterStore: Service = {
  name: 'ssm',
  operations,
  protocol: 'json',
  throttlingCode: 'ThrottlingException',
  encode: (_, result) => jsonResponse(result),
  encodeError: (error) => errorResponse(error, 'message'),
};

function getParameters(input: JsonObject, context: Context): JsonObject {
  const names = texts(input, 'Names', BATCH);
  if (new Set(names).size < names.length) {
    throw new AwsError('ValidationException', 'Duplicate parameter names are not allowed.');
  }
  for (const name of names) checkName(name);
  for (const name of names) permit('ssm:GetParameters', name, context);
  const found: FoundParameter[] = [];
  const invalid: string[] = [];
  for (const name of names.filter((name) => !context.withheld.includes(name))) {
    const lookup = lookUp(name, context);
    if (typeof lookup === 'string') invalid.push(name);
    else found.push(lookup);
  }
  found.sort((a, b) => (a.parameter.name < b.parameter.name ? -1 : 1));
  return {
    InvalidParameters: invalid,
    Parameters: found.map((one) => shown(one, flag(input, 'WithDecryption'), context)),
  };
}

function getParameter(input: JsonObject, context: Context): JsonObject {
  const name = text(input, 'Name');
  checkName(name);
  permit('ssm:GetParameter', name, context);
  return { Parameter: shown(existing(name, context), flag(input, 'WithDecryption'), context) };
}

function getParametersByPath(input: JsonObject, context: Context): JsonObject {
  const path = text(input, 'Path');
  if (!path.startsWith('/')) {
    throw new AwsError(
      'ValidationException',
      'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/".',
    );
  }
  permit('ssm:GetParametersByPath', path, context);
  const size = optionalNumber(input, 'MaxResults') ?? BATCH;
  if (size < 1 || size > BATCH) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${size}' at 'maxResults' failed to satisfy constraint: Member must have value ${size < 1 ? 'greater than or equal to 1' : `less than or equal to ${BATCH}`}`,
    );
  }
  const below = under(path, flag(input, 'Recursive'), context);
  const from = Number(optionalText(input, 'NextToken') ?? 0);
  const page = below.slice(from, from + size).flatMap((parameter) => newest(parameter));
  return {
    Parameters: page.map((one) => shown(one, flag(input, 'WithDecryption'), context)),
    ...(from + size < below.length ? { NextToken: String(from + size) } : {}),
  };
}

/** What is directly below the path, or, recursively, anywhere below it. */
function under(path: string, recursive: boolean, { account, region }: Context): readonly StoredParameter[] {
  const start = path.endsWith('/') ? path : `${path}/`;
  const all = account.parameters(region).all();
  return all.filter(
    ({ name }) => name.startsWith(start) && (recursive || !name.slice(start.length).includes('/')),
  );
}

function newest(parameter: StoredParameter): readonly FoundParameter[] {
  const version = parameter.versions.at(-1);
  return version === undefined ? [] : [{ parameter, version, selector: undefined }];
}

function putParameter(input: JsonObject, context: Context): JsonObject {
  const name = text(input, 'Name');
  checkNewName(name);
  permit('ssm:PutParameter', name, context);
  const there = lookUp(name, context);
  const given = optionalText(input, 'Type') as ParameterType | undefined;
  if (typeof there !== 'string' && !flag(input, 'Overwrite')) {
    throw new AwsError(
      'ParameterAlreadyExists',
      'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
    );
  }
  const type = given ?? (typeof there === 'string' ? undefined : there.version.type);
  if (type === undefined) {
    throw new AwsError('ValidationException', 'A parameter type is required when you create a parameter.');
  }
  const version = context.account.parameters(context.region).put(name, text(input, 'Value'), type);
  return { Tier: 'Standard', Version: version.number };
}

function labelParameterVersion(input: JsonObject, context: Context): JsonObject {
  const name = text(input, 'Name');
  const number = optionalNumber(input, 'ParameterVersion');
  permit('ssm:LabelParameterVersion', name, context);
  const { parameter, version } = existing(number === undefined ? name : `${name}:${number}`, context);
  const labels = texts(input, 'Labels', BATCH);
  const invalid = labels.filter((label) => !/^(?!\d|aws|ssm)[\w.-]{1,100}$/i.test(label));
  if (invalid.length === 0) {
    for (const label of labels) context.account.parameters(context.region).label(parameter, version, label);
  }
  return { InvalidLabels: invalid, ParameterVersion: version.number };
}

function deleteParameter(input: JsonObject, context: Context): JsonObject {
  const name = text(input, 'Name');
  permit('ssm:DeleteParameter', name, context);
  context.account.parameters(context.region).remove(existing(name, context).parameter);
  return {};
}

function lookUp(name: string, { account, region }: Context): ParameterLookup {
  return account.parameters(region).find(name);
}

function existing(name: string, context: Context): FoundParameter {
  const lookup = lookUp(name, context);
  if (typeof lookup !== 'string') return lookup;
  // AWS sends the code of a missing parameter without a sentence.
  if (lookup === 'noParameter') throw new AwsError('ParameterNotFound', '');
  const { base, selector = '' } = splitSelector(name);
  const kind = /^:\d+$/.test(selector) ? 'version' : 'label';
  throw new AwsError(
    'ParameterVersionNotFound',
    `Systems Manager could not find ${kind} ${selector.slice(1)} of ${base}. Verify the ${kind} and try again.`,
  );
}

function shown(
  { parameter, version, selector }: FoundParameter,
  decrypt: boolean,
  context: Context,
): JsonObject {
  const secure = version.type === 'SecureString';
  if (secure && decrypt) checkKey(parameter, context);
  return {
    ARN: parameter.arn,
    DataType: 'text',
    LastModifiedDate: version.createdAt / 1000,
    Name: parameter.name,
    ...(selector === undefined ? {} : { Selector: selector }),
    Type: version.type,
    Value: secure && !decrypt ? ciphertext(version.value) : version.value,
    Version: version.number,
  };
}

/** Text that looks encrypted. */
function ciphertext(value: string): string {
  return `AQICAH${createHash('sha512').update(value).digest('base64')}`;
}

function permit(action: string, id: string, { account, region, caller }: Context): void {
  const { base } = splitSelector(id);
  const arn = account.parameters(region).arn(base);
  if (!account.identities.isDenied(caller, action, [base, arn])) return;
  throw accessDenied(caller, action, arn);
}

/** A SecureString is decrypted with the caller's own permissions. */
function checkKey({ name, arn }: StoredParameter, { account, region, caller }: Context): void {
  if (!account.identities.isDenied(caller, 'kms:Decrypt', [name, arn])) return;
  const key = `arn:${partition(region)}:kms:${region}:${account.id}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
  const { message } = accessDenied(caller, 'kms:Decrypt', key);
  throw new AwsError(
    'AccessDeniedException',
    `${message} (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)`,
  );
}

function checkName(name: string): void {
  if (/^(arn:[\w-]+:ssm:[\w-]+:\d+:parameter)?[\w./-]+(:[\w.-]+)?$/.test(name)) return;
  throw badName();
}

/** Names that begin with aws or ssm belong to AWS: they can be read, not written. */
function checkNewName(name: string): void {
  checkName(name);
  if (/^\/?(aws|ssm)/i.test(name)) throw badName();
}

function badName(): AwsError {
  return new AwsError(
    'ValidationException',
    `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`,
  );
}
