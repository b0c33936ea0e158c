/**
 * A failure of AWS becomes a Problem that says what was asked, where, what came back, and who can do what about it.
 *
 * One table from kinds of failure to sentences. An access error names the IAM action, the resource and the identity as AWS
 * gave them, or as they must be. Whether trying again can help is decided here: denied and expired credentials count, for
 * IAM needs seconds to spread a change. AWS's own sentence is shown only about requests that it did not understand.
 */

import type { FailedFetch, SecretRef } from '../config/secret-ref.ts';
import { isArn, namedArn } from '../core/arn.ts';
import { type Access, Problem, type ProblemCode } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { fullParameterName, iamActions } from './batches.ts';
import {
  type AwsErrorFacts,
  type AwsErrorKind,
  IAM_SPREADS,
  isTlsCode,
  isUnknownOperation,
  isWrongSignature,
  normalizeCode,
} from './error-facts.ts';

/** The Problem of one read that failed. `action` is what was asked of AWS, as IAM calls it: `ssm:GetParameters`. */
export function fetchProblem(read: SecretRef, action: string, failure: AwsErrorFacts): Problem {
  const { code, retry, retryFor } = kinds[failure.kind];
  const { message, remedy, access } = words(read, action, failure);
  return new Problem({
    code,
    subject: refName(read),
    message,
    remedy,
    // A new key takes seconds to be known; a wrong secret key stays wrong.
    retry: retry && !isWrongSignature(failure),
    retryFor,
    access,
    ...(failure.retryAfter === undefined ? {} : { retryAfter: failure.retryAfter }),
  });
}

/** The same as the outcome of a fetch. */
export function failedFetch(read: SecretRef, action: string, failure: AwsErrorFacts): FailedFetch {
  const { code, status } = failure;
  // An error of the network or of a proxy has a code too, but no answer of AWS.
  const modelled = !['network', 'answer', 'throttled', 'server'].includes(failure.kind);
  return {
    kind: 'failed',
    problem: fetchProblem(read, action, failure),
    awsCode: code === undefined || !modelled || status === 501 ? undefined : normalizeCode(code),
  };
}

/** The value as errors name it, with its selector. */
function refName(read: SecretRef): string {
  return escapeControl(fullParameterName(read));
}

interface Kind {
  readonly code: ProblemCode;
  readonly retry: boolean;
  readonly retryFor?: number;
}

const kinds: Readonly<Record<AwsErrorKind, Kind>> = {
  notFound: { code: 'fetch.notFound', retry: false },
  denied: { code: 'fetch.denied', retry: true, retryFor: IAM_SPREADS },
  expired: { code: 'credentials.expired', retry: true, retryFor: IAM_SPREADS },
  refused: { code: 'credentials.refused', retry: true, retryFor: IAM_SPREADS },
  client: { code: 'fetch.client', retry: false },
  throttled: { code: 'fetch.throttled', retry: true },
  server: { code: 'fetch.server', retry: true },
  network: { code: 'fetch.network', retry: true },
  answer: { code: 'fetch.answer', retry: true },
};

interface Words {
  readonly message: string;
  readonly remedy: string;
  readonly access?: Access | undefined;
}

function words(read: SecretRef, action: string, failure: AwsErrorFacts): Words {
  const where = `${action} in ${escapeControl(read.region)}`;
  const got = gotText(failure);
  switch (failure.kind) {
    case 'notFound':
      return notFound(read, where, got, failure);
    case 'denied':
      return denied(read, action, where, got, failure);
    case 'expired':
      return {
        message: `expected ${where} to accept the credentials, got ${got}, also when they were asked for again`,
        remedy:
          "Check the node's clock, that the region is enabled for the account, and, for temporary keys that are set by hand, that their session has not ended.",
      };
    case 'refused':
      return { message: `expected ${where} to accept the keys, got ${got}`, remedy: keysRemedy(failure) };
    case 'client':
      return malformed(where, got, failure);
    case 'throttled':
      return {
        message: `expected ${where} to answer, got ${got}: the account's or the service's rate limit is used up`,
        remedy:
          read.service === 'ssmparameter'
            ? 'Wait, raise --interval, or turn on higher throughput for Parameter Store in this region.'
            : 'Wait, raise --interval, or ask AWS for a higher Secrets Manager quota in this region.',
      };
    case 'server':
      return {
        message: `expected ${where} to answer, got ${got}`,
        remedy: isUnknownOperation(failure)
          ? endpointRemedy(failure)
          : 'Wait: the fault is on the side of AWS. Its health page says more if this lasts.',
      };
    case 'network':
      return unreachable(where, got, failure);
    case 'answer':
      return {
        message: `expected ${where} to answer for this object, got ${failure.code === undefined && failure.status === undefined ? 'an answer without it' : `an answer that is not AWS's (${got})`}`,
        remedy: endpointRemedy(failure),
      };
    default:
      return failure.kind satisfies never;
  }
}

