/**
 * Errors of the SDK's default credential chain, as Problems.
 *
 * A message names each link that is configured and failed; links that are not configured are not mentioned.
 */

import { durationText } from '../cli/values.ts';
import type { Platform } from '../core/environment.ts';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { certificateRemedy, isHandshakeCode, isTlsCode } from '../http/tls-code.ts';
import { type AgentFailure, agentFailureText } from './agent-problems.ts';
import type { ChainOptions, ContainerOptions } from './chain-links.ts';
import { IAM_PROPAGATION } from './error-facts.ts';
import { profileSubject } from './profile-problems.ts';

const SETUP_REMEDIES: Readonly<Record<Platform, string>> = {
  kubernetes:
    'Give the service account a Pod Identity association, or an IAM role with the annotation eks.amazonaws.com/role-arn (IRSA), and recreate the pod.',
  ecs: 'Give the task definition a taskRoleArn.',
  host: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the instance a role.',
};

/**
 * No link provided credentials. `failures`: those of links that are configured, completely or in part; `instance`: that of the
 * instance metadata service.
 */
export function chainProblem(
  { platform, instanceRole }: Pick<ChainOptions, 'platform' | 'instanceRole'>,
  failures: readonly Problem[],
  instance: Problem | undefined,
): Problem {
  const [first, ...others] = failures;
  if (first !== undefined) return others.length === 0 ? first : withOthers(first, others);
  if (instanceRole === 'withheld')
    return new Problem({
      code: 'credentials.variables',
      subject: 'AWS credentials',
      message:
        "the pod has no AWS identity of its own: no variables of Pod Identity or IRSA, no access keys, no profile; the node's role is not used",
      remedy: `${SETUP_REMEDIES.kubernetes} Only --auth default uses the node's role.`,
    });
  const tried = instance === undefined ? 'the instance metadata service is disabled' : instance.message;
  return new Problem({
    code: 'credentials.chain',
    subject: 'AWS credentials',
    message: `the SDK's default chain found none: no access keys, no profile and no container credentials are configured; ${tried}`,
    remedy: instance?.remedy === OPEN_FILES_REMEDY ? OPEN_FILES_REMEDY : SETUP_REMEDIES[platform],
    retry: instance?.retry ?? false,
    retryFor: instance?.retryFor,
  });
}

/** The first failure with the messages of the others, which are links configured in part: a retry cannot help them. */
function withOthers(first: Problem, others: readonly Problem[]): Problem {
  const { code, subject, remedy, retry, retryFor } = first;
  const messages = [first.message, ...others.map((other) => `${other.subject}: ${other.message}`)];
  return new Problem({ code, subject, message: messages.join('; '), remedy, retry, retryFor });
}

/** The chain as a whole exceeded its timeout. */
export function chainTimeoutProblem(ms: number): Problem {
  return new Problem({
    code: 'credentials.chain',
    subject: 'AWS credentials',
    message: `the SDK's default chain did not finish within ${durationText(ms)}`,
    remedy: 'Check what the profile uses: its credential_process, its SSO endpoint or its source profile.',
    retry: true,
  });
}

/** Only one of the two variables of static keys is set. */
export function halfKeysProblem(): Problem {
  return new Problem({
    code: 'credentials.variables',
    subject: 'AWS_ACCESS_KEY_ID',
    message: 'expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, got only one of them',
    remedy: 'Set both or neither.',
  });
}

/** Access keys in the environment have expired by AWS_CREDENTIAL_EXPIRATION, and nothing renews them. */
export function expiredKeysProblem(secondsAgo: number): Problem {
  return new Problem({
    code: 'credentials.expired',
    subject: 'AWS_CREDENTIAL_EXPIRATION',
    message: `expected valid access keys, got keys that expired ${secondsAgo} s ago`,
    remedy: 'Set new keys, with their session token and expiration.',
  });
}

/** A part of credentials that prevents signing. */
export type UnusablePart = 'access key id' | 'secret access key' | 'session token' | 'expiration date';

