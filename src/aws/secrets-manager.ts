/**
 * Secrets Manager: requests become values.
 *
 * A value is wrapped in a Secret on the line where it arrives; the SDK's outputs do not leave this file. Every read that
 * was asked gets an outcome, or, if a batch did not answer it, is returned to be fetched by a single call.
 */

import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { FetchResult, SecretRef, SecretRefKey } from '../config/secret-ref.ts';
import type { Problem } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';
import { iamActions } from './batches.ts';
import {
  type ClientContext,
  call,
  clientSettings,
  connectEarly,
  countAttempts,
  credentialProvider,
} from './client.ts';
import type { Credentials } from './credential-cache.ts';
import { type AwsErrorFacts, entryFailure, incompleteAnswer } from './error-facts.ts';
import { failedFetch } from './fetch-problems.ts';
import { answeredBy, matchSecret } from './response-matching.ts';

/** One region's Secrets Manager. */
export interface SecretsManager {
  /** Opens the connection of the first request. */
  connectEarly(): void;
  single(read: SecretRef, signal: AbortSignal): Promise<FetchResult>;
  /** The outcomes of the batch; the others are to be fetched by single calls, because of `failure` if the whole call failed. */
  batch(reads: readonly SecretRef[], signal: AbortSignal): Promise<BatchOutcome>;
}

/** What came of a batch call as a whole. */
type BatchOutcome =
  | { readonly kind: 'answered'; readonly outcomes: ReadonlyMap<SecretRefKey, FetchResult> }
  | { readonly kind: 'refused'; readonly failure: AwsErrorFacts }
  | { readonly kind: 'credentials'; readonly problem: Problem };

const { GetSecretValue: SINGLE, BatchGetSecretValue: BATCH } = iamActions;

/** A client for the surroundings' region; nothing is sent before the first read. */
export function openSecretsManager(surroundings: ClientContext, credentials: Credentials): SecretsManager {
  const client = new SecretsManagerClient({
    ...clientSettings(surroundings, 'SECRETS_MANAGER'),
    credentials: credentialProvider(credentials),
  });
  client.middlewareStack.use(countAttempts('secretsmanager', surroundings));
  return {
    connectEarly: () => connectEarly(surroundings, 'SECRETS_MANAGER', client.config.endpointProvider),
    async single(read, signal) {
      const command = new GetSecretValueCommand({
        SecretId: read.id,
        ...(read.version === undefined ? {} : { VersionId: read.version }),
        ...(read.stage === undefined ? {} : { VersionStage: read.stage }),
      });
      const answer = await call(
        async () => {
          const output = await client.send(command, { abortSignal: signal });
          // A proxy or a cache in between may answer for another secret: its value is not this one's.
          const entry = { ...output, ...answeredBy(output.Name, output.ARN) };
          return matchSecret(read, [entry]) === undefined
            ? failedFetch(read, SINGLE, incompleteAnswer(output.$metadata.requestId))
            : outcomeOf(read, SINGLE, output);
        },
        credentials,
        surroundings,
        signal,
      );
      switch (answer.kind) {
        case 'answer':
          return answer.output;
        case 'failure':
          return failedFetch(read, SINGLE, answer.failure);
        case 'credentials':
          return { kind: 'failed', problem: answer.problem };
        default:
          return answer satisfies never;
      }
    },

    async batch(reads, signal) {
      const command = new BatchGetSecretValueCommand({ SecretIdList: reads.map((read) => read.id) });
      const answer = await call(
        async () => {
          const output = await client.send(command, { abortSignal: signal });
          const found = listOf(output.SecretValues).map((entry) => ({
            ...answeredBy(entry.Name, entry.ARN),
            outcome: (read: SecretRef) => outcomeOf(read, BATCH, { ...entry, $metadata: output.$metadata }),
          }));
          const failed = listOf(output.Errors).map((entry) => ({
            ...answeredBy(entry.SecretId, entry.SecretId),
            outcome: (read: SecretRef): FetchResult =>
              failedFetch(
                read,
                SINGLE,
                entryFailure(entry.ErrorCode, entry.Message, output.$metadata.requestId),
              ),
          }));
          return new Map(
            reads.flatMap((read) => {
              const entry = matchSecret(read, found) ?? matchSecret(read, failed);
              return entry === undefined ? [] : [[read.key, entry.outcome(read)] as const];
            }),
          );
        },
        credentials,
        surroundings,
        signal,
      );
      switch (answer.kind) {
        case 'answer':
          return { kind: 'answered', outcomes: answer.output };
        case 'failure':
          return { kind: 'refused', failure: answer.failure };
        case 'credentials':
          return { kind: 'credentials', problem: answer.problem };
        default:
          return answer satisfies never;
      }
    },
  };
}

type Entry = Pick<GetSecretValueCommandOutput, 'SecretString' | 'SecretBinary' | 'VersionId' | '$metadata'>;

/** SecretString wins over SecretBinary. The SDK does not check an answer's types, so a value of another one is none. */
function outcomeOf(read: SecretRef, action: string, entry: Entry): FetchResult {
  const { SecretString: text, SecretBinary: bytes, VersionId: version } = entry;
  const value =
    typeof text === 'string' && text.isWellFormed()
      ? new Secret(text)
      : bytes instanceof Uint8Array
        ? new Secret(bytes)
        : undefined;
  if (value !== undefined && isVersion(version)) return { kind: 'found', value, version };
  return failedFetch(read, action, incompleteAnswer(entry.$metadata.requestId));
}

/**
 * A UUID, or the ClientRequestToken of the call that stored the version. Versions are shown to people: what is not one word
 * is not let through.
 */
function isVersion(version: unknown): version is string {
  return typeof version === 'string' && /^[\x21-\x7e]{1,64}$/.test(version);
}

/** The entries of a list that comes from outside: nothing that is no object. */
function listOf<T extends object>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}
