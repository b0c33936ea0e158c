/**
 * Fetches values from Secrets Manager.
 *
 * A value is wrapped in a Secret on the line where it is read from the response; the SDK's outputs do not leave this file. Every
 * requested ref gets a result, unless a batch response lacks it: the caller then fetches it with a single call.
 */

import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { FetchResult, FetchResults, SecretRef } from '../config/secret-ref.ts';
import { Secret } from '../core/secret.ts';
import { entryIds, iamActions, matchSecret } from './batches.ts';
import {
  type CallResult,
  type ClientContext,
  call,
  clientSettings,
  countAttempts,
  credentialProvider,
} from './client.ts';
import type { Credentials } from './credential-cache.ts';
import { entryFailure, incompleteResponse, unusableResponse } from './error-facts.ts';
import { failedCall, failedFetch } from './fetch-problems.ts';

/** One region's Secrets Manager. */
export interface SecretsManager {
  single(ref: SecretRef, signal: AbortSignal): Promise<FetchResult>;
  /** The results of the refs that the response contains, or the failure of the whole call. */
  batch(refs: readonly SecretRef[], signal: AbortSignal): Promise<CallResult<FetchResults>>;
}

const { GetSecretValue: SINGLE, BatchGetSecretValue: BATCH } = iamActions;

/** A client for the context's region; it connects at the first call. */
export function createSecretsManager(context: ClientContext, credentials: Credentials): SecretsManager {
  const client = new SecretsManagerClient({
    ...clientSettings(context, 'SECRETS_MANAGER'),
    credentials: credentialProvider(credentials),
  });
  client.middlewareStack.use(countAttempts('secretsmanager', context));
  return {
    async single(ref, signal) {
      const command = new GetSecretValueCommand({
        SecretId: ref.id,
        VersionId: ref.version,
        VersionStage: ref.stage,
      });
      const result = await call(
        async () => {
          const output = await client.send(command, { abortSignal: signal });
          // A proxy or a cache may return another secret, or another version of it.
          const entry = entryIds(output.Name, output.ARN);
          if (entry.name === undefined && entry.arn === undefined)
            return failedFetch(ref, SINGLE, incompleteResponse(output.$metadata.requestId));
          const other =
            matchSecret(ref, [entry]) === undefined
              ? 'ERR_RESPONSE_OTHER_SECRET'
              : isOtherVersion(ref, output)
                ? 'ERR_RESPONSE_OTHER_VERSION'
                : undefined;
          return other === undefined
            ? resultOf(ref, SINGLE, output)
            : failedFetch(ref, SINGLE, unusableResponse(other, output.$metadata.requestId));
        },
        credentials,
        context,
        signal,
      );
      return result.kind === 'output' ? result.output : failedCall(ref, SINGLE, result);
    },

    async batch(refs, signal) {
      const command = new BatchGetSecretValueCommand({ SecretIdList: refs.map((ref) => ref.id) });
      return await call(
        async () => {
          const output = await client.send(command, { abortSignal: signal });
          const found = listOf(output.SecretValues).map((entry) => ({
            ...entryIds(entry.Name, entry.ARN),
            result: (ref: SecretRef) => resultOf(ref, BATCH, { ...entry, $metadata: output.$metadata }),
          }));
          const failed = listOf(output.Errors).map((entry) => ({
            ...entryIds(entry.SecretId, entry.SecretId),
            result: (ref: SecretRef): FetchResult =>
              failedFetch(
                ref,
                SINGLE,
                entryFailure(entry.ErrorCode, entry.Message, output.$metadata.requestId),
              ),
          }));
          return new Map(
            refs.flatMap((ref) => {
              const entry = matchSecret(ref, found) ?? matchSecret(ref, failed);
              return entry === undefined ? [] : [[ref.key, entry.result(ref)] as const];
            }),
          );
        },
        credentials,
        context,
        signal,
      );
    },
  };
}

type Entry = Pick<GetSecretValueCommandOutput, 'SecretString' | 'SecretBinary' | 'VersionId' | '$metadata'>;

/** SecretString takes precedence over SecretBinary. The SDK does not check types, so a value of another type counts as missing. */
function resultOf(ref: SecretRef, action: string, entry: Entry): FetchResult {
  const { SecretString: text, SecretBinary: bytes, VersionId: version } = entry;
  const value =
    typeof text === 'string' && text.isWellFormed()
      ? new Secret(text)
      : bytes instanceof Uint8Array
        ? new Secret(bytes)
        : undefined;
  if (value !== undefined && isVersion(version)) return { kind: 'found', value, version };
  const { requestId } = entry.$metadata;
  // A lone surrogate, by an escape.
  const isMalformed = value === undefined && typeof text === 'string';
  return failedFetch(
    ref,
    action,
    isMalformed ? unusableResponse('ERR_RESPONSE_NOT_UTF8', requestId) : incompleteResponse(requestId),
  );
}

/** Whether the response has a version or stages, and they are not those of the ref. */
function isOtherVersion(
  { version, stage }: SecretRef,
  { VersionId: id, VersionStages: stages }: GetSecretValueCommandOutput,
): boolean {
  if (version !== undefined && typeof id === 'string') return id.toLowerCase() !== version.toLowerCase();
  return stage !== undefined && Array.isArray(stages) && !stages.includes(stage);
}

/**
 * A UUID, or the ClientRequestToken of the call that stored the version. Versions are printed, so other characters are rejected.
 */
function isVersion(version: unknown): version is string {
  return typeof version === 'string' && /^[\x21-\x7e]{1,64}$/.test(version);
}

/** The objects of a list in a response. */
function listOf<T extends object>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}