function notFound(read: SecretRef, where: string, got: string, failure: AwsErrorFacts): Words {
  if (failure.code?.startsWith('InvalidRequest'))
    return {
      message: `expected ${where} to find it, got a secret that is marked for deletion (${got})`,
      remedy: 'Restore it with "aws secretsmanager restore-secret", or take it out of the config.',
    };
  const selector = read.version ?? read.stage;
  // AWS has one code for both: no secret of this name, and one that was never given a value.
  if (selector === undefined && /specified secret value/.test(failure.message ?? ''))
    return {
      message: `expected ${where} to find a value, got a secret without one (${got})`,
      remedy: 'Store a value with "aws secretsmanager put-secret-value".',
    };
  const what = read.service === 'ssmparameter' ? 'parameter' : 'secret';
  return {
    message: `expected ${where} to find it, got ${got}`,
    remedy:
      selector === undefined
        ? `Create the ${what} in this region and in the account of the role, or correct objectName.`
        : `Check that the ${what} has the ${read.version === undefined ? 'label' : 'version'} ${quote(selector)} in this region.`,
  };
}

function denied(read: SecretRef, action: string, where: string, got: string, failure: AwsErrorFacts): Words {
  const { identity, denier, ...access } = accessOf(read, action, failure.message ?? '');
  const what = access.action === action ? where : `${where}, which needs ${access.action},`;
  const policies = access.action.startsWith('kms:')
    ? ", in the role's policy and in the key policy"
    : " in the role's policy";
  if (denier !== undefined)
    return {
      message: `expected ${what} to be allowed to ${identity}, got ${got}, by an explicit deny in ${denier}`,
      remedy: `Take ${access.action} on ${access.resource} out of the deny in ${denier}.`,
    };
  return {
    message: `expected ${what} to be allowed to ${identity}, got ${got}`,
    remedy: `Allow ${access.action} on ${access.resource}${policies}. A new permission takes a few seconds to work.`,
    access,
  };
}

interface Refusal extends Access {
  readonly identity: string;
  /** What kind of policy denies explicitly. */
  readonly denier: string | undefined;
}

/** AWS says who may not do what on what; where it does not, the answer follows from the request. */
function accessOf(read: SecretRef, asked: string, message: string): Refusal {
  const [, identity] = /User: (arn:\S+)/.exec(message) ?? [];
  const [, named] = /not authorized to perform: ([a-z0-9-]+:\w+)/.exec(message) ?? [];
  const [, resource] = /on resource: (\S+?)[.,]?(?:\s|$)/.exec(message) ?? [];
  const [, denier] = /explicit deny in (an? [a-z -]*?policy)/.exec(message) ?? [];
  const action = named ?? (/\bKMS\b|\bkey\b/.test(message) ? 'kms:Decrypt' : asked);
  return {
    action,
    resource: resource === undefined ? resourceOf(action, read, identity) : escapeControl(resource),
    identity: identity === undefined ? 'the identity of this pod' : escapeControl(identity),
    denier,
  };
}

/** The resource as a policy names it; partition and account are those of the identity, if AWS named it. */
function resourceOf(action: string, read: SecretRef, identity: string | undefined): string {
  if (action.startsWith('kms:')) return 'the KMS key that encrypts it';
  // A batch is not about one secret, so its permission cannot be bound to one.
  if (action === iamActions.BatchGetSecretValue) return '*';
  if (isArn(read.id)) return escapeControl(read.id);
  const [, partition, , , account] = identity?.split(':') ?? [];
  return escapeControl(namedArn(read, account, partition));
}

