/**
 * Which way of authenticating to AWS a config means, decided from its words, the option and the variables alone.
 *
 * EKS injects variables for whichever way a service account is set up for, so their presence is what `auto` goes by. Without
 * them it is the SDK's default chain, inside Kubernetes without the node's role: only `--auth default` allows that. The
 * decision touches nothing: whether the token is there and what it is worth shows when it is used.
 */

import type { AuthOption } from '../cli/options.ts';
import { type Environment, placeOf } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl, quote, withoutPassword } from '../core/text.ts';
import type { ChainOptions, ContainerOptions, WebIdentity } from './chain-links.ts';

/** A way to authenticate, with all that it needs but the token itself. */
export type AuthMethod =
  | {
      readonly kind: 'pod-identity';
      /** URLs of the agent's credentials, the next one only for when the one before cannot be reached. */
      readonly addresses: readonly string[];
      readonly tokenFile: string;
      /** Whether EKS injected its variables. Without them the pod most likely has no association at all. */
      readonly injected: boolean;
    }
  | WebIdentity
  | { readonly kind: 'default'; readonly chain: ChainOptions };

/** What the decision goes by. */
export interface AuthInput {
  /** `--auth`. */
  readonly auth: AuthOption;
  /** What the config says; undefined when the key is absent or empty. */
  readonly usePodIdentity: boolean | undefined;
  readonly preferredAddressType: 'auto' | 'ipv4' | 'ipv6';
  readonly env: Environment;
}

/** The way to authenticate; throws a Problem when its variables are missing. */
export function resolveAuthMethod(question: AuthInput): AuthMethod {
  const kind = question.auth === 'auto' ? detectAuthMethod(question) : question.auth;
  switch (kind) {
    case 'pod-identity':
      return podIdentity(question);
    case 'irsa':
      return irsa(question);
    case 'default':
      return { kind: 'default', chain: chainOptions(question) };
    default:
      return kind satisfies never;
  }
}

/** One phrase for logs: what is used, and where it comes from. */
export function authMethodText(authentication: AuthMethod): string {
  switch (authentication.kind) {
    case 'pod-identity':
      return `EKS Pod Identity by ${authentication.addresses.map((address) => escapeControl(address)).join(' or ')}`;
    case 'irsa':
      return `IAM role ${escapeControl(authentication.roleArn)} by the service account's token`;
    case 'default':
      return `the SDK's default credential chain${authentication.chain.instanceRole === 'withheld' ? ", without the node's role" : ''}`;
    default:
      return authentication satisfies never;
  }
}

function detectAuthMethod({ usePodIdentity, env }: AuthInput): AuthMethod['kind'] {
  if (usePodIdentity !== undefined) return usePodIdentity ? 'pod-identity' : 'irsa';
  if (env[ROLE_ARN] && env[WEB_TOKEN_FILE]) return 'irsa';
  return env[AGENT_URI] && env[AGENT_TOKEN_FILE] ? 'pod-identity' : 'default';
}

function podIdentity({ env, preferredAddressType }: AuthInput): AuthMethod {
  const uri = env[AGENT_URI] || undefined;
  if (uri !== undefined && !(URL.canParse(uri) && isAllowedAgentUrl(new URL(uri))))
    throw containerUriProblem(uri);
  return {
    kind: 'pod-identity',
    addresses: addressesOf(uri, preferredAddressType),
    tokenFile: env[AGENT_TOKEN_FILE] || AGENT_TOKEN_DEFAULT,
    injected: uri !== undefined || Boolean(env[AGENT_TOKEN_FILE]),
  };
}

/**
 * The agent has two well-known addresses, and the injected one need not be reachable: the config may choose. Any other injected
 * address is used alone, because somebody set it for this cluster.
 */
function addressesOf(
  uri: string | undefined,
  preferred: AuthInput['preferredAddressType'],
): readonly string[] {
  if (uri !== undefined && !isEksAgent(uri)) return [uri];
  const addresses = agentAddresses[preferred];
  return preferred === 'auto' && uri === IPV6_AGENT ? addresses.toReversed() : addresses;
}

function irsa({ env }: Pick<AuthInput, 'env'>): WebIdentity {
  const roleArn = env[ROLE_ARN] || undefined;
  const tokenFile = env[WEB_TOKEN_FILE] || undefined;
  if (roleArn === undefined || tokenFile === undefined)
    throw new Problem({
      code: 'credentials.variables',
      subject: roleArn === undefined ? ROLE_ARN : WEB_TOKEN_FILE,
      message: `expected ${ROLE_ARN} and ${WEB_TOKEN_FILE}, which EKS injects for IRSA, got ${
        roleArn !== undefined || tokenFile !== undefined ? 'only one of them' : 'neither'
      }`,
      remedy:
        'Annotate the service account with eks.amazonaws.com/role-arn and recreate the pod, or set usePodIdentity: "true" if the role is a Pod Identity association.',
    });
  return { kind: 'irsa', roleArn, tokenFile, sessionName: sessionName(env) };
}

