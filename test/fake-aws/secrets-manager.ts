/**
 * Secrets Manager: the operations, over the secrets of the region that the signature names.
 *
 * Errors have AWS's codes and messages, all with HTTP 400. A permission is checked on the ARN if the secret exists, and
 * on the requested id if it does not, as AWS's messages show.
 */

import { AwsError, asAwsError } from './aws-error.ts';
import { accessDenied } from './identities.ts';
import { flag, optionalNumber, optionalText, optionalTexts, text, within } from './input.ts';
import { errorResponse, jsonResponse } from './json-protocol.ts';
import { type SecretValue, type SecretVersion, type StoredSecret, versionAt } from './secrets.ts';
import type { Context, JsonObject, Operation, Service } from './service.ts';

/** Most ids in one BatchGetSecretValue. */
const BATCH = 20;
const DAY = 24 * 60 * 60_000;

const oneId = (input: JsonObject) => [String(input.SecretId ?? input.Name ?? '')];

const operations: Readonly<Record<string, Operation>> = {
  GetSecretValue: { ids: oneId, run: getSecretValue },
  BatchGetSecretValue: {
    ids: (input) => (Array.isArray(input.SecretIdList) ? input.SecretIdList.map(String) : []),
    run: batchGetSecretValue,
  },
  DescribeSecret: { ids: oneId, run: describeSecret },
  CreateSecret: { ids: oneId, run: createSecret },
  PutSecretValue: { ids: oneId, run: putSecretValue },
  DeleteSecret: { ids: oneId, run: deleteSecret },
  RestoreSecret: { ids: oneId, run: restoreSecret },
};

export const secretsManager: Service = {
  name: 'secretsmanager',
  operations,
  protocol: 'json',
  throttlingCode: 'ThrottlingException',
  encode: (_, result) => jsonResponse(result),
  // Secrets Manager writes its messages with a capital M.
  encodeError: (error) => errorResponse(error, 'Message'),
};

function getSecretValue(input: JsonObject, context: Context): JsonObject {
  return secretValue(
    text(input, 'SecretId'),
    optionalText(input, 'VersionId'),
    optionalText(input, 'VersionStage'),
    context,
  );
}

/** The caller needs the permission for the batch, and for each secret in it that of GetSecretValue. */
function batchGetSecretValue(input: JsonObject, context: Context): JsonObject {
  const action = 'secretsmanager:BatchGetSecretValue';
  if (context.account.identities.isDenied(context.caller, action, ['*'])) {
    throw accessDenied(context.caller, action);
  }
  const list = optionalTexts(input, 'SecretIdList');
  const names = namesOf(input.Filters, context);
  if ((list === undefined) === (names === undefined)) {
    throw new AwsError(
      'InvalidParameterException',
      'You must include either the SecretIdList or the Filters parameter.',
    );
  }
  if (list !== undefined) return valuesOf(within(list, 'SecretIdList', BATCH), context);
  const from = Number(optionalText(input, 'NextToken') ?? 0);
  const size = optionalNumber(input, 'MaxResults') ?? BATCH;
  const page = (names ?? []).slice(from, from + size);
  const next = from + size < (names?.length ?? 0) ? { NextToken: String(from + size) } : {};
  return { ...valuesOf(page, context), ...next };
}

function valuesOf(ids: readonly string[], context: Context): JsonObject {
  const values: JsonObject[] = [];
  const errors: JsonObject[] = [];
  for (const id of ids.filter((id) => !context.withheld.includes(id))) {
    try {
      values.push(secretValue(id, undefined, undefined, context));
    } catch (thrown) {
      const { code, message } = asAwsError(thrown);
      errors.push({ SecretId: id, ErrorCode: code, Message: message });
    }
  }
  return { SecretValues: values, Errors: errors };
}

/** The names that match the filters; only the key `name`, a prefix, is supported. Undefined without filters. */
function namesOf(filters: unknown, { account, region }: Context): readonly string[] | undefined {
  if (!Array.isArray(filters)) return undefined;
  const wanted = filters.map(({ Key, Values }: { Key?: unknown; Values?: unknown }) => {
    if (Key !== 'name' || !Array.isArray(Values)) {
      throw new AwsError('InvalidParameterException', 'The fake AWS filters by name only.');
    }
    return Values.map(String);
  });
  const alive = account.secrets(region).all().filter(isAlive);
  return alive
    .map((secret) => secret.name)
    .filter((name) => wanted.every((prefixes) => prefixes.some((prefix) => name.startsWith(prefix))));
}

function secretValue(
  id: string,
  versionId: string | undefined,
  stage: string | undefined,
  context: Context,
): JsonObject {
  const secret = permitted('secretsmanager:GetSecretValue', id, context);
  checkAlive(secret);
  const version = wantedVersion(secret, versionId, stage);
  checkKey(secret, context);
  return {
    ARN: secret.arn,
    CreatedDate: seconds(version.createdAt),
    Name: secret.name,
    ...('string' in version.value
      ? { SecretString: version.value.string }
      : { SecretBinary: version.value.binary }),
    VersionId: version.id,
    VersionStages: [...version.stages],
  };
}

function wantedVersion(
  secret: StoredSecret,
  versionId: string | undefined,
  stage: string | undefined,
): SecretVersion {
  if (versionId === undefined) {
    const label = stage ?? 'AWSCURRENT';
    return versionAt(secret, label) ?? noValue(`staging label: ${label}`);
  }
  const version = secret.versions.get(versionId) ?? noValue(`VersionId: ${versionId}`);
  if (stage !== undefined && !version.stages.has(stage)) {
    throw new AwsError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  }
  return version;
}

