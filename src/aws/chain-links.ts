/**
 * The SDK's default credential chain: the inputs of its links, and which of them end at the instance's role.
 *
 * The order is the SDK's: access keys in the environment, a profile, a web identity, container credentials, the instance's role.
 * Inside Kubernetes the instance's role is the node's role, which every pod on the node would share. `auto` never uses it, neither
 * from the instance metadata service directly nor through a profile.
 */

import type { Platform } from '../core/environment.ts';
import type { Problem } from '../core/problem.ts';

/** The inputs of the links. None of them is a secret. */
export interface ChainOptions {
  readonly platform: Platform;
  /** Whether the instance's role may be used. `withheld`: no, because the pod runs in Kubernetes; `disabled`: by AWS_EC2_METADATA_DISABLED. */
  readonly instanceRole: 'allowed' | 'withheld' | 'disabled';
  /** AWS_PROFILE. If it is set, the SDK ignores access keys in the environment. */
  readonly profile: string | undefined;
  /** The shared credentials and config files whose paths are known. */
  readonly profileFiles: readonly string[];
  /** How many of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set. */
  readonly keys: 'both' | 'one' | 'none';
  /** From the variables of IRSA, or the Problem with them. */
  readonly webIdentity: WebIdentity | Problem | undefined;
  readonly container: ContainerOptions | undefined;
}

/** A role that the service account's token may assume: IRSA. */
export interface WebIdentity {
  readonly kind: 'irsa';
  readonly roleArn: string;
  readonly tokenFile: string;
  readonly sessionName: string;
}

/** The HTTP endpoint of container credentials: the ECS agent, or one with the same protocol. */
export interface ContainerOptions {
  readonly name: 'ECS task role' | 'container credentials' | 'EKS Pod Identity';
  readonly uri: string;
  /** The path that ECS injects; undefined for a whole URI. */
  readonly relativePath: string | undefined;
  /** Whether the authorization token may be sent to this URL. */
  readonly isAllowed: boolean;
  readonly tokenFile: string | undefined;
  /** AWS_CONTAINER_AUTHORIZATION_TOKEN. A function, because the token is a secret and must not be a field. */
  token(): string | undefined;
}

/** The link that provided the credentials. */
export interface ChainLink {
  /** For the log, `doctor` and the status page: `ECS task role`, `instance role`, `environment keys`, `profile dev (SSO)`. */
  readonly name: string;
  /** Whether the credentials are those of the node that the pod runs on. */
  readonly nodeRole: boolean;
}

/** Profiles as the SDK parses them: the settings by profile name. */
export type Profiles = Readonly<Record<string, Readonly<Record<string, string | undefined>> | undefined>>;

/** Whether a profile has any setting about credentials; many only have a region. */
export function hasCredentials(profile: Profiles[string]): boolean {
  return Object.keys(profile ?? {}).some((key) =>
    /^(aws_|role_arn|source_profile|credential_|sso_|web_identity_|login_)/.test(key),
  );
}

/** Whether a profile, or one of its source profiles, gets its credentials from the instance metadata service. */
export function usesInstanceRole(profiles: Profiles, name: string): boolean {
  const visited = new Set<string>();
  let at: string | undefined = name;
  while (at !== undefined && !visited.has(at)) {
    const profile: Profiles[string] = profiles[at];
    if (profile === undefined) return false;
    const { role_arn, credential_source, aws_access_key_id, aws_secret_access_key } = profile;
    const hasKeys = aws_access_key_id !== undefined && aws_secret_access_key !== undefined;
    // The SDK prefers access keys to any other source, except in the first profile if that has a role.
    if (hasKeys && (visited.size > 0 || role_arn === undefined)) return false;
    if (credential_source === 'Ec2InstanceMetadata') return true;
    visited.add(at);
    at = profile.source_profile;
  }
  return false;
}

/** The kind of profile, from the SDK's markers in `$source`; undefined for a profile with access keys. */
export function profileKind(source: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return kinds.find(([marker]) => source?.[marker] !== undefined)?.[1];
}

/** Ordered: a profile that assumes a role also has the marker of its source credentials, which is less specific. */
const kinds: readonly (readonly [marker: string, kind: string])[] = [
  ['CREDENTIALS_PROFILE_SOURCE_PROFILE', 'assumed role'],
  ['CREDENTIALS_PROFILE_SSO', 'SSO'],
  ['CREDENTIALS_PROFILE_SSO_LEGACY', 'SSO'],
  ['CREDENTIALS_PROFILE_PROCESS', 'credential_process'],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', 'web identity'],
  ['CREDENTIALS_PROFILE_LOGIN', 'aws login'],
];
