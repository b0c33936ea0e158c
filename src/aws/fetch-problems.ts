/**
 * Errors of AWS calls, as Problems: the action, the region, the error, and the remedy.
 *
 * An access error names the IAM action, the resource and the identity, as AWS returned them or as the request implies them. Whether
 * a retry can help is decided here: denied and expired credentials are retried, because an IAM change needs seconds to take
 * effect. AWS's own message is shown only for requests that it rejected as malformed.
 */

import type { FailedFetch, SecretRef } from '../config/secret-ref.ts';
import { isArn, namedArn } from '../core/arn.ts';
import { type Access, Problem, type ProblemCode } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { fullParameterName, iamActions } from './batches.ts';
import {
  type AwsErrorFacts,
  type AwsErrorKind,
  gotText,
  IAM_PROPAGATION,
  isUnknownOperation,
  isWrongSignature,
  normalizeCode,
} from './error-facts.ts';
import { networkTexts } from './network-problems.ts';

/** The Problem of one ref. `action` is the IAM action of the call, such as `ssm:GetParameters`. */
export function fetchProblem(ref: SecretRef, action: string, failure: AwsErrorFacts): Problem {
  const { code, retry, retryFor } = kinds[failure.kind];
  const { message, remedy, access } = textsOf(ref, action, failure);
  return new Problem({
    code,
    subject: refName(ref),
    message,
    remedy,
    // AWS needs seconds to recognize a new key; a wrong secret access key stays wrong.
    retry: retry && !isWrongSignature(failure),
    retryFor,
    access,
    retryAfter: failure.retryAfter,
  });
}

/** Why a call has no output: an error of AWS or of the network, or no credentials to sign the request. */
export type CallFailure =
  | { readonly kind: 'failure'; readonly failure: AwsErrorFacts }
  | { readonly kind: 'credentials'; readonly problem: Problem };

/** The result of one ref whose call failed. */
export function failedCall(ref: SecretRef, action: string, result: CallFailure): FailedFetch {
  return result.kind === 'failure'
    ? failedFetch(ref, action, result.failure)
    : { kind: 'failed', problem: result.problem };
}

/** The result of one ref that AWS returned an error for. */
export function failedFetch(ref: SecretRef, action: string, failure: AwsErrorFacts): FailedFetch {
  const { code, status } = failure;
  // An error of the network or of a proxy has a code too, but not one of AWS.
  const fromAws = !['network', 'response', 'throttled', 'server'].includes(failure.kind);
  return {
    kind: 'failed',
    problem: fetchProblem(ref, action, failure),
    awsCode: code === undefined || !fromAws || status === 501 ? undefined : normalizeCode(code),
  };
}

/** The ref as error messages name it, with its selector. */
function refName(ref: SecretRef): string {
  return escapeControl(fullParameterName(ref));
}

interface KindRules {
  readonly code: ProblemCode;
  readonly retry: boolean;
  readonly retryFor?: number;
}

const kinds: Readonly<Record<AwsErrorKind, KindRules>> = {
  notFound: { code: 'fetch.notFound', retry: false },
  denied: { code: 'fetch.denied', retry: true, retryFor: IAM_PROPAGATION },
  expired: { code: 'credentials.expired', retry: true, retryFor: IAM_PROPAGATION },
  rejected: { code: 'credentials.rejected', retry: true, retryFor: IAM_PROPAGATION },
  client: { code: 'fetch.client', retry: false },
  throttled: { code: 'fetch.throttled', retry: true },
  server: { code: 'fetch.server', retry: true },
  network: { code: 'fetch.network', retry: true },
  response: { code: 'fetch.response', retry: true },
};

interface Texts {
  readonly message: string;
  readonly remedy: string;
  readonly access?: Access | undefined;
}

function textsOf(ref: SecretRef, action: string, failure: AwsErrorFacts): Texts {
  const where = `${action} in ${escapeControl(ref.region)}`;
  const got = gotText(failure, 'no error code');
  switch (failure.kind) {
    case 'notFound':
      return notFound(ref, where, got, failure);
    case 'denied':
      return denied(ref, action, where, got, failure);
    case 'expired':
      return {
        message: `${where} rejected the credentials, even after they were fetched again (${got})`,
        remedy:
          "Check the node's clock, that the region is enabled for the account, and, for temporary keys that were set manually, that their session has not expired.",
      };
    case 'rejected':
      return { message: `${where} rejected the access key (${got})`, remedy: keysRemedy(failure) };
    case 'client':
      return malformed(where, got, failure);
    case 'throttled':
      return {
        message: `${where} was throttled (${got}): the request limit of the account or the service is reached`,
        remedy:
          ref.service === 'ssmparameter'
            ? 'Wait, raise --interval, or enable higher throughput for Parameter Store in this region.'
            : 'Wait, raise --interval, or request a higher Secrets Manager quota for this region from AWS.',
      };
    case 'server':
      return {
        message: `${where} failed (${got})`,
        remedy: isUnknownOperation(failure)
          ? endpointRemedy(failure)
          : 'Wait: the fault is on the AWS side. If it persists, see the AWS Health Dashboard.',
      };
    case 'network':
      return networkTexts(where, got, failure);
    case 'response':
      return {
        message: responseText(where, got, failure),
        remedy: endpointRemedy(failure),
      };
    default:
      return failure.kind satisfies never;
  }
}

function responseText(where: string, got: string, { code, status }: AwsErrorFacts): string {
  if (code === undefined && status === undefined)
    return `the response to ${where} has no value for this object`;
  return `the response to ${where} ${unusableResponses[code ?? ''] ?? 'is not from AWS'} (${got})`;
}

