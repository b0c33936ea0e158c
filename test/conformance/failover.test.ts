/**
 * Two regions: the result for each combination of their responses.
 *
 * A missing or malformed object fails the fetch, in either region, and so do some errors of the primary. After any other error
 * the value of the other region is used; the primary's value is preferred. Without a value nothing is written, and earlier files stay.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../src/core/problem.ts';
import type { CallFilter, Fault } from '../fake-aws/faults.ts';
import type { RegionSeed } from '../fake-aws/seed.ts';
import { makeSandbox } from '../support/sandbox.ts';
import { type Fetch, openWorld, type World } from './world.ts';

const HERE = 'eu-west-1';
const THERE = 'us-east-1';
const ACCOUNT = '111122223333';

const failover = suite<{ world: World; random: () => number }>('failover');
failover.before(async (context) => {
  context.world = await openWorld();
  // No pause between attempts: the SDK waits for a random part of a second or two.
  context.random = Math.random;
  Math.random = () => 0;
});
failover.after(async ({ world, random }) => {
  Math.random = random;
  await world.close();
});

/** The response of a region to a call. */
const outcomes = {
  ok: [],
  'not found': [{ kind: 'error', code: 'ResourceNotFoundException' }],
  denied: [{ kind: 'error', code: 'AccessDeniedException' }],
  'a bad request': [{ kind: 'error', code: 'ValidationException' }],
  'a bad key': [{ kind: 'error', code: 'DecryptionFailure' }],
  malformed: [{ kind: 'error', code: 'InvalidParameterException' }],
  throttled: [{ kind: 'throttle' }],
  'an error of the server': [{ kind: 'server-error' }],
  'a cut connection': [{ kind: 'cut', at: 'before-headers' }],
} as const satisfies Readonly<Record<string, readonly Fault['does'][]>>;
type Outcome = keyof typeof outcomes;
const fatalHere: readonly Outcome[] = ['not found', 'malformed', 'a bad key'];
const fatalThere: readonly Outcome[] = ['not found', 'malformed'];

function faultsOf(region: string, outcome: Outcome, on: CallFilter): readonly Fault[] {
  return outcomes[outcome].map((does) => ({ on: { ...on, region }, does }));
}

/** The value that is written: 'here', 'there' or none. */
function served(here: Outcome, there: Outcome): string | undefined {
  if (fatalHere.includes(here) || fatalThere.includes(there)) return undefined;
  if (here === 'ok') return 'here';
  return there === 'ok' ? 'there' : undefined;
}

for (const [service, operation, objectType] of [
  ['secretsmanager', 'GetSecretValue', 'secretsmanager'],
  ['ssm', 'GetParameters', 'ssmparameter'],
] as const) {
  for (const here of Object.keys(outcomes) as Outcome[]) {
    for (const there of Object.keys(outcomes) as Outcome[]) {
      const value = served(here, there);
      failover(`${objectType}: ${here} here, ${there} there: ${value ?? 'nothing'}`, async ({ world }) => {
        const held = (text: string): RegionSeed =>
          service === 'ssm' ? { parameters: { a: text } } : { secrets: { a: text } };
        const { code, files } = await world.fetch({
          regions: { [HERE]: held('here'), [THERE]: held('there') },
          faults: [
            ...faultsOf(HERE, here, { service, operation }),
            ...faultsOf(THERE, there, { service, operation }),
          ],
          parameters: { failoverRegion: THERE },
          objects: [{ objectName: 'a', objectType }],
        });
        assert.equal(files, value === undefined ? {} : { a: value });
        assert.is(code, value === undefined ? exitCodes.fetch : exitCodes.done);
      });
    }
  }
}

/** A secret here and there, and one object. */
interface Case {
  readonly rule: string;
  readonly here?: RegionSeed;
  readonly there?: RegionSeed;
  readonly object: object;
  /** The primary region fails for a while. */
  readonly down?: true;
  readonly file?: string;
}

