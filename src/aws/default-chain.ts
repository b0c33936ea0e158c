/**
 * The SDK's default chain: static access keys, profiles, SSO, an ECS task role, the instance's role. For use outside EKS.
 *
 * The links are the SDK's own providers, called one by one in the SDK's order. The SDK's complete chain is not used, because it drops
 * all errors but the last, continues from a misspelt profile to the instance's role, and has no option to exclude the instance
 * metadata service, which inside Kubernetes returns the identity of the node. Only here does the SDK itself read the environment and
 * `~/.aws`.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { fromIni } from '@aws-sdk/credential-provider-ini';
import { parseKnownFiles } from '@smithy/core/config';
import { fromInstanceMetadata } from '@smithy/credential-provider-imds';
import { withTimeout } from '../core/limits.ts';
import { Problem } from '../core/problem.ts';
import { trustByDefault } from '../http/authorities.ts';
import { agentProblem } from './agent-problems.ts';
import { containerUriProblem } from './auth-method.ts';
import {
  type ChainOptions,
  hasCredentials,
  type Profiles,
  profileKind,
  usesInstanceRole,
} from './chain-links.ts';
import {
  chainProblem,
  chainTimeoutProblem,
  containerProblem,
  expiredKeysProblem,
  halfKeysProblem,
  instanceProblem,
  instanceProfileProblem,
  unusableKeysProblem,
} from './chain-problems.ts';
import { type ClientContext, clientSettings } from './client.ts';
import type { FetchContainerCredentials } from './container-credentials.ts';
import { type AwsCredentials, unusablePart } from './credential-cache.ts';
import { errorFacts, withStaticKeys } from './error-facts.ts';
import { profileProblem } from './profile-problems.ts';
import { readToken } from './service-account-token.ts';
import { fetchFromWebIdentity } from './web-identity.ts';

/** Milliseconds for the whole chain: a credential_process, or a role that another role assumes, takes a few requests. */
const TIMEOUT = 30_000;

/** The credentials of the first link that has some. Every call evaluates all links again, so that renewed keys are used. */
export function fetchFromDefaultChain(
  chain: ChainOptions,
  context: ClientContext,
  fetchFromContainer: FetchContainerCredentials,
): Promise<AwsCredentials> {
  const timedOut = (): Problem => chainTimeoutProblem(TIMEOUT);
  return withTimeout(context.clock, TIMEOUT, timedOut, () => tryLinks(chain, context, fetchFromContainer));
}

async function tryLinks(
  chain: ChainOptions,
  context: ClientContext,
  fetchFromContainer: FetchContainerCredentials,
): Promise<AwsCredentials> {
  const links = [
    () => environmentKeys(chain, context),
    () => profile(chain, context),
    () => webIdentity(chain, context),
    () => container(chain, fetchFromContainer),
  ];
  for (const link of links) {
    try {
      const found = await link();
      if (found !== undefined) return credentialsOf(found, chain);
    } catch (error) {
      // A configured link that fails ends the chain, so that no other identity is used.
      throw error instanceof Problem
        ? chainProblem(chain, [error, ...partialConfigProblems(chain)], undefined)
        : error;
    }
  }
  try {
    const found = await instanceRole(chain);
    if (found !== undefined) return credentialsOf(found, chain);
  } catch (error) {
    throw error instanceof Problem ? chainProblem(chain, partialConfigProblems(chain), error) : error;
  }
  throw chainProblem(chain, partialConfigProblems(chain), undefined);
}

/** Throws a Problem if they cannot sign. */
function credentialsOf(
  { credentials, name, nodeRole = false }: LinkCredentials,
  { platform }: ChainOptions,
): AwsCredentials {
  const unusable = unusablePart(credentials);
  if (unusable !== undefined) throw unusableKeysProblem(name, unusable);
  return { ...credentials, link: { name, nodeRole: nodeRole && platform === 'kubernetes' } };
}

/** The problems of links that are configured in part (one of two variables, an unreadable file), for when no link has credentials. */
function partialConfigProblems({
  profile,
  keys,
  webIdentity,
  profileFiles,
  platform,
}: ChainOptions): readonly Problem[] {
  if (profile !== undefined) return webIdentity instanceof Problem ? [webIdentity] : [];
  // Not inside Kubernetes, where such files are unusual and the home of a container's user is often not readable.
  const unreadable = platform === 'kubernetes' ? undefined : unreadableFile(profileFiles);
  return [
    ...(keys === 'one' ? [halfKeysProblem()] : []),
    ...(unreadable === undefined
      ? []
      : [profileProblem('default', { error: undefined, failure: undefined, unreadable })]),
    ...(webIdentity instanceof Problem ? [webIdentity] : []),
  ];
}

