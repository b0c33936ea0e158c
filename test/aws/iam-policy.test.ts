import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arnsOf, missingPolicy, policyFor, policyNotes, trustNotes } from '../../src/aws/iam-policy.ts';
import type { Plan, PlannedObject } from '../../src/config/plan.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';
import { config, parse } from '../support/config.ts';
import { secretPlan } from '../support/secret-plan.ts';

function object(
  service: SecretRef['service'],
  region: string,
  id: string,
  failover?: { region: string; id: string },
): PlannedObject {
  return {
    subject: 'objects[0]',
    line: 1,
    name: id,
    service,
    primary: secretRef({ service, region, id }),
    failover: failover && secretRef({ service, ...failover }),
    optional: false,
    decode: undefined,
    outputs: [],
  };
}

const plan = (objects: readonly PlannedObject[], more: Partial<Plan> = {}) =>
  secretPlan([], { objects, ...more });

test('allows one secret, one parameter and the decryption of both, and nothing else', () => {
  const policy = policyFor(
    [
      plan([
        object('secretsmanager', 'eu-west-1', 'db/password'),
        object('ssmparameter', 'eu-west-1', '/app/token'),
      ]),
    ],
    'auto',
  );
  assert.equal(policy, {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'ReadSecrets',
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: ['arn:aws:secretsmanager:eu-west-1:*:secret:db/password-??????'],
      },
      {
        Sid: 'DecryptSecrets',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: ['arn:aws:kms:eu-west-1:*:key/*'],
        Condition: {
          StringEquals: { 'kms:ViaService': ['secretsmanager.eu-west-1.amazonaws.com'] },
          StringLike: {
            'kms:EncryptionContext:SecretARN': [
              'arn:aws:secretsmanager:eu-west-1:*:secret:db/password-??????',
            ],
          },
        },
      },
      {
        Sid: 'ReadParameters',
        Effect: 'Allow',
        Action: 'ssm:GetParameters',
        Resource: ['arn:aws:ssm:eu-west-1:*:parameter/app/token'],
      },
      {
        Sid: 'DecryptParameters',
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: ['arn:aws:kms:eu-west-1:*:key/*'],
        Condition: {
          StringEquals: { 'kms:ViaService': ['ssm.eu-west-1.amazonaws.com'] },
          StringLike: {
            'kms:EncryptionContext:PARAMETER_ARN': ['arn:aws:ssm:eu-west-1:*:parameter/app/token'],
          },
        },
      },
    ],
  });
});

test('includes the failover region and its object names', () => {
  const failover = { region: 'us-east-1', id: 'db/replica' };
  const { Statement } = policyFor(
    [plan([object('secretsmanager', 'eu-west-1', 'db/password', failover)])],
    'auto',
  );
  const secrets = [
    'arn:aws:secretsmanager:eu-west-1:*:secret:db/password-??????',
    'arn:aws:secretsmanager:us-east-1:*:secret:db/replica-??????',
  ];
  assert.equal(
    Statement.map(({ Resource }) => Resource),
    [secrets, ['arn:aws:kms:eu-west-1:*:key/*', 'arn:aws:kms:us-east-1:*:key/*']],
  );
  assert.equal(Statement[1]?.Condition, {
    StringEquals: {
      'kms:ViaService': ['secretsmanager.eu-west-1.amazonaws.com', 'secretsmanager.us-east-1.amazonaws.com'],
    },
    StringLike: { 'kms:EncryptionContext:SecretARN': secrets },
  });
});

test('uses the ARNs and service names of China and GovCloud', () => {
  const china = JSON.stringify(policyFor([plan([object('ssmparameter', 'cn-north-1', 'plain')])], 'auto'));
  assert.ok(china.includes('"arn:aws-cn:ssm:cn-north-1:*:parameter/plain"'));
  assert.ok(china.includes('"ssm.cn-north-1.amazonaws.com.cn"'));
  assert.ok(china.includes('"arn:aws-cn:kms:cn-north-1:*:key/*"'));
  const gov = JSON.stringify(policyFor([plan([object('secretsmanager', 'us-gov-west-1', 'db')])], 'auto'));
  assert.ok(gov.includes('"arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:db-??????"'));
  assert.ok(gov.includes('"secretsmanager.us-gov-west-1.amazonaws.com"'));
  assert.not.match(china + gov, 'arn:aws:');
});

test('uses an ARN unchanged, with a wildcard for a missing suffix', () => {
  const arns = (id: string) => arnsOf(secretRef({ service: 'secretsmanager', region: 'eu-west-1', id }));
  const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db';
  assert.equal(arns(`${arn}-AbCd12`), [`${arn}-AbCd12`]);
  assert.equal(arns(arn), [`${arn}-??????`]);
  assert.equal(arns(`${arn}-master`), [`${arn}-master`, `${arn}-master-??????`]);
  const parameter = 'arn:aws:ssm:eu-west-1:111122223333:parameter/shared/token';
  assert.equal(arnsOf(secretRef({ service: 'ssmparameter', region: 'eu-west-1', id: parameter })), [
    parameter,
  ]);
});

