/**
 * The checks that call AWS: the token, the identity, and every value in every region.
 *
 * Values are read, because nothing else shows that they can be, and rendered, because one of the wrong form fails the pod as
 * well; then they are overwritten. Only their version is reported.
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

/** What the checks of objects need of the process and its settings. */
interface ObjectsContext {
  readonly settings: Pick<Settings, 'fetch' | 'awsTimeout'>;
  readonly clock: Clock;
  readonly stop: AbortSignal;
}

/** Adds the checks of token and identity; the objects are skipped when there are no credentials. */
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
  const outcomes = await openSecretSource(options).read(plan.objects.flatMap(readsOf), stop);
  const objects = await Promise.all(plan.objects.map((object) => checkObject(plan, object, outcomes)));
  for (const outcome of outcomes.values()) if (outcome.kind === 'found') outcome.value.wipe();
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

/** What a log would show, such as that batches are denied, is in the report or does not matter here. */
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

async function checkObject(plan: Plan, object: PlannedObject, outcomes: FetchResults): Promise<ObjectCheck> {
  const choice = selectRegion(object, outcomes);
  switch (choice.kind) {
    case 'value': {
      const { value, region } = choice;
      const served = new Map([[object, { ...value, region }]]);
      const contents = await problemsIn(() => render({ ...plan, objects: [object] }, served));
      const status = contents.length > 0 ? 'failed' : choice.degraded === undefined ? 'ok' : 'warning';
      return { object, status, reads: readChecks(object, outcomes, 'warning'), contents };
    }
    case 'absent':
      return { object, status: 'warning', reads: readChecks(object, outcomes, 'warning'), contents: [] };
    case 'failed':
      return { object, status: 'failed', reads: readChecks(object, outcomes, 'failed'), contents: [] };
    default:
      return choice satisfies never;
  }
}

async function problemsIn(work: () => Promise<unknown>): Promise<readonly Problem[]> {
  try {
    await work();
    return [];
  } catch (error) {
    const problems = problemsOrThrow(error);
    return problems;
  }
}

/** `failed` is the status of a failed read: a warning when the other region has the value. */
function readChecks(
  object: PlannedObject,
  outcomes: FetchResults,
  failed: CheckStatus,
): readonly ReadCheck[] {
  return readsOf(object).map((read) => {
    const outcome = outcomes.get(read.key);
    if (outcome === undefined) throw new Error(`no outcome for ${read.id} in ${read.region}`);
    return outcome.kind === 'found'
      ? { read, status: 'ok', version: outcome.version, problem: undefined }
      : { read, status: failed, version: undefined, problem: outcome.problem };
  });
}
