/**
 * Many values at once: each file gets its own value, however many there are and however often one is requested.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../src/core/problem.ts';
import { openWorld, type World } from './world.ts';

const HOME = 'eu-west-1';

const batch = suite<{ world: World }>('batches');
batch.before(async (context) => {
  context.world = await openWorld();
});
batch.after(({ world }) => world.close());

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);
const record = <T>(count: number, entry: (at: number) => readonly [string, T]): Record<string, T> =>
  Object.fromEntries(numbers(count).map(entry));

for (const [count, calls] of [
  [1, 1],
  [9, 1],
  [10, 1],
  [11, 2],
  [20, 2],
  [25, 3],
  [101, 11],
] as const) {
  batch(`${count} parameters are ${calls} calls of at most ten`, async ({ world }) => {
    const { code, files } = await world.fetch({
      regions: { [HOME]: { parameters: record(count, (at) => [`/p/${at}`, `value ${at}`]) } },
      objects: numbers(count).map((at) => ({ objectName: `/p/${at}`, objectType: 'ssmparameter' })),
    });
    assert.is(code, exitCodes.done);
    assert.equal(
      files,
      record(count, (at) => [`_p_${at}`, `value ${at}`]),
    );
    assert.is(world.aws.count({ operation: 'GetParameters' }), calls);
  });
}

for (const [mode, count] of ['auto', 'batch', 'single'].flatMap((fetch) =>
  [1, 9, 10, 20, 21, 25].map((many) => [fetch, many] as const),
)) {
  batch(`each of ${count} secrets gets its value with --fetch ${mode}`, async ({ world }) => {
    const { code, files } = await world.fetch({
      regions: { [HOME]: { secrets: record(count, (at) => [`s/${at}`, `value ${at}`]) } },
      objects: numbers(count).map((at) => ({ objectName: `s/${at}`, objectType: 'secretsmanager' })),
      flags: ['--fetch', mode],
    });
    assert.is(code, exitCodes.done);
    assert.equal(
      files,
      record(count, (at) => [`s_${at}`, `value ${at}`]),
    );
  });
}

batch('one parameter under many aliases is requested once', async ({ world }) => {
  const { files } = await world.fetch({
    regions: { [HOME]: { parameters: { '/p': 'v' } } },
    objects: numbers(12).map((at) => ({
      objectName: '/p',
      objectType: 'ssmparameter',
      objectAlias: `x${at}`,
    })),
  });
  assert.equal(
    files,
    record(12, (at) => [`x${at}`, 'v']),
  );
  assert.is(world.aws.count({ operation: 'GetParameters' }), 1);
});

batch('versions and labels of one parameter are not confused', async ({ world }) => {
  const { files } = await world.fetch({
    regions: {
      [HOME]: {
        parameters: {
          '/p': {
            versions: [
              { value: 'one', labels: ['old'] },
              { value: 'two', labels: ['stable'] },
              { value: 'three' },
            ],
          },
          '/q': 'q',
        },
      },
    },
    objects: [
      ['current', {}],
      ['one', { objectVersion: '1' }],
      ['two', { objectVersion: '2' }],
      ['old', { objectVersionLabel: 'old' }],
      ['stable', { objectVersionLabel: 'stable' }],
      ['again', { objectVersionLabel: 'stable' }],
    ].map(([objectAlias, pin]) => ({
      objectName: '/p',
      objectType: 'ssmparameter',
      objectAlias,
      ...Object(pin),
    })),
  });
  assert.equal(files, {
    current: 'three',
    one: 'one',
    two: 'two',
    old: 'one',
    stable: 'two',
    again: 'two',
  });
});

batch(
  'fetches a parameter by its name and by its ARN, and another one with the same prefix',
  async ({ world }) => {
    const { files } = await world.fetch({
      regions: { [HOME]: { parameters: { '/p': 'v', '/p2': 'w', p: 'bare' } } },
      objects: [
        { objectName: '/p', objectType: 'ssmparameter', objectAlias: 'name' },
        { objectName: `arn:aws:ssm:${HOME}:111122223333:parameter/p2`, objectAlias: 'arn' },
      ],
    });
    assert.equal(files, { name: 'v', arn: 'w' });
  },
);

batch('fetches several stages of one secret', async ({ world }) => {
  const versions = [{ string: 'one' }, { string: 'two' }, { string: 'next', stages: ['AWSPENDING'] }];
  const { files } = await world.fetch({
    regions: { [HOME]: { secrets: { s: { versions } } } },
    objects: [
      ['current', {}],
      ['explicit', { objectVersionLabel: 'AWSCURRENT' }],
      ['previous', { objectVersionLabel: 'AWSPREVIOUS' }],
      ['pending', { objectVersionLabel: 'AWSPENDING' }],
    ].map(([objectAlias, pin]) => ({
      objectName: 's',
      objectType: 'secretsmanager',
      objectAlias,
      ...Object(pin),
    })),
  });
  assert.equal(files, { current: 'two', explicit: 'two', previous: 'one', pending: 'next' });
});

batch('fetches a secret by its name, its ARN and its ARN without the suffix', async ({ world }) => {
  const name = { objectName: 's', objectType: 'secretsmanager' };
  const regions = { [HOME]: { secrets: { s: 'v' } } };
  await world.fetch({ regions, objects: [name] });
  const { arn } = world.aws.putSecret({ region: HOME, name: 's', string: 'v' });
  const { files } = await world.fetch({
    regions,
    objects: [
      { ...name, objectAlias: 'name' },
      { objectName: arn, objectAlias: 'arn' },
      { objectName: arn.replace(/-\w{6}$/, ''), objectAlias: 'partial' },
    ],
  });
  assert.equal(files, { name: 'v', arn: 'v', partial: 'v' });
});

for (const [missing, count] of [
  [0, 11],
  [10, 11],
  [24, 25],
] as const) {
  batch(`number ${missing} of ${count} parameters is missing: nothing is written`, async ({ world }) => {
    const { code, files } = await world.fetch({
      regions: {
        [HOME]: {
          parameters: Object.fromEntries(
            numbers(count).flatMap((at) => (at === missing ? [] : [[`/p/${at}`, 'v']])),
          ),
        },
      },
      objects: numbers(count).map((at) => ({ objectName: `/p/${at}`, objectType: 'ssmparameter' })),
    });
    assert.is(code, exitCodes.fetch);
    assert.equal(files, {});
  });
}

batch('a parameter that the response does not mention is an error', async ({ world }) => {
  const { code, files } = await world.fetch({
    regions: { [HOME]: { parameters: { '/p': 'v', '/q': 'w' } } },
    faults: [{ on: { operation: 'GetParameters' }, does: { kind: 'absent' } }],
    objects: ['/p', '/q'].map((objectName) => ({ objectName, objectType: 'ssmparameter' })),
  });
  assert.is(code, exitCodes.fetch);
  assert.equal(files, {});
});

batch('without the permission for batches, secrets are read one by one', async ({ world }) => {
  const { code, files } = await world.fetch({
    regions: { [HOME]: { secrets: record(12, (at) => [`s${at}`, `${at}`]) } },
    deny: [{ action: 'secretsmanager:BatchGetSecretValue' }],
    objects: numbers(12).map((at) => ({ objectName: `s${at}`, objectType: 'secretsmanager' })),
  });
  assert.is(code, exitCodes.done);
  assert.is(files.s11, '11');
});

batch('if the role may not read one value, nothing is written', async ({ world }) => {
  const { code, files } = await world.fetch({
    regions: { [HOME]: { secrets: { open: 'v', closed: 'w' } } },
    deny: [{ action: 'secretsmanager:*', resource: 'closed' }],
    objects: ['open', 'closed'].map((objectName) => ({ objectName, objectType: 'secretsmanager' })),
  });
  assert.is(code, exitCodes.fetch);
  assert.equal(files, {});
});
batch.run();
