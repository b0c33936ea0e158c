/**
 * Fetches values from Parameter Store.
 *
 * A value is wrapped in a Secret on the line where it is read from the response; the SDK's outputs do not leave this file. AWS
 * rejects a whole call because of one malformed or forbidden name, so a rejected call is repeated for each name alone, and each ref
 * gets its own result.
 */

import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import {
  type FetchResult,
  type FetchResults,
  mergeResults,
  type SecretRef,
  type SecretRefKey,
} from '../config/secret-ref.ts';
import { Secret } from '../core/secret.ts';
import { entryIds, fullParameterName, iamActions, matchParameter } from './batches.ts';
import { type ClientContext, call, clientSettings, countAttempts, credentialProvider } from './client.ts';
import type { Credentials } from './credential-cache.ts';
import { type AwsErrorFacts, incompleteResponse, unusableResponse } from './error-facts.ts';
import { failedCall, failedFetch } from './fetch-problems.ts';

/** One region's Parameter Store. */
export interface ParameterStore {
  /** A result for each ref; the refs must fit into one call. */
  read(refs: readonly SecretRef[], signal: AbortSignal): Promise<FetchResults>;
}

const { GetParameters: ACTION } = iamActions;

/** A client for the context's region; it connects at the first call. */
export function createParameterStore(context: ClientContext, credentials: Credentials): ParameterStore {
  const client = new SSMClient({
    ...clientSettings(context, 'SSM'),
    credentials: credentialProvider(credentials),
  });
  client.middlewareStack.use(countAttempts('ssm', context));

  async function read(refs: readonly SecretRef[], signal: AbortSignal): Promise<FetchResults> {
    const command = new GetParametersCommand({ Names: refs.map(fullParameterName), WithDecryption: true });
    const result = await call(
      async () => {
        const output = await client.send(command, { abortSignal: signal });
        const found = (Array.isArray(output.Parameters) ? output.Parameters : []).map((entry) => ({
          ...entryIds(entry?.Name, entry?.ARN, entry?.Selector),
          value:
            typeof entry?.Value === 'string' && entry.Value.isWellFormed()
              ? new Secret(entry.Value)
              : undefined,
          version: typeof entry?.Version === 'number' ? String(entry.Version) : undefined,
        }));
        const invalid: readonly unknown[] = Array.isArray(output.InvalidParameters)
          ? output.InvalidParameters
          : [];
        const { requestId } = output.$metadata;
        return new Map(
          refs.map((ref): [SecretRefKey, FetchResult] => {
            const { value, version } = matchParameter(ref, found) ?? {};
            // A label is not the number of a version; it is compared with the selector of the response.
            const requested = /^\d+$/.test(ref.version ?? '') ? Number(ref.version) : undefined;
            const isOtherVersion =
              version !== undefined && requested !== undefined && Number(version) !== requested;
            if (value !== undefined && version !== undefined && !isOtherVersion)
              return [ref.key, { kind: 'found', value, version }];
            const isInvalid = invalid.includes(fullParameterName(ref)) || invalid.includes(ref.id);
            const failure = isInvalid
              ? invalidParameter(requestId)
              : isOtherVersion
                ? unusableResponse('ERR_RESPONSE_OTHER_VERSION', requestId)
                : incompleteResponse(requestId);
            return [ref.key, failedFetch(ref, ACTION, failure)];
          }),
        );
      },
      credentials,
      context,
      signal,
    );
    if (result.kind === 'output') return result.output;
    if (refs.length > 1 && result.kind === 'failure' && mayConcernOneName(result.failure))
      return mergeResults(await Promise.all(refs.map((ref) => read([ref], signal))));
    return new Map(refs.map((ref) => [ref.key, failedCall(ref, ACTION, result)]));
  }
  return { read };
}

/** Whether the call may have failed because of one name only. */
function mayConcernOneName({ kind }: AwsErrorFacts): boolean {
  return kind === 'denied' || kind === 'client' || kind === 'notFound';
}

/** AWS lists names that do not exist, or lack the version or label, in `InvalidParameters`. */
function invalidParameter(requestId: string | undefined): AwsErrorFacts {
  return { ...incompleteResponse(requestId), kind: 'notFound', code: 'InvalidParameters' };
}