test('includes the batch action if a batch would be sent', () => {
  const many = plan(
    Array.from({ length: 10 }, (_, index) => object('secretsmanager', 'eu-west-1', `s${index}`)),
  );
  const sids = (fetch: 'auto' | 'batch' | 'single') =>
    policyFor([many], fetch).Statement.map(({ Sid }) => Sid);
  assert.equal(sids('auto'), ['ReadSecrets', 'ReadSecretsInBatches', 'DecryptSecrets']);
  assert.equal(sids('single'), ['ReadSecrets', 'DecryptSecrets']);
  const policy = policyFor([many], 'auto');
  assert.equal(policy.Statement[1]?.Resource, ['*']);
  assert.match(
    policyNotes(policy, 'auto').join(),
    'saves API calls for ten or more secrets; without it they are fetched one by one',
  );
  assert.match(policyNotes(policy, 'batch').join(), 'required by --fetch batch');
});

test('merges several configs into one policy, sorted and without duplicates', () => {
  const one = plan([object('secretsmanager', 'eu-west-1', 'b'), object('secretsmanager', 'eu-west-1', 'a')]);
  const [statement] = policyFor([one, one], 'auto').Statement;
  assert.equal(statement?.Resource, [
    'arn:aws:secretsmanager:eu-west-1:*:secret:a-??????',
    'arn:aws:secretsmanager:eu-west-1:*:secret:b-??????',
  ]);
});

test('a note suggests to replace the account, unless ARNs contain it', () => {
  const notes = (id: string) => {
    const policy = policyFor([plan([object('secretsmanager', 'eu-west-1', id)])], 'auto');
    return policyNotes(policy, 'auto').join('\n');
  };
  assert.match(notes('db'), 'The account is *: replace it');
  assert.not.match(notes('arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCd12'), 'The account');
});

test('a config without objects needs no permission', () => {
  assert.equal(policyFor([plan([])], 'auto').Statement, []);
});

test('a note reports a policy that exceeds the size of a managed policy', () => {
  const many = plan(
    Array.from({ length: 60 }, (_, index) => object('secretsmanager', 'eu-west-1', `a/long/name/${index}`)),
  );
  const policy = policyFor([many], 'single');
  assert.match(
    policyNotes(policy, 'single').join('\n'),
    /The policy has \d+ characters; a managed policy may have 6144: split it/,
  );
});

test('missingPolicy allows only the refs that were denied', () => {
  const read = (service: SecretRef['service'], id: string) => secretRef({ service, region: 'eu-west-1', id });
  const policy = missingPolicy([
    {
      ref: read('secretsmanager', 'db'),
      access: {
        action: 'secretsmanager:GetSecretValue',
        resource: 'arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCd12',
      },
    },
    { ref: read('secretsmanager', 'b'), access: { action: 'secretsmanager:GetSecretValue', resource: 'b' } },
    { ref: read('ssmparameter', '/locked'), access: { action: 'kms:Decrypt', resource: 'the key' } },
    {
      ref: read('secretsmanager', 'x'),
      access: { action: 'secretsmanager:BatchGetSecretValue', resource: '*' },
    },
  ]);
  assert.equal(
    policy.Statement.map(({ Sid, Resource }) => [Sid, Resource]),
    [
      [
        'ReadSecrets',
        [
          'arn:aws:secretsmanager:eu-west-1:*:secret:b-??????',
          'arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCd12',
        ],
      ],
      ['DecryptParameters', ['arn:aws:kms:eu-west-1:*:key/*']],
      ['ReadSecretsInBatches', ['*']],
    ],
  );
});

test('the trust policy depends on usePodIdentity', () => {
  const trust = (usePodIdentity: boolean | undefined) =>
    trustNotes([plan([], { usePodIdentity })]).join('\n');
  assert.match(trust(true), 'pods.eks.amazonaws.com');
  assert.not.match(trust(true), 'AssumeRoleWithWebIdentity');
  assert.match(trust(false), 'system:serviceaccount:NAMESPACE:SERVICE_ACCOUNT');
  assert.match(trust(undefined), 'sts:TagSession');
  assert.match(trust(undefined), 'AssumeRoleWithWebIdentity');
});

for (const wild of ['*', '?', `$${'{aws:username}'}`, `$${'{x}'}`]) {
  test(`rejects a name with ${wild}, which IAM would treat as a pattern`, async () => {
    const arn = (sections: string) => `{objectName: "arn:${sections}", objectAlias: a}`;
    const failover = (name: string) =>
      `{objectName: a, objectType: secretsmanager, objectAlias: a, failoverObject: {objectName: "${name}"}}`;
    for (const object of [
      `{objectName: "db/${wild}", objectType: secretsmanager, objectAlias: a}`,
      `{objectName: "/db/${wild}", objectType: ssmparameter, objectAlias: a}`,
      arn(`${wild}:secretsmanager:eu-west-1:111122223333:secret:db`),
      arn(`aws:secretsmanager:${wild}:111122223333:secret:db`),
      arn(`aws:secretsmanager:eu-west-1:${wild}:secret:db`),
      arn(`aws:secretsmanager:eu-west-1:111122223333:${wild}`),
      arn(`aws:secretsmanager:eu-west-1:111122223333:secret:db${wild}`),
      arn(`aws:ssm:eu-west-1:111122223333:parameter/db${wild}`),
      failover(`db/${wild}`),
      failover(`arn:${wild}:secretsmanager:eu-west-2:111122223333:secret:db`),
    ]) {
      const parsed = await parse(config(`- ${object}`, { failoverRegion: 'eu-west-2' }));
      assert.is(parsed.plan, undefined, object);
      assert.ok(parsed.problems.length > 0, object);
    }
  });
}

test.run();