function noValue(which: string): never {
  throw new AwsError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${which}`,
  );
}

/** Also describes a secret that is marked for deletion, with its DeletedDate. */
function describeSecret(input: JsonObject, context: Context): JsonObject {
  const secret = permitted('secretsmanager:DescribeSecret', text(input, 'SecretId'), context);
  const staged = [...secret.versions.values()].filter((version) => version.stages.size > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: secret.nextRotation === undefined ? undefined : true,
    NextRotationDate: seconds(secret.nextRotation),
    CreatedDate: seconds(secret.createdAt),
    LastChangedDate: seconds(secret.changedAt),
    DeletedDate: seconds(secret.deletedAt),
    VersionIdsToStages: Object.fromEntries(staged.map((version) => [version.id, [...version.stages]])),
  };
}

function createSecret(input: JsonObject, context: Context): JsonObject {
  const name = text(input, 'Name');
  const secrets = context.account.secrets(context.region);
  checkName(name);
  permit('secretsmanager:CreateSecret', name, context);
  const there = secrets.find(name);
  if (there !== undefined) {
    throw isAlive(there)
      ? new AwsError(
          'ResourceExistsException',
          `The operation failed because the secret ${name} already exists.`,
        )
      : new AwsError(
          'InvalidRequestException',
          `You can't create this secret because a secret with this name is already scheduled for deletion.`,
        );
  }
  const value = givenValue(input);
  const secret = secrets.create(name);
  secret.description = optionalText(input, 'Description');
  secret.kmsKeyId = optionalText(input, 'KmsKeyId');
  if (value === undefined) return { ARN: secret.arn, Name: name };
  const version = secrets.addVersion(secret, { value, id: optionalText(input, 'ClientRequestToken') });
  return { ARN: secret.arn, Name: name, VersionId: version.id };
}

function putSecretValue(input: JsonObject, context: Context): JsonObject {
  const secret = permitted('secretsmanager:PutSecretValue', text(input, 'SecretId'), context);
  checkAlive(secret);
  const value = givenValue(input);
  if (value === undefined) {
    throw new AwsError('InvalidRequestException', `You must provide either SecretString or SecretBinary.`);
  }
  const version = context.account.secrets(context.region).addVersion(secret, {
    value,
    id: optionalText(input, 'ClientRequestToken'),
    stages: optionalTexts(input, 'VersionStages'),
  });
  return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: [...version.stages] };
}

function deleteSecret(input: JsonObject, context: Context): JsonObject {
  const { account, region } = context;
  const secret = permitted('secretsmanager:DeleteSecret', text(input, 'SecretId'), context);
  const days = optionalNumber(input, 'RecoveryWindowInDays') ?? 30;
  if (flag(input, 'ForceDeleteWithoutRecovery')) {
    account.secrets(region).remove(secret);
    return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(account.now()) };
  }
  if (days < 7 || days > 30) {
    throw new AwsError(
      'InvalidParameterException',
      'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
    );
  }
  checkAlive(secret);
  secret.deletedAt = account.now() + days * DAY;
  return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(secret.deletedAt) };
}

function restoreSecret(input: JsonObject, context: Context): JsonObject {
  const secret = permitted('secretsmanager:RestoreSecret', text(input, 'SecretId'), context);
  secret.deletedAt = undefined;
  return { ARN: secret.arn, Name: secret.name };
}

/** The secret, once the caller may do this to it and it exists. */
function permitted(action: string, id: string, context: Context): StoredSecret {
  if (!id.startsWith('arn:')) checkName(id);
  const secret = context.account.secrets(context.region).find(id);
  permit(action, id, context, secret);
  if (secret !== undefined) return secret;
  throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret.`);
}

function permit(action: string, id: string, { caller, account }: Context, secret?: StoredSecret): void {
  if (!account.identities.isDenied(caller, action, namesFor(id, secret))) return;
  throw accessDenied(caller, action, secret?.arn ?? id);
}

/** Secrets Manager decrypts with the caller's own permissions. */
function checkKey(secret: StoredSecret, { account, caller }: Context): void {
  if (!account.identities.isDenied(caller, 'kms:Decrypt', namesFor(secret.name, secret))) return;
  throw new AwsError('AccessDeniedException', 'Access to KMS is not allowed');
}

/** Everything by which a rule may name the secret. */
function namesFor(id: string, secret: StoredSecret | undefined): readonly string[] {
  return [id, secret?.name, secret?.arn, secret?.kmsKeyId].filter((name) => name !== undefined);
}

function isAlive(secret: StoredSecret): boolean {
  return secret.deletedAt === undefined;
}

function checkAlive(secret: StoredSecret): void {
  if (isAlive(secret)) return;
  throw new AwsError(
    'InvalidRequestException',
    `You can't perform this operation on the secret because it was marked for deletion.`,
  );
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(name)) return;
  throw new AwsError(
    'ValidationException',
    'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
  );
}

function givenValue(input: JsonObject): SecretValue | undefined {
  const string = optionalText(input, 'SecretString');
  const binary = optionalText(input, 'SecretBinary');
  if (string !== undefined && binary !== undefined) {
    throw new AwsError(
      'InvalidParameterException',
      `You can't specify both a binary secret value and a string secret value in the same secret.`,
    );
  }
  if (string !== undefined) return { string };
  return binary === undefined ? undefined : { binary };
}

/** AWS writes times as seconds since 1970, with a fraction. */
function seconds(ms: number): number;
function seconds(ms: number | undefined): number | undefined;
function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