/** What is wrong with a response, by its code. */
const unusableResponses: Readonly<Record<string, string>> = {
  ERR_RESPONSE_OTHER_SECRET: 'has the value of another secret',
  ERR_RESPONSE_OTHER_VERSION: 'has the value of another version',
  ERR_RESPONSE_NOT_UTF8: 'is not valid UTF-8',
  ERR_RESPONSE_TOO_LARGE: 'is larger than any response of AWS',
  ERR_RESPONSE_TOO_COMPLEX: 'has more elements than any response of AWS',
};

function notFound(ref: SecretRef, where: string, got: string, failure: AwsErrorFacts): Texts {
  if (failure.code?.startsWith('InvalidRequest'))
    return {
      message: `${where}: the secret is scheduled for deletion (${got})`,
      remedy: 'Restore it with "aws secretsmanager restore-secret", or remove it from the config.',
    };
  const selector = ref.version ?? ref.stage;
  // AWS has one code for both: no secret of this name, and a secret without a value.
  if (selector === undefined && /specified secret value/.test(failure.message ?? ''))
    return {
      message: `${where}: the secret has no value (${got})`,
      remedy: 'Store a value with "aws secretsmanager put-secret-value".',
    };
  const what = ref.service === 'ssmparameter' ? 'parameter' : 'secret';
  return {
    message: `${where}: not found (${got})`,
    remedy:
      selector === undefined
        ? `Create the ${what} in this region and in the account of the role, or correct objectName.`
        : `Check that the ${what} has the ${ref.version === undefined ? 'label' : 'version'} ${quote(selector)} in this region.`,
  };
}

function denied(ref: SecretRef, action: string, where: string, got: string, failure: AwsErrorFacts): Texts {
  const { identity, denier, ...access } = accessOf(ref, action, failure.message ?? '');
  const what = access.action === action ? where : `${where} (needs ${access.action})`;
  const policies = access.action.startsWith('kms:')
    ? ", in the role's policy and in the key policy"
    : " in the role's policy";
  if (denier !== undefined)
    return {
      message: `${identity} is not authorized to perform ${what} because of an explicit deny in ${denier} (${got})`,
      remedy: `Remove ${access.action} on ${access.resource} from the deny in ${denier}.`,
    };
  return {
    message: `${identity} is not authorized to perform ${what} (${got})`,
    remedy: `Allow ${access.action} on ${access.resource}${policies}. A new permission takes a few seconds to take effect.`,
    access,
  };
}

interface Denial extends Access {
  readonly identity: string;
  /** The policy with an explicit deny: `a service control policy`. */
  readonly denier: string | undefined;
}

/** Identity, action and resource from AWS's message; what the message lacks follows from the request. */
function accessOf(ref: SecretRef, called: string, message: string): Denial {
  const [, identity] = /User: (arn:\S+)/.exec(message) ?? [];
  const [, named] = /not authorized to perform: ([a-z0-9-]+:\w+)/.exec(message) ?? [];
  const [, resource] = /on resource: (\S+?)[.,]?(?:\s|$)/.exec(message) ?? [];
  const [, denier] = /explicit deny in (an? [a-z -]*?policy)/.exec(message) ?? [];
  const action = named ?? (/\bKMS\b|\bkey\b/.test(message) ? 'kms:Decrypt' : called);
  return {
    action,
    resource: resource === undefined ? resourceOf(action, ref, identity) : escapeControl(resource),
    identity: identity === undefined ? 'the identity of this pod' : escapeControl(identity),
    denier,
  };
}

/** The resource in the form of a policy; partition and account are those of the identity, if AWS named it. */
function resourceOf(action: string, ref: SecretRef, identity: string | undefined): string {
  if (action.startsWith('kms:')) return 'the KMS key that encrypts it';
  // BatchGetSecretValue does not support resource-level permissions.
  if (action === iamActions.BatchGetSecretValue) return '*';
  if (isArn(ref.id)) return escapeControl(ref.id);
  const [, partition, , , account] = identity?.split(':') ?? [];
  return escapeControl(namedArn(ref, account, partition));
}

function malformed(where: string, got: string, failure: AwsErrorFacts): Texts {
  const code = failure.code ?? '';
  const detail = failure.message === undefined ? '' : `: ${escapeControl(failure.message)}`;
  const remedy = /^(Decryption|InvalidKeyId)/.test(code)
    ? 'Check that the KMS key is enabled, and that the role may kms:Decrypt with it.'
    : /Signature|^Request(Expired|InTheFuture|TimeTooSkewed)/.test(code)
      ? "Check the node's clock, and that no proxy between the pod and AWS modifies requests."
      : isUnknownOperation(failure)
        ? endpointRemedy(failure)
        : 'Correct the object in the config: AWS rejects its values.';
  return { message: `${where} rejected the request (${got})${detail}`, remedy };
}

/** The remedy for static access keys that AWS rejected. */
export function keysRemedy(failure: AwsErrorFacts): string {
  return isWrongSignature(failure)
    ? 'Correct the secret access key: it does not match the access key id.'
    : 'Check the access key id: it does not exist, is inactive, or belongs to another partition; an id that begins with ASIA needs its session token.';
}

/** For a response that is not from AWS, or from an endpoint that lacks the operation. */
function endpointRemedy({ peer }: AwsErrorFacts): string {
  const endpoint = peer === undefined ? 'the endpoint' : escapeControl(peer);
  return `Check what responds at ${endpoint}: a proxy, a VPC endpoint, or AWS_ENDPOINT_URL.`;
}