const secret = { objectName: 'a', objectType: 'secretsmanager', objectAlias: 'x' };
const parameter = { objectName: '/a', objectType: 'ssmparameter', objectAlias: 'x' };
const versions = (of: string) => ({
  versions: [
    { id: '11111111-1111-4111-8111-111111111111', string: `${of} one` },
    { id: '22222222-2222-4222-8222-222222222222', string: `${of} two` },
  ],
});
const labelled = (of: string) => ({
  versions: [
    { value: `${of} one`, labels: ['blue'] },
    { value: `${of} two`, labels: ['green'] },
  ],
});

const cases: readonly Case[] = [
  {
    rule: 'the failover has another name',
    there: { secrets: { b: 'there' } },
    object: { ...secret, failoverObject: { objectName: 'b' } },
    down: true,
    file: 'there',
  },
  {
    rule: "the failover's other name is requested although the primary has the value",
    here: { secrets: { a: 'here' } },
    object: { ...secret, failoverObject: { objectName: 'b' } },
  },
  {
    rule: 'a failover with an ARN',
    there: { secrets: { a: 'there' } },
    object: {
      ...secret,
      failoverObject: { objectName: `arn:aws:secretsmanager:${THERE}:${ACCOUNT}:secret:a` },
    },
    down: true,
    file: 'there',
  },
  {
    rule: 'the ARN of a secret is requested as one of the failover region',
    here: { secrets: { a: 'here' } },
    there: { secrets: { a: 'there' } },
    object: { objectName: `arn:aws:secretsmanager:${HERE}:${ACCOUNT}:secret:a`, objectAlias: 'x' },
    down: true,
    file: 'there',
  },
  {
    rule: 'the ARN of a parameter is requested as one of the failover region',
    here: { parameters: { '/a': 'here' } },
    there: { parameters: { '/a': 'there' } },
    object: { objectName: `arn:aws:ssm:${HERE}:${ACCOUNT}:parameter/a`, objectAlias: 'x' },
    down: true,
    file: 'there',
  },
  {
    rule: 'a stage is inherited',
    there: { secrets: { a: versions('there') } },
    object: { ...secret, objectVersionLabel: 'AWSPREVIOUS', failoverObject: {} },
    down: true,
    file: 'there one',
  },
  {
    rule: "a stage of the failover's own",
    there: { secrets: { a: versions('there') } },
    object: { ...secret, failoverObject: { objectVersionLabel: 'AWSPREVIOUS' } },
    down: true,
    file: 'there one',
  },
  {
    rule: 'the primary keeps its own stage',
    here: { secrets: { a: versions('here') } },
    there: { secrets: { a: versions('there') } },
    object: { ...secret, failoverObject: { objectVersionLabel: 'AWSPREVIOUS' } },
    file: 'here two',
  },
  {
    rule: 'a version is inherited',
    there: { secrets: { a: versions('there') } },
    object: { ...secret, objectVersion: '11111111-1111-4111-8111-111111111111', failoverObject: {} },
    down: true,
    file: 'there one',
  },
  {
    rule: "a label of the failover's own",
    there: { parameters: { '/a': labelled('there') } },
    object: {
      ...parameter,
      objectVersionLabel: 'blue',
      failoverObject: { objectName: '/a', objectVersionLabel: 'green' },
    },
    down: true,
    file: 'there two',
  },
  {
    rule: "an inherited version goes before a label of the failover's own",
    there: { parameters: { '/a': labelled('there') } },
    object: { ...parameter, objectVersion: '1', failoverObject: { objectVersionLabel: 'green' } },
    down: true,
    file: 'there one',
  },
  {
    rule: 'a parameter with another name there',
    there: { parameters: { '/b': 'there' } },
    object: { ...parameter, failoverObject: { objectName: '/b' } },
    down: true,
    file: 'there',
  },
  {
    rule: 'a secret that is missing there fails although the primary has the value',
    here: { secrets: { a: 'here' } },
    object: secret,
  },
  {
    rule: 'a parameter that is missing there fails although the primary has the value',
    here: { parameters: { '/a': 'here' } },
    object: parameter,
  },
];
for (const { rule, here = {}, there = {}, object, down, file } of cases) {
  failover(rule, async ({ world }) => {
    const on = { region: HERE };
    const faults: Fetch['faults'] = down
      ? ['secretsmanager' as const, 'ssm' as const].map((service) => ({
          on: { ...on, service },
          does: { kind: 'server-error' },
        }))
      : [];
    const { code, files } = await world.fetch({
      regions: { [HERE]: here, [THERE]: there },
      faults,
      parameters: { failoverRegion: THERE },
      objects: [object],
    });
    assert.equal(files, file === undefined ? {} : { x: file });
    assert.is(code, file === undefined ? exitCodes.fetch : exitCodes.done);
  });
}

