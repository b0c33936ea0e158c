/**
 * Parameter Store: requests become values.
 *
 * A value is wrapped in a Secret on the line where it arrives; the SDK's outputs do not leave this file. One bad or
 * forbidden name makes AWS refuse a whole call, so a refused call of several is asked again name by name: each read gets
 * the outcome that is its own.
 */

import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { FetchResult, SecretRef, SecretRefKey } from '../config/secret-ref.ts';
import { Secret } from '../core/secret.ts';
import { fullParameterName, iamActions } from './batches.ts';
import {
  type ClientContext,
  call,
  clientSettings,
  connectEarly,
  countAttempts,
  credentialProvider,
} from './client.ts';
import type { Credentials } from './credential-cache.ts';
import { type AwsErrorFacts, incompleteAnswer } from './error-facts.ts';
import { failedFetch } from './fetch-problems.ts';
import { answeredBy, matchParameter } from './response-matching.ts';

/** One region's Parameter Store. */
export interface ParameterStore {
  /** Opens the connection of the first request. */
  connectEarly(): void;
  /** Outcomes for all of them; they fit into one call. */
  read(reads: readonly SecretRef[], signal: AbortSignal): Promise<ReadonlyMap<SecretRefKey, FetchResult>>;
}

const { GetParameters: ACTION } = iamActions;

/** A client for the surroundings' region; nothing is sent before the first read. */
export function openParameterStore(surroundings: ClientContext, credentials: Credentials): ParameterStore {
  const client = new SSMClient({
    ...clientSettings(surroundings, 'SSM'),
    credentials: credentialProvider(credentials),
  });
  client.middlewareStack.use(countAttempts('ssm', surroundings));

  async function read(
    reads: readonly SecretRef[],
    signal: AbortSignal,
  ): Promise<Map<SecretRefKey, FetchResult>> {
    const command = new GetParametersCommand({ Names: reads.map(fullParameterName), WithDecryption: true });
    const answer = await call(
      async () => {
        const output = await client.send(command, { abortSignal: signal });
        const found = (Array.isArray(output.Parameters) ? output.Parameters : []).map((entry) => ({
          ...answeredBy(entry?.Name, entry?.ARN, entry?.Selector),
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
          reads.map((one): [SecretRefKey, FetchResult] => {
            const { value, version } = matchParameter(one, found) ?? {};
            if (value !== undefined && version !== undefined)
              return [one.key, { kind: 'found', value, version }];
            const absent = invalid.includes(fullParameterName(one)) || invalid.includes(one.id);
            return [one.key, failed(one, absent ? invalidParameter(requestId) : incompleteAnswer(requestId))];
          }),
        );
      },
      credentials,
      surroundings,
      signal,
    );
    switch (answer.kind) {
      case 'answer':
        return answer.output;
      case 'failure':
        return reads.length > 1 && blamesOne(answer.failure)
          ? merged(await Promise.all(reads.map((one) => read([one], signal))))
          : new Map(reads.map((one) => [one.key, failed(one, answer.failure)]));
      case 'credentials':
        return new Map(reads.map((one) => [one.key, { kind: 'failed', problem: answer.problem }]));
      default:
        return answer satisfies never;
    }
  }
  return { connectEarly: () => connectEarly(surroundings, 'SSM', client.config.endpointProvider), read };
}

/** Whether the call may have failed for one name's sake only. */
function blamesOne({ kind }: AwsErrorFacts): boolean {
  return kind === 'denied' || kind === 'client' || kind === 'notFound';
}

function failed(read: SecretRef, failure: AwsErrorFacts): FetchResult {
  return failedFetch(read, ACTION, failure);
}

/** AWS lists names that do not exist, or have no such version or label, under this title. */
function invalidParameter(requestId: string | undefined): AwsErrorFacts {
  return { ...incompleteAnswer(requestId), kind: 'notFound', code: 'InvalidParameters' };
}

function merged(maps: readonly Map<SecretRefKey, FetchResult>[]): Map<SecretRefKey, FetchResult> {
  return new Map(maps.flatMap((map) => [...map]));
}
