/**
 * The region of the machine, for a config without one, outside Kubernetes.
 *
 * The places and their order are those of the AWS CLI: AWS_REGION, AWS_DEFAULT_REGION, the profile, the instance metadata service.
 * In a pod only AWS_REGION is used, because the metadata service returns the node's region.
 */

import { parseKnownFiles } from '@smithy/core/config';
import { getInstanceMetadataEndpoint, httpRequest } from '@smithy/credential-provider-imds';
import { durationText } from '../cli/values.ts';
import type { RegionSearch } from '../config/parameters.ts';
import type { Clock } from '../core/clock.ts';
import { type Environment, inKubernetes } from '../core/environment.ts';
import { withTimeout } from '../core/limits.ts';
import { escapeControl } from '../core/text.ts';

/** Milliseconds for the instance metadata service, whose address may not be routed on other machines. */
const METADATA_LIMIT = 1000;

/** Searches for a region. Never rejects: a place that cannot be read counts as having no region. */
export async function findRegion(env: Environment, clock: Clock): Promise<RegionSearch> {
  const searched: string[] = [];
  const variables = inKubernetes(env) ? ['AWS_REGION'] : ['AWS_REGION', 'AWS_DEFAULT_REGION'];
  for (const from of variables) {
    const region = env[from];
    if (region) return { region, from };
    searched.push(from);
  }
  if (inKubernetes(env)) return { region: undefined, searched };
  const name = env.AWS_PROFILE || 'default';
  const profile = `the profile ${escapeControl(name)}`;
  const ofProfile = await profileRegion(name);
  if (ofProfile !== undefined) return { region: ofProfile, from: profile };
  searched.push(profile);
  if (env.AWS_EC2_METADATA_DISABLED && env.AWS_EC2_METADATA_DISABLED !== 'false')
    return { region: undefined, searched };
  try {
    return { region: await instanceRegion(clock), from: METADATA };
  } catch (error) {
    return { region: undefined, searched: [...searched, `${METADATA} (${failureText(error)})`] };
  }
}

const METADATA = 'the instance metadata service';

/** Undefined without the profile or its files, and if they cannot be parsed: the credentials report that. */
async function profileRegion(name: string): Promise<string | undefined> {
  try {
    return (await parseKnownFiles({ ignoreCache: true }))[name]?.region || undefined;
  } catch {
    return undefined;
  }
}

/** With a session token (IMDSv2), which every instance accepts; some accept nothing else. */
async function instanceRegion(clock: Clock): Promise<string> {
  const timedOut = () => new Error('TimeoutError');
  return await withTimeout(clock, METADATA_LIMIT, timedOut, async (signal) => {
    const { hostname, port, protocol } = await getInstanceMetadataEndpoint();
    const request = { hostname, port, protocol, signal, timeout: METADATA_LIMIT };
    const token = await httpRequest({
      ...request,
      method: 'PUT',
      path: '/latest/api/token',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
    });
    const region = await httpRequest({
      ...request,
      path: '/latest/meta-data/placement/region',
      headers: { 'x-aws-ec2-metadata-token': token.toString() },
    });
    return region.toString().trim();
  });
}

function failureText(error: unknown): string {
  const { code, statusCode, message } = error as NodeJS.ErrnoException & { readonly statusCode?: number };
  if (statusCode !== undefined) return `HTTP status ${statusCode}`;
  if (message?.startsWith('TimeoutError')) return `no response within ${durationText(METADATA_LIMIT)}`;
  return typeof code === 'string' ? code : 'no response';
}
