/**
 * The checks that call AWS: the token, the identity, and every value in every region.
 *
 * Values are fetched, because nothing else proves that they can be, and rendered, because a value of the wrong form also fails the
 * pod; then they are overwritten. Only their version is reported.
 */

import type { AuthMethod } from '../aws/auth-method.ts';
import { fetchCallerIdentity } from '../aws/caller-identity.ts';
import { nodeRoleProblem } from '../aws/chain-problems.ts';
import type { AwsEnvironment } from '../aws/environment.ts';
import { selectRegion } from '../aws/failover.ts';
import { openSecretSource, type SourceOptions } from '../aws/secret-source.ts';
import { readToken, type TokenClaims, tokenClaims } from '../aws/service-account-token.ts';
import type { Transport } from '../aws/transport.ts';
import type { Settings } from '../cli/options.ts';
import { durationText } from '../cli/values.ts';
import type { Plan, PlannedObject } from '../config/plan.ts';
import type { FetchResults, SecretRef } from '../config/secret-ref.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type Problem, problemsOrThrow } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { render } from '../render/render.ts';
import { type Check, type CheckStatus, type ObjectCheck, type ReadCheck, runCheck } from './report.ts';

/** The connection to AWS, and how to authenticate. */
export interface AwsConnection {
  readonly environment: AwsEnvironment;
  readonly transport: Transport;
  readonly authentication: AuthMethod;
}

/** The settings and process parts that these checks need. */
interface ObjectsContext {
  readonly settings: Pick<Settings, 'fetch' | 'awsTimeout'>;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** Adds the checks of token and identity. The objects are skipped if there are no credentials. */
export async function checkObjects(
  { settings, clock, stop }: ObjectsContext,
  plan: Plan,
  aws: AwsConnection,
  checks: Check[],
): Promise<readonly ObjectCheck[]> {
  const { authentication } = aws;
  const options: SourceOptions = {
    ...aws,
    fetch: settings.fetch,
    awsTimeout: settings.awsTimeout,
    clock,
    log: silent,
    meter: { apiCall() {} },
  };
  if (authentication.kind !== 'default') {
    await runCheck(checks, 'token', async () => {
      const claims = tokenClaims(await readToken(authentication.tokenFile));
      return {
        value: undefined,
        text: `${escapeControl(authentication.tokenFile)}: ${claimsText(claims, clock.now())}`,
      };
    });
  }
  const identity = await fetchCallerIdentity(options, plan.region, stop);
  if (identity.kind !== 'known') {
    const status = identity.kind === 'none' ? 'failed' : 'warning';
    checks.push({ subject: 'identity', status, text: '', problems: [identity.problem] });
    if (identity.kind === 'none') return skippedObjects(plan);
  } else {
    const { arn, link, expiresAt } = identity;
    const by = link === undefined ? '' : `, via ${escapeControl(link.name)}`;
    const text = `${escapeControl(arn)}${by}${expiryText('; credentials expire', expiresAt, clock.now())}`;
    checks.push(
      link?.nodeRole
        ? { subject: 'identity', status: 'warning', text, problems: [nodeRoleProblem()] }
        : { subject: 'identity', status: 'ok', text, problems: [] },
    );
  }
  const results = await openSecretSource(options).read(plan.objects.flatMap(readsOf), stop);
  const objects = await Promise.all(plan.objects.map((object) => checkObject(plan, object, results)));
  for (const result of results.values()) if (result.kind === 'found') result.value.wipe();
  return objects;
}

/** Every object, skipped. */
export function skippedObjects({ objects }: Plan): readonly ObjectCheck[] {
  return objects.map((object) => ({
    object,
    status: 'skipped',
    reads: readsOf(object).map((read) => ({
      read,
      status: 'skipped',
      version: undefined,
      problem: undefined,
    })),
    contents: [],
  }));
}

function readsOf({ primary, failover }: PlannedObject): readonly SecretRef[] {
  return failover === undefined ? [primary] : [primary, failover];
}

/** Log events, such as denied batches, are in the report or irrelevant here. */
const silent: Log = { write() {}, problem() {} };

function claimsText(claims: TokenClaims | undefined, now: number): string {
  if (claims === undefined) return 'a token of unknown form';
  const { subject = 'no subject', audiences, expiresAt } = claims;
  return `${subject} for ${audiences.join(', ') || 'no audience'}${expiryText(', expires', expiresAt, now)}`;
}

function expiryText(verb: string, at: number | undefined, now: number): string {
  if (at === undefined) return '';
  return at > now ? `${verb} in ${durationText(at - now)}` : `, expired ${durationText(now - at)} ago`;
}

async function checkObject(plan: Plan, object: PlannedObject, results: FetchResults): Promise<ObjectCheck> {
  const selection = selectRegion(object, results);
  switch (selection.kind) {
    case 'value': {
      const { value, region } = selection;
      const values = new Map([[object, { ...value, region }]]);
      const contents = await problemsIn(() => render({ ...plan, objects: [object] }, values));
      const status = contents.length > 0 ? 'failed' : selection.degraded === undefined ? 'ok' : 'warning';
      return { object, status, reads: readChecks(object, results, 'warning'), contents };
    }
    case 'missing':
      return { object, status: 'warning', reads: readChecks(object, results, 'warning'), contents: [] };
    case 'failed':
      return { object, status: 'failed', reads: readChecks(object, results, 'failed'), contents: [] };
    default:
      return selection satisfies never;
  }
}

async function problemsIn(work: () => Promise<unknown>): Promise<readonly Problem[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return problemsOrThrow(error);
  }
}

/** `failed` is the status of a failed ref: a warning if the other region has the value. */
function readChecks(object: PlannedObject, results: FetchResults, failed: CheckStatus): readonly ReadCheck[] {
  return readsOf(object).map((read) => {
    const result = results.get(read.key);
    if (result === undefined) throw new Error(`no result for ${read.id} in ${read.region}`);
    return result.kind === 'found'
      ? { read, status: 'ok', version: result.version, problem: undefined }
      : { read, status: failed, version: undefined, problem: result.problem };
  });
}
