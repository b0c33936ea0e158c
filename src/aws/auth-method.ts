/**
 * Selects the authentication method from the config, the option and the environment variables.
 *
 * EKS injects variables for the method that a service account is configured for, so `auto` selects by their presence. Without them
 * it selects the SDK's default chain. Inside Kubernetes that chain excludes the node's role; only `--auth default` includes it.
 * Nothing is read from disk: a missing or invalid token is reported when it is used.
 */

import type { AuthOption } from '../cli/options.ts';
import { type Environment, platformOf } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl, quote, withoutPassword } from '../core/text.ts';
import type { ChainOptions, ContainerOptions, WebIdentity } from './chain-links.ts';

/** An authentication method with its parameters, without the token itself. */
export type AuthMethod =
  | {
      readonly kind: 'pod-identity';
      /** URLs of the agent's credentials. The next one is used only if the previous one is unreachable. */
      readonly addresses: readonly string[];
      readonly tokenFile: string;
      /** Whether EKS injected its variables. Without them the pod most likely has no association at all. */
      readonly injected: boolean;
    }
  | WebIdentity
  | { readonly kind: 'default'; readonly chain: ChainOptions };

/** The inputs of the selection. */
export interface AuthInput {
  /** `--auth`. */
  readonly auth: AuthOption;
  /** From the config; undefined if the key is missing or empty. */
  readonly usePodIdentity: boolean | undefined;
  readonly preferredAddressType: 'auto' | 'ipv4' | 'ipv6';
  readonly env: Environment;
}

/** The authentication method; throws a Problem if its variables are missing. */
export function resolveAuthMethod(input: AuthInput): AuthMethod {
  const kind = input.auth === 'auto' ? detectAuthMethod(input) : input.auth;
  switch (kind) {
    case 'pod-identity':
      return podIdentity(input);
    case 'irsa':
      return irsa(input);
    case 'default':
      return { kind: 'default', chain: chainOptions(input) };
    default:
      return kind satisfies never;
  }
}

/** The method as a phrase for logs. */
export function authMethodText(authentication: AuthMethod): string {
  switch (authentication.kind) {
    case 'pod-identity':
      return `EKS Pod Identity via ${authentication.addresses.map((address) => escapeControl(address)).join(' or ')}`;
    case 'irsa':
      return `IAM role ${escapeControl(authentication.roleArn)} with the service account token`;
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
 * The agent has two well-known addresses. The injected one may be unreachable, so the config may select the other. Any other injected
 * address is used alone, because it was configured for this cluster.
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

/** A token must not be sent to the address of container credentials. `relativePath`: of ECS, behind a fixed host. */
export function containerUriProblem(uri: string, relativePath?: string): Problem {
  if (relativePath !== undefined)
    return new Problem({
      code: 'credentials.variables',
      subject: RELATIVE_URI,
      message: `expected a path that begins with /, got ${quote(withoutPassword(relativePath))}`,
      remedy: 'Remove the variable from the container: ECS injects the correct one.',
    });
  return new Problem({
    code: 'credentials.variables',
    subject: AGENT_URI,
    message: `expected an https URL, or http to the agent or to a loopback address, got ${quote(withoutPassword(uri))}`,
    remedy: 'Remove the variable from the container: EKS injects the correct one.',
  });
}

function chainOptions({ auth, env }: AuthInput): ChainOptions {
  const platform = platformOf(env);
  const disabled = env.AWS_EC2_METADATA_DISABLED;
  const both = [env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY].filter(Boolean).length;
  const files = [
    env.AWS_SHARED_CREDENTIALS_FILE || (env.HOME && `${env.HOME}/.aws/credentials`),
    env.AWS_CONFIG_FILE || (env.HOME && `${env.HOME}/.aws/config`),
  ];
  return {
    platform,
    instanceRole:
      auth === 'auto' && platform === 'kubernetes'
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

/** The Problem of one variable without the other is reported only if no other link provides credentials. */
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
  const relative = env[RELATIVE_URI] || undefined;
  const uri = relative ? `http://169.254.170.2${relative}` : env[AGENT_URI];
  if (!uri) return undefined;
  return {
    name: relative ? 'ECS task role' : isEksAgent(uri) ? 'EKS Pod Identity' : 'container credentials',
    uri,
    relativePath: relative,
    isAllowed: URL.canParse(uri) && isAllowedAgentUrl(new URL(uri)),
    tokenFile: env[AGENT_TOKEN_FILE] || undefined,
    token: () => env.AWS_CONTAINER_AUTHORIZATION_TOKEN || undefined,
  };
}

function isEksAgent(uri: string): boolean {
  return uri === IPV4_AGENT || uri === IPV6_AGENT;
}

/** The session name, which CloudTrail and AWS's messages show: program and pod. At most 64 of `[\w+=,.@-]`. */
function sessionName(env: Environment): string {
  const pod = (env.HOSTNAME ?? '').replace(/[^\w+=,.@-]/g, '-');
  return env.AWS_ROLE_SESSION_NAME || `podsecrets${pod === '' ? '' : `-${pod}`}`.slice(0, 64);
}

/** The SDK's own rule for sending the token: over plain http only to loopback and the agents' addresses. */
function isAllowedAgentUrl(url: URL): boolean {
  if (url.protocol === 'https:') return true;
  return (
    url.protocol === 'http:' &&
    (/^127\.\d+\.\d+\.\d+$/.test(url.hostname) ||
      ['localhost', '[::1]', '169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'].includes(url.hostname))
  );
}

const RELATIVE_URI = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
const AGENT_URI = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
const AGENT_TOKEN_FILE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';
const ROLE_ARN = 'AWS_ROLE_ARN';
const WEB_TOKEN_FILE = 'AWS_WEB_IDENTITY_TOKEN_FILE';

/** The addresses of the EKS Pod Identity agent on every node, IPv4 and IPv6. */
const IPV4_AGENT = 'http://169.254.170.23/v1/credentials';
const IPV6_AGENT = 'http://[fd00:ec2::23]/v1/credentials';
const agentAddresses: Readonly<Record<AuthInput['preferredAddressType'], readonly string[]>> = {
  auto: [IPV4_AGENT, IPV6_AGENT],
  ipv4: [IPV4_AGENT],
  ipv6: [IPV6_AGENT],
};

/** The default path of the token for the agent. */
const AGENT_TOKEN_DEFAULT = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token';
