/**
 * How the SDK's default chain fails, in words.
 *
 * The cause is a link that is set up and failed; links that are not set up are not named.
 */

import type { Place } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { type AgentFailure, agentFailureText } from './agent-error.ts';
import type { ChainOptions, ContainerOptions } from './chain-links.ts';
import { IAM_SPREADS } from './error-facts.ts';
import { profileSubject } from './profile-error.ts';

const NO_KEYS: Readonly<Record<Place, string>> = {
  kubernetes:
    'Give the service account a Pod Identity association, or an IAM role by the annotation eks.amazonaws.com/role-arn (IRSA), and recreate the pod.',
  ecs: 'Give the task definition a taskRoleArn.',
  host: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the instance a role.',
};

/** No link served. `failures`: of links that are set up, completely or in part; `instance`: of the instance metadata service. */
export function chainProblem(
  { place, instanceRole }: Pick<ChainOptions, 'place' | 'instanceRole'>,
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
        "expected the pod to have an identity of its own, got none: neither Pod Identity's nor IRSA's variables, no keys, no profile; the node's role is not used",
      remedy: `${NO_KEYS.kubernetes} Only --auth default uses the node's role.`,
    });
  const tried = instance === undefined ? 'the instance metadata service is switched off' : instance.message;
  return new Problem({
    code: 'credentials.chain',
    subject: 'AWS credentials',
    message: `expected the SDK's default chain to find some, got none: no keys, no profile and no container credentials are set up; ${tried}`,
    remedy: NO_KEYS[place],
    retry: instance?.retry ?? false,
    retryFor: instance?.retryFor,
  });
}

/** The first of the chain's failures, with the messages of the others: links set up in part, for which a retry cannot help. */
function withOthers(first: Problem, others: readonly Problem[]): Problem {
  const { code, subject, remedy, retry, retryFor } = first;
  const messages = [first.message, ...others.map((other) => `${other.subject}: ${other.message}`)];
  return new Problem({ code, subject, message: messages.join('; '), remedy, retry, retryFor });
}

/** The chain as a whole took too long. */
export function chainTimeoutProblem(ms: number): Problem {
  return new Problem({
    code: 'credentials.chain',
    subject: 'AWS credentials',
    message: `expected the SDK's default chain to find some, got no answer within ${ms} ms`,
    remedy: 'Check what the profile asks: its process, its SSO endpoint or its source of keys.',
    retry: true,
  });
}

/** Only one of the two variables of static keys is set. */
export function halfKeysProblem(): Problem {
  return new Problem({
    code: 'credentials.variables',
    subject: 'AWS_ACCESS_KEY_ID',
    message: 'expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, got only one of them',
    remedy: 'Set both, or none.',
  });
}

/** Keys in the environment have expired by AWS_CREDENTIAL_EXPIRATION: nothing renews them. */
export function expiredKeysProblem(secondsAgo: number): Problem {
  return new Problem({
    code: 'credentials.expired',
    subject: 'AWS_CREDENTIAL_EXPIRATION',
    message: `expected keys that are valid, got some that expired ${secondsAgo} s ago`,
    remedy: 'Set new ones, with their session token and expiry.',
  });
}

/** A link served keys that cannot sign a request. */
export function unusableKeysProblem(link: string): Problem {
  return new Problem({
    code: 'credentials.chain',
    subject: escapeControl(link),
    message: 'expected keys that fit into a header, got characters that do not, or an expiry that is no date',
    remedy: 'Correct the keys: often a line break or a quotation mark is at their end.',
  });
}

/** A profile that may not be used, because it leads to the instance's role. */
export function instanceProfileProblem(
  profile: string,
  { instanceRole }: Pick<ChainOptions, 'instanceRole'>,
): Problem {
  const why =
    instanceRole === 'disabled'
      ? 'AWS_EC2_METADATA_DISABLED forbids'
      : "podsecrets does not use inside Kubernetes: they are the node's";
  return new Problem({
    code: 'credentials.variables',
    subject: profileSubject(profile),
    message: `expected a profile with an identity of the pod's own, got credential_source = Ec2InstanceMetadata, which ${why}`,
    remedy: `${NO_KEYS.kubernetes} Only --auth default uses the node's role.`,
  });
}

/** The address of container credentials gave none. */
export function containerProblem({ name, uri }: ContainerOptions, failure: AgentFailure): Problem {
  const refused = failure.kind === 'refused' && failure.status < 500 && failure.status !== 429;
  return new Problem({
    code: 'credentials.chain',
    subject: escapeControl(uri),
    message: `expected credentials (${name}), got ${agentFailureText(failure)}`,
    remedy:
      name === 'ECS task role'
        ? 'Check that the task definition has a taskRoleArn, and that the role trusts ecs-tasks.amazonaws.com.'
        : 'Check what listens at the address of AWS_CONTAINER_CREDENTIALS_FULL_URI.',
    retry: true,
    retryFor: refused ? IAM_SPREADS : undefined,
  });
}

/** The instance metadata service gave no credentials. `code` is Node's, or the HTTP status. */
export function instanceProblem(code: string | number | undefined): Problem {
  const got =
    code === undefined
      ? 'does not answer as it should'
      : code === 404
        ? 'knows no role of this instance (HTTP status 404)'
        : typeof code === 'number'
          ? `answers with HTTP status ${code}`
          : `cannot be reached (${code})`;
  const absent =
    typeof code === 'string' && /^E(CONNREFUSED|HOSTUNREACH|NETUNREACH|HOSTDOWN|ADDRNOTAVAIL)$/.test(code);
  return new Problem({
    code: 'credentials.chain',
    subject: 'the instance metadata service',
    message: `the instance metadata service ${got}`,
    remedy: NO_KEYS.host,
    retry: !absent,
    retryFor: IAM_SPREADS,
  });
}

/** The node's credentials serve a pod: it works, but it is rarely intended. */
export function nodeRoleProblem(): Problem {
  return new Problem({
    code: 'credentials.nodeRole',
    subject: 'AWS credentials',
    message:
      "expected an identity of the pod's own, got the role of the node, which every pod of the node may use",
    remedy: NO_KEYS.kubernetes,
  });
}