/** The address of container credentials is none that a token may be sent to. */
export function containerUriProblem(uri: string): Problem {
  return new Problem({
    code: 'credentials.variables',
    subject: AGENT_URI,
    message: `expected an https URL, or http to the agent or to a loopback address, got ${quote(withoutPassword(uri))}`,
    remedy: 'Remove the variable from the container: EKS injects the right one.',
  });
}

function chainOptions({ auth, env }: AuthInput): ChainOptions {
  const place = placeOf(env);
  const disabled = env.AWS_EC2_METADATA_DISABLED;
  const both = [env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY].filter(Boolean).length;
  const files = [
    env.AWS_SHARED_CREDENTIALS_FILE || (env.HOME && `${env.HOME}/.aws/credentials`),
    env.AWS_CONFIG_FILE || (env.HOME && `${env.HOME}/.aws/config`),
  ];
  return {
    place,
    instanceRole:
      auth === 'auto' && place === 'kubernetes'
        ? 'withheld'
        : disabled && disabled !== 'false'
          ? 'disabled'
          : 'allowed',
    profile: env.AWS_PROFILE || undefined,
    profileFiles: files.flatMap((file) => file || []),
    keys: both === 2 ? 'both' : both === 1 ? 'one' : 'none',
    webIdentity: webIdentity(env),
    container: containerOptions(env),
  };
}

/** One variable without the other leads nowhere, but keeps no other link from serving: its problem is for when none does. */
function webIdentity(env: Environment): ChainOptions['webIdentity'] {
  if (!env[ROLE_ARN] && !env[WEB_TOKEN_FILE]) return undefined;
  try {
    return irsa({ env });
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function containerOptions(env: Environment): ContainerOptions | undefined {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const uri = relative ? `http://169.254.170.2${relative}` : env[AGENT_URI];
  if (!uri) return undefined;
  return {
    name: relative ? 'ECS task role' : isEksAgent(uri) ? 'EKS Pod Identity' : 'container credentials',
    uri,
    mayBeAsked: URL.canParse(uri) && isAllowedAgentUrl(new URL(uri)),
    tokenFile: env[AGENT_TOKEN_FILE] || undefined,
    token: () => env.AWS_CONTAINER_AUTHORIZATION_TOKEN || undefined,
  };
}

function isEksAgent(uri: string): boolean {
  return uri === IPV4_AGENT || uri === IPV6_AGENT;
}

/** CloudTrail and AWS's own messages show this name, so it says who and where. At most 64 of `[\w+=,.@-]`. */
function sessionName(env: Environment): string {
  const pod = (env.HOSTNAME ?? '').replace(/[^\w+=,.@-]/g, '-');
  return env.AWS_ROLE_SESSION_NAME || `podsecrets${pod === '' ? '' : `-${pod}`}`.slice(0, 64);
}

/** The SDK sends the token nowhere else: in clear only to this machine and to the agent's addresses. */
function isAllowedAgentUrl(url: URL): boolean {
  if (url.protocol === 'https:') return true;
  return (
    url.protocol === 'http:' &&
    (/^127\.\d+\.\d+\.\d+$/.test(url.hostname) ||
      ['localhost', '[::1]', '169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'].includes(url.hostname))
  );
}

const AGENT_URI = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
const AGENT_TOKEN_FILE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';
const ROLE_ARN = 'AWS_ROLE_ARN';
const WEB_TOKEN_FILE = 'AWS_WEB_IDENTITY_TOKEN_FILE';

/** Where the EKS Pod Identity agent listens on every node, by IPv4 and by IPv6. */
const IPV4_AGENT = 'http://169.254.170.23/v1/credentials';
const IPV6_AGENT = 'http://[fd00:ec2::23]/v1/credentials';
const agentAddresses: Readonly<Record<AuthInput['preferredAddressType'], readonly string[]>> = {
  auto: [IPV4_AGENT, IPV6_AGENT],
  ipv4: [IPV4_AGENT],
  ipv6: [IPV6_AGENT],
};

/** Where EKS projects the token that the agent accepts. */
const AGENT_TOKEN_DEFAULT = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token';