failover('a field that fails is an error of the secret, not a reason for a failover', async ({ world }) => {
  const { code, files } = await world.fetch({
    regions: { [HERE]: { secrets: { a: '{}' } }, [THERE]: { secrets: { a: '{"k":"v"}' } } },
    parameters: { failoverRegion: THERE },
    objects: [{ ...secret, jmesPath: [{ path: 'k', objectAlias: 'k' }] }],
  });
  assert.equal(files, {});
  assert.is(code, exitCodes.fetch);
});

failover('each object has the value of a region that returns it', async ({ world }) => {
  const { code, files } = await world.fetch({
    regions: {
      [HERE]: { secrets: { a: 'a here', b: 'b here' }, parameters: { '/p': 'p here' } },
      [THERE]: { secrets: { a: 'a there', b: 'b there' }, parameters: { '/p': 'p there' } },
    },
    faults: [
      { on: { region: HERE, id: 'a' }, does: { kind: 'server-error' } },
      { on: { region: THERE, id: 'b' }, does: { kind: 'server-error' } },
      { on: { region: HERE, operation: 'GetParameters' }, does: { kind: 'throttle' } },
    ],
    parameters: { failoverRegion: THERE },
    objects: [
      { objectName: 'a', objectType: 'secretsmanager' },
      { objectName: 'b', objectType: 'secretsmanager' },
      { objectName: '/p', objectType: 'ssmparameter' },
    ],
  });
  assert.equal(files, { a: 'a there', b: 'b here', _p: 'p there' });
  assert.is(code, exitCodes.done);
});

failover('earlier files stay if neither region returns a value', async ({ world }) => {
  const box = makeSandbox();
  try {
    const requested = {
      regions: { [HERE]: { secrets: { a: 'here' } }, [THERE]: { secrets: { a: 'there' } } },
      parameters: { failoverRegion: THERE },
      objects: [secret],
    };
    await world.fetch(requested, box);
    const faults: Fetch['faults'] = [{ on: { operation: 'GetSecretValue' }, does: { kind: 'server-error' } }];
    const { code, files } = await world.fetch({ ...requested, faults }, box);
    assert.is(code, exitCodes.fetch);
    assert.equal(files, { x: 'here' });
  } finally {
    box.remove();
  }
});

failover('if one region never responds, the value of the other is used', async ({ world }) => {
  const fetch = (timeout: string) =>
    world.fetch({
      regions: { [HERE]: { secrets: { a: 'here' } }, [THERE]: { secrets: { a: 'there' } } },
      faults: [{ on: { region: HERE, operation: 'GetSecretValue' }, does: { kind: 'hang' } }],
      parameters: { failoverRegion: THERE },
      objects: [secret],
      flags: ['--aws-timeout', timeout],
    });
  let fetched = await fetch('200ms');
  // On a slow machine the other one does not respond so soon.
  if (fetched.code !== exitCodes.done) fetched = await fetch('10s');
  assert.equal(fetched.files, { x: 'there' });
  assert.is(fetched.code, exitCodes.done);
});
failover.run();