/** A link returned keys that cannot sign a request. */
export function unusableKeysProblem(link: string, part: UnusablePart): Problem {
  const isDate = part === 'expiration date';
  return new Problem({
    code: 'credentials.chain',
    subject: escapeControl(link),
    message: isDate
      ? 'expected a valid expiration date, got another text'
      : `expected the ${part} in visible ASCII characters, got other characters`,
    remedy: isDate
      ? 'Correct the date: ISO 8601, such as 2030-01-31T12:00:00Z.'
      : `Correct the ${part}: often there is a line break, a space or a quotation mark at its end.`,
  });
}

/** A profile that may not be used, because it gets its credentials from the instance's role. */
export function instanceProfileProblem(
  profile: string,
  { instanceRole }: Pick<ChainOptions, 'instanceRole'>,
): Problem {
  const why =
    instanceRole === 'disabled'
      ? 'AWS_EC2_METADATA_DISABLED disables'
      : "podsecrets does not use inside Kubernetes, because it is the node's role";
  return new Problem({
    code: 'credentials.variables',
    subject: profileSubject(profile),
    message: `the profile uses credential_source = Ec2InstanceMetadata, which ${why}`,
    remedy: `${SETUP_REMEDIES.kubernetes} Only --auth default uses the node's role.`,
  });
}

/** The endpoint of container credentials returned none. */
export function containerProblem({ name, uri }: ContainerOptions, failure: AgentFailure): Problem {
  const rejected = failure.kind === 'rejected' && failure.status < 500 && failure.status !== 429;
  return new Problem({
    code: 'credentials.chain',
    subject: escapeControl(uri),
    message: `expected credentials (${name}), got ${agentFailureText(failure)}`,
    remedy:
      (failure.kind === 'unreachable' ? connectionRemedy(failure.code) : undefined) ??
      (name === 'ECS task role'
        ? 'Check that the task definition has a taskRoleArn, and that the role trusts ecs-tasks.amazonaws.com.'
        : 'Check what listens at the address in AWS_CONTAINER_CREDENTIALS_FULL_URI.'),
    retry: true,
    retryFor: rejected ? IAM_PROPAGATION : undefined,
  });
}

/** undefined: the code does not show what to do. */
function connectionRemedy(code: string): string | undefined {
  if (isOpenFilesCode(code)) return OPEN_FILES_REMEDY;
  if (!isTlsCode(code) || isHandshakeCode(code)) return undefined;
  return (
    certificateRemedy(code, 'correct AWS_CONTAINER_CREDENTIALS_FULL_URI.') ??
    'If the endpoint uses a private CA, set NODE_EXTRA_CA_CERTS to its PEM file.'
  );
}

/** The instance metadata service returned no credentials. `code` is Node's error code, or the HTTP status. */
export function instanceProblem(code: string | number | undefined): Problem {
  const got =
    code === undefined
      ? 'sent an invalid response'
      : code === 404
        ? 'has no role for this instance (HTTP status 404)'
        : typeof code === 'number'
          ? `responded with HTTP status ${code}`
          : `cannot be reached (${code})`;
  const unreachable =
    typeof code === 'string' && /^E(CONNREFUSED|HOSTUNREACH|NETUNREACH|HOSTDOWN|ADDRNOTAVAIL)$/.test(code);
  return new Problem({
    code: 'credentials.chain',
    subject: 'the instance metadata service',
    message: `the instance metadata service ${got}`,
    remedy: isOpenFilesCode(String(code)) ? OPEN_FILES_REMEDY : SETUP_REMEDIES.host,
    retry: !unreachable,
    retryFor: IAM_PROPAGATION,
  });
}

/** A warning: the pod uses the node's credentials, which works but is rarely intended. */
export function nodeRoleProblem(): Problem {
  return new Problem({
    code: 'credentials.nodeRole',
    subject: 'AWS credentials',
    message:
      "expected an AWS identity of the pod's own, got the node's role, which every pod on the node can use",
    remedy: SETUP_REMEDIES.kubernetes,
  });
}
