/**
 * The interface of a simulated service: it gets parsed requests and returns bytes.
 *
 * A service implements its operations and its protocol, without sockets, faults or the journal.
 */

import type { Account } from './account.ts';
import type { AwsError } from './aws-error.ts';
import type { Caller } from './identities.ts';

/** The names that the journal, the faults and the signature's scope use; `agent` is the Pod Identity agent, `imds` that of EC2. */
export const serviceNames = ['agent', 'imds', 'sts', 'secretsmanager', 'ssm'] as const;

export type ServiceName = (typeof serviceNames)[number];

export type JsonObject = Readonly<Record<string, unknown>>;

/** One HTTP request, whole. Header names are in lower case. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The inputs of an operation besides its fields. */
export interface Context {
  readonly account: Account;
  readonly region: string;
  readonly request: HttpRequest;
  readonly caller: Caller;
  /** Credentials that are issued now are already expired: one of the faults. */
  readonly issueExpired: boolean;
  /** Ids of a batch that appear nowhere in its response: another of the faults. */
  readonly withheld: readonly string[];
}

export interface Operation {
  /** The requested names, ARNs or paths, for the journal and the faults. */
  ids(input: JsonObject): readonly string[];
  run(input: JsonObject, context: Context): JsonObject;
  /** False for operations without a signature; default: true. */
  readonly signed?: boolean;
}

export interface Service {
  readonly name: ServiceName;
  readonly operations: Readonly<Record<string, Operation>>;
  /** The error codes of signatures differ between the JSON and the query protocol. */
  readonly protocol: 'json' | 'query';
  readonly throttlingCode: string;
  encode(operation: string, result: JsonObject): HttpResponse;
  encodeError(error: AwsError): HttpResponse;
}
