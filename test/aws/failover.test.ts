import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failoverRefs, selectRegion } from '../../src/aws/failover.ts';
import type { Plan, PlannedObject } from '../../src/config/plan.ts';
import { type FetchResult, type SecretRefKey, secretRef } from '../../src/config/secret-ref.ts';
import { Problem, type ProblemCode } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';

const primary = secretRef({ service: 'secretsmanager', region: 'eu-west-1', id: 'db' });
const failover = secretRef({ service: 'secretsmanager', region: 'eu-central-1', id: 'db' });

function object(fields: Partial<PlannedObject> = {}): PlannedObject {
  return {
    subject: 'objects[0]',
    line: 1,
    name: 'db',
    service: 'secretsmanager',
    primary,
    failover,
    optional: false,
    decode: undefined,
    outputs: [],
    ...fields,
  };
}

const found = (version: string): FetchResult => ({ kind: 'found', value: new Secret('v'), version });
const failed = (code: ProblemCode, awsCode?: string): FetchResult => ({
  kind: 'failed',
  awsCode,
  problem: new Problem({ code, subject: code, message: 'm', remedy: 'r' }),
});

function outcomes(first: FetchResult, second?: FetchResult): ReadonlyMap<SecretRefKey, FetchResult> {
  return new Map([[primary.key, first], ...(second === undefined ? [] : [[failover.key, second] as const])]);
}

/** The selection in a word: the selected version, missing, or the codes of its failures. */
function verdict(first: FetchResult, second?: FetchResult, fields: Partial<PlannedObject> = {}): string {
  const choice = selectRegion(object(fields), outcomes(first, second));
  switch (choice.kind) {
    case 'value':
      return `${choice.value.version} from ${choice.region}`;
    case 'missing':
      return 'missing';
    case 'failed':
      return choice.problems.map(({ code }) => code).join();
  }
}

test("uses the primary's value and version if both regions have one", () => {
  assert.is(verdict(found('1'), found('2')), '1 from eu-west-1');
});

for (const code of [
  'fetch.server',
  'fetch.throttled',
  'fetch.network',
  'fetch.response',
  'credentials.sts',
] as const) {
  test(`uses the failover's value if the primary fails with ${code}`, () => {
    assert.is(verdict(failed(code), found('2')), '2 from eu-central-1');
  });
  test(`uses the primary's value if the failover fails with ${code}, and reports the failure`, () => {
    assert.is(verdict(found('1'), failed(code)), '1 from eu-west-1');
    const choice = selectRegion(object(), outcomes(found('1'), failed(code)));
    assert.is(choice.kind === 'value' && choice.degraded?.code, code);
  });
}

for (const [awsCode, fatalInPrimary, fatalInFailover] of [
  ['ResourceNotFound', true, true],
  ['InvalidParameter', true, true],
  ['InvalidKeyId', true, true],
  ['InvalidParameters', true, true],
  ['InvalidRequest', true, false],
  ['DecryptionFailure', true, false],
  ['AccessDenied', false, false],
  ['Validation', false, false],
  ['InvalidSignature', false, false],
  ['OptInRequired', false, false],
  ['EncryptionFailure', false, false],
  ['MalformedPolicyDocument', false, false],
  ['ParameterNotFound', false, false],
  ['ParameterVersionNotFound', false, false],
] as const) {
  const failure = failed('fetch.client', awsCode);
  test(`${awsCode} of the primary ${fatalInPrimary ? 'fails the object' : "uses the failover's value"}`, () => {
    assert.is(verdict(failure, found('2')), fatalInPrimary ? 'fetch.client' : '2 from eu-central-1');
  });
  test(`${awsCode} of the failover ${fatalInFailover ? 'fails the object' : 'is a warning'}`, () => {
    assert.is(verdict(found('1'), failure), fatalInFailover ? 'fetch.client' : '1 from eu-west-1');
  });
}

test('reports both causes if both regions fail', () => {
  assert.is(verdict(failed('fetch.server'), failed('fetch.network')), 'fetch.server,fetch.network');
});

test('an optional object is missing if the primary does not have it', () => {
  assert.is(verdict(failed('fetch.notFound'), found('2'), { optional: true }), 'missing');
  assert.is(verdict(failed('fetch.notFound'), undefined, { optional: true }), 'missing');
});

test("an optional object has the primary's value if only the failover lacks it", () => {
  assert.is(verdict(found('1'), failed('fetch.notFound'), { optional: true }), '1 from eu-west-1');
});

test('an access error of an optional object fails it', () => {
  assert.is(verdict(failed('fetch.denied'), undefined, { optional: true }), 'fetch.denied');
});

test('a malformed request to the failover is an error even if the primary lacks an optional object', () => {
  const malformed = failed('fetch.client', 'InvalidParameter');
  assert.is(verdict(failed('fetch.notFound'), malformed, { optional: true }), 'fetch.client');
  assert.is(verdict(failed('fetch.notFound'), failed('fetch.server'), { optional: true }), 'missing');
});

test("reports only the primary's failure if the failover lacks an optional object", () => {
  assert.is(verdict(failed('fetch.server'), failed('fetch.notFound'), { optional: true }), 'fetch.server');
});

test('a later sync requests from the failover region only what the primary did not return', () => {
  const plan = { objects: [object()] } as unknown as Plan;
  assert.equal(failoverRefs(plan, outcomes(found('1'))), []);
  assert.equal(failoverRefs(plan, outcomes(failed('fetch.notFound', 'ResourceNotFound'))), []);
  assert.equal(failoverRefs(plan, outcomes(failed('fetch.network'))), [failover]);
});

test('a source without a result for a ref is a bug, not a missing object', () => {
  assert.throws(() => selectRegion(object(), new Map()), /no result/);
});

test.run();
