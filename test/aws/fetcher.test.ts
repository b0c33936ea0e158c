import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SecretSource } from '../../src/aws/fetcher.ts';
import { fetchValues } from '../../src/aws/fetcher.ts';
import type { Plan } from '../../src/config/plan.ts';
import {
  type FetchResult,
  type SecretRef,
  type SecretRefKey,
  secretRef,
} from '../../src/config/secret-ref.ts';
import { Problem, type ProblemCode } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';

const stop = new AbortController().signal;

/** A source that returns every ref except those that `fails` names by region, and records a line for each call. */
function fakeSource(fails: Record<string, ProblemCode> = {}): SecretSource & {
  requested: string[];
  phases: (string | undefined)[];
  fails: Record<string, ProblemCode>;
} {
  const source = {
    requested: [] as string[],
    fails,
    phases: [] as (string | undefined)[],
    async read(
      reads: readonly SecretRef[],
      _signal: AbortSignal,
      phase?: string,
    ): Promise<ReadonlyMap<SecretRefKey, FetchResult>> {
      source.phases.push(phase);
      source.requested.push(reads.map((read) => `${read.id}@${read.region}`).join(' '));
      return new Map(reads.map((read) => [read.key, outcome(source.fails[read.region])]));
    },
  };
  return source;
}

function outcome(code: ProblemCode | undefined): FetchResult {
  return code === undefined
    ? { kind: 'found', value: new Secret('v'), version: '1' }
    : {
        kind: 'failed',
        problem: new Problem({ code, subject: 's', message: 'm', remedy: 'r' }),
        awsCode: code === 'fetch.notFound' ? 'ResourceNotFound' : undefined,
      };
}

/** A plan of `name`, `name!version` for a pinned one, each with a failover when a second region is given. */
function plan(names: string[], failoverRegion?: string): Plan {
  const objects = names.map((text) => {
    const [id = '', version] = text.split('!');
    const read = (region: string) =>
      secretRef({ service: 'secretsmanager', region, id, ...(version ? { version } : {}) });
    return {
      primary: read('one'),
      failover: failoverRegion === undefined ? undefined : read(failoverRegion),
    };
  });
  return { objects } as unknown as Plan;
}

test('while one plan has no files, all plans are fetched as at a start; later as in a refresh', async () => {
  const source = fakeSource();
  const requests = (...starting: boolean[]) =>
    starting.map((bothRegions, at) => ({ plan: plan([`s${at}`]), source, bothRegions }));
  await fetchValues(requests(true, false), stop);
  await fetchValues(requests(false, false), stop);
  assert.equal(source.phases, ['start', 'refresh']);
});

test('fetches each value once, however many objects and configs name it', async () => {
  const source = fakeSource();
  const [first, second] = await fetchValues(
    [
      { plan: plan(['a', 'b', 'a']), source, bothRegions: true },
      { plan: plan(['b', 'c']), source, bothRegions: true },
    ],
    stop,
  );
  assert.equal(source.requested, ['a@one b@one c@one']);
  assert.is(first, second);
});

test('fetches both regions at once at the start', async () => {
  const source = fakeSource();
  await fetchValues([{ plan: plan(['a'], 'two'), source, bothRegions: true }], stop);
  assert.equal(source.requested, ['a@one a@two']);
});

test('later fetches from the failover region only the refs that the primary did not return', async () => {
  const source = fakeSource();
  const refresh = () => fetchValues([{ plan: plan(['a'], 'two'), source, bothRegions: false }], stop);
  await refresh();
  source.fails = { one: 'fetch.network' };
  await refresh();
  source.fails = { one: 'fetch.denied' };
  await refresh();
  source.fails = { one: 'fetch.notFound' };
  await refresh();
  assert.equal(source.requested, ['a@one', 'a@one', 'a@two', 'a@one', 'a@two', 'a@one']);
});

test('fetches configs with different identities separately', async () => {
  const [first, second] = [fakeSource(), fakeSource({ one: 'fetch.denied' })];
  const results = await fetchValues(
    [
      { plan: plan(['a!1']), source: first, bothRegions: false },
      { plan: plan(['a!1']), source: second, bothRegions: false },
    ],
    stop,
  );
  assert.equal(
    results.map((outcomes) => [...outcomes.values()][0]?.kind),
    ['found', 'failed'],
  );
});

test.run();