interface LinkCredentials {
  readonly credentials: AwsCredentials;
  readonly name: string;
  readonly nodeRole?: boolean;
}

async function environmentKeys(
  { profile, keys }: ChainOptions,
  { clock }: ClientContext,
): Promise<LinkCredentials | undefined> {
  if (profile !== undefined || keys !== 'both') return undefined;
  const credentials = await fromEnv({ logger: silent })();
  const left = (credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - clock.now();
  if (left <= 0) throw expiredKeysProblem(Math.round(-left / 1000));
  return { credentials, name: 'environment keys' };
}

async function profile(chain: ChainOptions, context: ClientContext): Promise<LinkCredentials | undefined> {
  const name = chain.profile ?? 'default';
  // Not from the cache; `fromIni` then uses the same parsed files, so that the checked profile is the one in use.
  const profiles: Profiles = await parseKnownFiles({ ignoreCache: true });
  const isUsable = hasCredentials(profiles[name]);
  if (chain.profile === undefined && !isUsable) return undefined;
  const nodeRole = usesInstanceRole(profiles, name);
  if (nodeRole && chain.instanceRole !== 'allowed') throw instanceProfileProblem(name, chain);
  const { requestHandler, maxAttempts, retryMode, userAgentAppId, region } = clientSettings(context, 'STS');
  // `credential_source = EcsContainer` may connect to an https endpoint, for which the SDK does not use the transport.
  trustByDefault();
  try {
    const credentials = await fromIni({
      profile: name,
      logger: silent,
      // Neither region nor endpoint, because the profile may use STS, SSO or both.
      clientConfig: { requestHandler, maxAttempts, retryMode, userAgentAppId },
      parentClientConfig: { region },
    })();
    const kind = profileKind(
      (credentials as { readonly $source?: Readonly<Record<string, unknown>> }).$source,
    );
    return { credentials, name: `profile ${name}${kind === undefined ? '' : ` (${kind})`}`, nodeRole };
  } catch (error) {
    // A file system error has a code too, but is not a network error.
    const failure =
      error instanceof Error && 'path' in error ? undefined : errorFacts(error, context.clock.now());
    throw profileProblem(name, {
      error,
      failure: failure && withStaticKeys(failure),
      unreadable: isUsable ? undefined : unreadableFile(chain.profileFiles),
    });
  }
}

/** The first file that exists but cannot be read; the SDK treats it like an empty file. */
function unreadableFile(
  files: readonly string[],
): { readonly file: string; readonly code: string } | undefined {
  for (const file of files) {
    try {
      const descriptor = openSync(file, 'r');
      try {
        readSync(descriptor, new Uint8Array(1));
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      const { code = 'an error' } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') return { file, code };
    }
  }
  return undefined;
}

async function webIdentity(
  { webIdentity }: ChainOptions,
  context: ClientContext,
): Promise<LinkCredentials | undefined> {
  if (webIdentity === undefined || webIdentity instanceof Problem) return undefined;
  return {
    credentials: await fetchFromWebIdentity(webIdentity, context),
    name: `IAM role ${webIdentity.roleArn} with the service account token`,
  };
}

async function container(
  { container }: ChainOptions,
  fetchFromContainer: FetchContainerCredentials,
): Promise<LinkCredentials | undefined> {
  if (container === undefined) return undefined;
  if (!container.isAllowed) throw containerUriProblem(container.uri, container.relativePath);
  const { uri, name, tokenFile } = container;
  const result = await fetchFromContainer(
    uri,
    tokenFile === undefined ? container.token() : await readToken(tokenFile),
  );
  if ('accessKeyId' in result) return { credentials: result, name };
  throw name === 'EKS Pod Identity' ? agentProblem([uri], result) : containerProblem(container, result);
}

async function instanceRole(chain: ChainOptions): Promise<LinkCredentials | undefined> {
  if (chain.instanceRole !== 'allowed') return undefined;
  try {
    const credentials = await fromInstanceMetadata({ logger: silent })();
    return { credentials, name: 'instance role', nodeRole: true };
  } catch (error) {
    const { code, statusCode, message } = error as NodeJS.ErrnoException & { readonly statusCode?: number };
    throw instanceProblem(
      statusCode ?? code ?? (message?.startsWith('TimeoutError') ? 'ETIMEDOUT' : undefined),
    );
  }
}

/** Without a logger, the providers print warnings to the console, into the log of podsecrets. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
