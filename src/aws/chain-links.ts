/**
 * The SDK's default chain of credentials: what its links need, and which of them would lead to the instance's role.
 *
 * The order is the SDK's: keys in the environment, a profile, a web identity, a container's address, the instance's role.
 * Inside Kubernetes the last one is the role of the node, which every pod of the node would have: `auto` never uses it,
 * neither from the instance metadata service directly nor by a profile.
 */

import type { Place } from '../core/environment.ts';
import type { Problem } from '../core/problem.ts';

/** What the links go by. Nothing here is a secret. */
export interface ChainOptions {
  readonly place: Place;
  /** Whether the instance's role may serve. `withheld`: by us, inside Kubernetes; `disabled`: AWS_EC2_METADATA_DISABLED. */
  readonly instanceRole: 'allowed' | 'withheld' | 'disabled';
  /** AWS_PROFILE. Then the SDK passes over keys in the environment. */
  readonly profile: string | undefined;
  /** The shared files of profiles, as far as their paths are known. */
  readonly profileFiles: readonly string[];
  /** AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
  readonly keys: 'both' | 'one' | 'none';
  /** What IRSA's variables say, or what is wrong with them. */
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

/** Where a container gets credentials from: the ECS agent, or another that speaks like it. */
export interface ContainerOptions {
  readonly name: 'ECS task role' | 'container credentials' | 'EKS Pod Identity';
  readonly uri: string;
  /** Whether what proves the container's identity may be sent there. */
  readonly mayBeAsked: boolean;
  readonly tokenFile: string | undefined;
  /** AWS_CONTAINER_AUTHORIZATION_TOKEN: a secret, so that it stands in no field. */
  token(): string | undefined;
}

/** The link that served. */
export interface ChainLink {
  /** For the log, `doctor` and the status page: `ECS task role`, `instance role`, `environment keys`, `profile dev (SSO)`. */
  readonly name: string;
  /** The credentials are those of the node that the pod runs on. */
  readonly nodeRole: boolean;
}

/** Profiles as the SDK reads them: name to settings. */
export type Profiles = Readonly<Record<string, Readonly<Record<string, string | undefined>> | undefined>>;

/** Whether a profile says anything about credentials: many say the region only. */
export function holdsCredentials(profile: Profiles[string]): boolean {
  return Object.keys(profile ?? {}).some((key) =>
    /^(aws_|role_arn|source_profile|credential_|sso_|web_identity_|login_)/.test(key),
  );
}

/** Whether a profile gets its first credentials from the instance metadata service, itself or by its source profiles. */
export function usesInstanceRole(profiles: Profiles, name: string): boolean {
  const visited = new Set<string>();
  let at: string | undefined = name;
  while (at !== undefined && !visited.has(at)) {
    const profile: Profiles[string] = profiles[at];
    if (profile === undefined) return false;
    const { role_arn, credential_source, aws_access_key_id, aws_secret_access_key } = profile;
    const hasKeys = aws_access_key_id !== undefined && aws_secret_access_key !== undefined;
    // The SDK takes keys before it looks further, but for the first profile's role.
    if (hasKeys && (visited.size > 0 || role_arn === undefined)) return false;
    if (credential_source === 'Ec2InstanceMetadata') return true;
    visited.add(at);
    at = profile.source_profile;
  }
  return false;
}

/** What kind of profile served, by the SDK's own marks in `$source`; undefined for one with keys in it. */
export function profileKind(source: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return kinds.find(([mark]) => source?.[mark] !== undefined)?.[1];
}

/** A profile that assumes a role carries the mark of where its first credentials are from as well, which says less. */
const kinds: readonly (readonly [mark: string, kind: string])[] = [
  ['CREDENTIALS_PROFILE_SOURCE_PROFILE', 'assumed role'],
  ['CREDENTIALS_PROFILE_SSO', 'SSO'],
  ['CREDENTIALS_PROFILE_SSO_LEGACY', 'SSO'],
  ['CREDENTIALS_PROFILE_PROCESS', 'credential_process'],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', 'web identity'],
  ['CREDENTIALS_PROFILE_LOGIN', 'aws login'],
];