function malformed(where: string, got: string, failure: AwsErrorFacts): Words {
  const code = failure.code ?? '';
  const said = failure.message === undefined ? '' : `: ${escapeControl(failure.message)}`;
  const remedy = /^(Decryption|InvalidKeyId)/.test(code)
    ? 'Check that the KMS key is enabled, and that the role may kms:Decrypt with it.'
    : /Signature|^Request(Expired|InTheFuture|TimeTooSkewed)/.test(code)
      ? "Check the node's clock, and that nothing between here and AWS changes requests."
      : isUnknownOperation(failure)
        ? endpointRemedy(failure)
        : 'Correct the object in the config: AWS does not accept the request as it is.';
  return { message: `expected ${where} to accept the request, got ${got}${said}`, remedy };
}

/** What to do about static keys that are refused. */
export function keysRemedy(failure: AwsErrorFacts): string {
  return isWrongSignature(failure)
    ? 'Correct the secret access key: it does not belong to the access key id.'
    : 'Check the access key id: AWS does not know it, or it is inactive, or of another partition; one that begins with ASIA needs its session token.';
}

/** For an answer that is not AWS's, or of something that lacks the operation. */
function endpointRemedy({ peer }: AwsErrorFacts): string {
  const endpoint = peer === undefined ? 'the endpoint' : escapeControl(peer);
  return `Check what answers at ${endpoint}: a proxy, a VPC endpoint, or AWS_ENDPOINT_URL.`;
}

function unreachable(where: string, got: string, failure: AwsErrorFacts): Words {
  const { code, phase } = failure;
  const peer = failure.peer === undefined ? 'AWS' : escapeControl(failure.peer);
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL_'))
    return {
      message: `no TLS with ${peer} for ${where}, got ${got}`,
      remedy:
        'Check that the endpoint speaks TLS: if it is plain HTTP, write http: in AWS_ENDPOINT_URL; if a proxy or a firewall answers, let it pass TLS.',
    };
  if (isTlsCode(code))
    return {
      message: `no trusted TLS connection to ${peer} for ${where}, got ${got}`,
      remedy: tlsRemedies[code ?? ''] ?? PRIVATE_AUTHORITY,
    };
  if (code === 'TimeoutError' && phase === 'lookup')
    return {
      message: `no answer of DNS for ${peer} in time, for ${where}`,
      remedy: 'Check the DNS of the cluster: it does not answer.',
    };
  const what =
    code === 'TimeoutError' ? (phase === 'connect' ? 'no connection in time' : 'none in time') : got;
  return {
    message: `expected an answer of ${peer} for ${where}, got ${what}`,
    remedy: networkRemedies[code ?? ''] ?? 'Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL.',
  };
}

const PRIVATE_AUTHORITY =
  'If a proxy or a VPC endpoint uses a private authority, name its PEM file in AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS.';

const tlsRemedies: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "Check the node's clock; if it is right, renew the certificate of what answers there.",
  CERT_NOT_YET_VALID: "Check the node's clock: the certificate is not valid yet.",
  ERR_TLS_CERT_ALTNAME_INVALID:
    'Its certificate is for another name: correct AWS_ENDPOINT_URL, or the DNS name of the VPC endpoint or proxy.',
};

const networkRemedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: check AWS_ENDPOINT_URL, HTTPS_PROXY and the port.',
  ENOTFOUND: 'Check the region, the DNS of the cluster, and AWS_ENDPOINT_URL.',
  EAI_AGAIN: 'Check the DNS of the cluster: it did not answer.',
  EMFILE: 'Raise the limit of open files (ulimit -n) of the container: the process has none left.',
  ERR_PROXY_TUNNEL:
    'The proxy refuses the connection: check its address and credentials in HTTPS_PROXY, and that it lets this host pass.',
  TimeoutError:
    'Check routes, security groups and network policies to the endpoint; a slow one may need a longer --aws-timeout.',
  ETIMEDOUT: 'Check routes, security groups and network policies to the endpoint.',
};

/** What came back: the code, or the status, and the request id that AWS's support asks for. */
function gotText({ code, status, requestId }: AwsErrorFacts): string {
  const what = code ?? (status === undefined ? 'nothing understandable' : `HTTP status ${status}`);
  return requestId === undefined ? what : `${what}, request id ${requestId}`;
}
