/**
 * The SDK's default chain: static keys, profiles, SSO, an ECS task role, the instance's role. For work outside EKS.
 *
 * The links are the SDK's own providers, asked one by one in the SDK's order. Its ready-made chain throws away all but the
 * last link's error; it goes from a profile that somebody named and misspelt on to the instance's role; and there is no option
 * that keeps it from the instance metadata service, which inside Kubernetes gives the identity of the node. The one place where the SDK reads the environment and `~/.aws` by itself: that is what the chain is.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { fromIni } from '@aws-sdk/credential-provider-ini';
import { parseKnownFiles } from '@smithy/core/config';
import { fromInstanceMetadata } from '@smithy/credential-provider-imds';
import { Problem } from '../core/problem.ts';
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
import { type AwsCredentials, areUsable } from './credential-cache.ts';
import { errorFacts, withStaticKeys } from './error-facts.ts';
import { withTimeout } from './limits.ts';
import { profileProblem } from './profile-problems.ts';
import { readToken } from './service-account-token.ts';
import { fetchFromWebIdentity } from './web-identity.ts';

/** Milliseconds for the whole chain: a profile's process or a role behind a role takes a few requests. */
const LIMIT = 30_000;

/** Credentials of the first link that serves; each is asked again every time, so that renewed keys and profiles are seen. */
export function fetchFromDefaultChain(
  chain: ChainOptions,
  surroundings: ClientContext,
  fetchFromContainer: FetchContainerCredentials,
): Promise<AwsCredentials> {
  const late = (): Problem => chainTimeoutProblem(LIMIT);
  return withTimeout(surroundings.clock, LIMIT, late, () =>
    askLinks(chain, surroundings, fetchFromContainer),
  );
}

async function askLinks(
  chain: ChainOptions,
  surroundings: ClientContext,
  fetchFromContainer: FetchContainerCredentials,
): Promise<AwsCredentials> {
  const links = [
    () => environmentKeys(chain, surroundings),
    () => profile(chain, surroundings),
    () => webIdentity(chain, surroundings),
    () => container(chain, fetchFromContainer),
  ];
  for (const link of links) {
    try {
      const served = await link();
      if (served !== undefined) return credentialsOf(served, chain);
    } catch (error) {
      // What somebody set up is what is meant: the chain does not go on to another identity.
      throw error instanceof Problem ? chainProblem(chain, [error, ...halfSetUp(chain)], undefined) : error;
    }
  }
  try {
    const served = await instanceRole(chain);
    if (served !== undefined) return credentialsOf(served, chain);
  } catch (error) {
    throw error instanceof Problem ? chainProblem(chain, halfSetUp(chain), error) : error;
  }
  throw chainProblem(chain, halfSetUp(chain), undefined);
}

/** Throws a Problem when they cannot sign. */
function credentialsOf(
  { credentials, name, nodeRole = false }: Served,
  { place }: ChainOptions,
): AwsCredentials {
  if (!areUsable(credentials)) throw unusableKeysProblem(name);
  return { ...credentials, link: { name, nodeRole: nodeRole && place === 'kubernetes' } };
}

/** What leads nowhere, one of two variables or a file that cannot be read: it is reported when no link serves. */
function halfSetUp({ profile, keys, webIdentity, profileFiles, place }: ChainOptions): readonly Problem[] {
  if (profile !== undefined) return webIdentity instanceof Problem ? [webIdentity] : [];
  // Inside Kubernetes nobody expects such files, and the home of a container's user is often not its own.
  const unreadable = place === 'kubernetes' ? undefined : unreadableFile(profileFiles);
  return [
    ...(keys === 'one' ? [halfKeysProblem()] : []),
    ...(unreadable === undefined
      ? []
      : [profileProblem('default', { error: undefined, failure: undefined, unreadable })]),
    ...(webIdentity instanceof Problem ? [webIdentity] : []),
  ];
}

interface Served {
  readonly credentials: AwsCredentials;
  readonly name: string;
  readonly nodeRole?: boolean;
}

async function environmentKeys(
  { profile, keys }: ChainOptions,
  { clock }: ClientContext,
): Promise<Served | undefined> {
  if (profile !== undefined || keys !== 'both') return undefined;
  const credentials = await fromEnv({ logger: silent })();
  const left = (credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - clock.now();
  if (left <= 0) throw expiredKeysProblem(Math.round(-left / 1000));
  return { credentials, name: 'environment keys' };
}

async function profile(chain: ChainOptions, surroundings: ClientContext): Promise<Served | undefined> {
  const name = chain.profile ?? 'default';
  // Read again here; `fromIni` then takes the very same texts, so that what was checked is what is used.
  const profiles: Profiles = await parseKnownFiles({ ignoreCache: true });
  const holds = hasCredentials(profiles[name]);
  if (chain.profile === undefined && !holds) return undefined;
  const nodeRole = usesInstanceRole(profiles, name);
  if (nodeRole && chain.instanceRole !== 'allowed') throw instanceProfileProblem(name, chain);
  const { requestHandler, maxAttempts, retryMode, userAgentAppId, region } = clientSettings(
    surroundings,
    'STS',
  );
  try {
    const credentials = await fromIni({
      profile: name,
      logger: silent,
      // Neither region nor endpoint: the profile may lead to STS, to SSO or to both.
      clientConfig: { requestHandler, maxAttempts, retryMode, userAgentAppId },
      parentClientConfig: { region },
    })();
    const kind = profileKind(
      (credentials as { readonly $source?: Readonly<Record<string, unknown>> }).$source,
    );
    return { credentials, name: `profile ${name}${kind === undefined ? '' : ` (${kind})`}`, nodeRole };
  } catch (error) {
    // An error of the file system has a code as one of the network has.
    const failure =
      error instanceof Error && 'path' in error ? undefined : errorFacts(error, surroundings.clock.now());
    throw profileProblem(name, {
      error,
      failure: failure && withStaticKeys(failure),
      unreadable: holds ? undefined : unreadableFile(chain.profileFiles),
    });
  }
}

/** The first file that is there and cannot be read: the SDK takes it for an empty one. */
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
      const { code = 'no answer of the file system' } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') return { file, code };
    }
  }
  return undefined;
}

async function webIdentity(
  { webIdentity }: ChainOptions,
  surroundings: ClientContext,
): Promise<Served | undefined> {
  if (webIdentity === undefined || webIdentity instanceof Problem) return undefined;
  return {
    credentials: await fetchFromWebIdentity(webIdentity, surroundings),
    name: `IAM role ${webIdentity.roleArn} by the service account's token`,
  };
}

async function container(
  { container }: ChainOptions,
  fetchFromContainer: FetchContainerCredentials,
): Promise<Served | undefined> {
  if (container === undefined) return undefined;
  if (!container.mayBeAsked) throw containerUriProblem(container.uri);
  const { uri, name, tokenFile } = container;
  const answer = await fetchFromContainer(
    uri,
    tokenFile === undefined ? container.token() : await readToken(tokenFile),
  );
  if ('accessKeyId' in answer) return { credentials: answer, name };
  throw name === 'EKS Pod Identity' ? agentProblem([uri], answer) : containerProblem(container, answer);
}

async function instanceRole(chain: ChainOptions): Promise<Served | undefined> {
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

/** Without one, the providers write their warnings to the console, between our lines. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
