/**
 * The least that IAM must allow a config: which actions on which resources, in which regions.
 *
 * Computed from the plan alone, offline. What only AWS knows stays a wildcard, as narrow as it gets: the account is `*` and a
 * secret's name is followed by the six characters that Secrets Manager adds. Decryption is bound to these values by the
 * encryption context that both services set, since which key encrypts them is not in the config.
 */

import type { FetchMode } from '../cli/options.ts';
import type { Plan } from '../config/plan.ts';
import type { SecretRef } from '../config/secret-ref.ts';
import { isArn, namedArn, partitionOf } from '../core/arn.ts';
import type { Access } from '../core/problem.ts';
import { batchReads, iamActions } from './batches.ts';

/** A policy as IAM takes it, key for key. */
export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly IamStatement[];
}

/** One statement of it; `Sid` says what it is for. */
interface IamStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: string;
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** The least policy for all of the plans, failover regions included. */
export function policyFor(plans: readonly Plan[], fetch: FetchMode): IamPolicy {
  const reads = plans.flatMap((plan) =>
    plan.objects.flatMap(({ primary, failover }) => (failover ? [primary, failover] : [primary])),
  );
  const batched = batchReads(reads, fetch).some((request) => request.kind === 'BatchGetSecretValue');
  return policyOf(
    (['secretsmanager', 'ssmparameter'] as const).flatMap((service) => {
      const here = reads.filter((read) => read.service === service);
      if (here.length === 0) return [];
      const { action } = services[service];
      return [
        allow(sidOf(action), action, resourcesOf(here)),
        // The action knows no resources: which secrets a batch may hold is what the statement above says.
        ...(service === 'secretsmanager' && batched
          ? [allow(sidOf(iamActions.BatchGetSecretValue), iamActions.BatchGetSecretValue, ['*'])]
          : []),
        decryption(service, here),
      ];
    }),
  );
}

/** What to add to a policy so that reads which were denied succeed; `access` is what AWS said was missing. */
export function missingPolicy(
  denied: readonly { readonly read: SecretRef; readonly access: Access }[],
): IamPolicy {
  const statements = [...Map.groupBy(denied, ({ access }) => access.action)].flatMap(([action, all]) => {
    // AWS does not say which key it is, so decryption is bound to the values, as in the whole policy.
    if (action === 'kms:Decrypt') {
      const byService = Map.groupBy(all, ({ read }) => read.service);
      return [...byService].map(([service, of]) =>
        decryption(
          service,
          of.map(({ read }) => read),
        ),
      );
    }
    // AWS may name a secret by its name, if it was asked for by its name.
    const resources = all.flatMap(({ read, access }) =>
      access.resource === '*' || isArn(access.resource) ? [access.resource] : arnsOf(read),
    );
    return [allow(sidOf(action), action, [...new Set(resources)].sort())];
  });
  return policyOf(statements);
}

function policyOf(Statement: readonly IamStatement[]): IamPolicy {
  return { Version: '2012-10-17', Statement };
}

const services = {
  secretsmanager: {
    action: iamActions.GetSecretValue,
    decryptSid: 'DecryptSecrets',
    host: 'secretsmanager',
    /** The encryption context that the service sends to KMS. */
    context: 'SecretARN',
  },
  ssmparameter: {
    action: iamActions.GetParameters,
    decryptSid: 'DecryptParameters',
    host: 'ssm',
    context: 'PARAMETER_ARN',
  },
} as const;

/** What each statement is for, and what it depends on: sentences to stand beside the policy, which has no comments. */
export function policyNotes(policy: IamPolicy, fetch: FetchMode): readonly string[] {
  const text = JSON.stringify(policy);
  return policy.Statement.flatMap(({ Sid }) => {
    switch (Sid) {
      case 'ReadSecretsInBatches':
        return [
          fetch === 'auto'
            ? `${Sid}: saves calls from ten secrets on; without it they are read one by one.`
            : `${Sid}: --fetch ${fetch} needs it.`,
        ];
      case 'DecryptSecrets':
      case 'DecryptParameters':
        return [
          `${Sid}: only for values under a KMS key of your own, whose key policy must let IAM policies decide; remove it if all are under aws/${Sid === 'DecryptSecrets' ? 'secretsmanager' : 'ssm'}.`,
        ];
      default:
        return [];
    }
  })
    .concat(
      /:(secretsmanager|ssm):[^:]*:\*:/.test(text)
        ? ['The account is written as *: replace it by yours to make the policy narrower.']
        : [],
    )
    .concat(
      text.length > LARGEST
        ? [`The policy has ${text.length} characters; a managed policy takes ${LARGEST}: divide it.`]
        : [],
    );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html; white space does not count. */
const LARGEST = 6144;

const sids: Readonly<Record<string, string>> = {
  [iamActions.GetSecretValue]: 'ReadSecrets',
  [iamActions.BatchGetSecretValue]: 'ReadSecretsInBatches',
  [iamActions.GetParameters]: 'ReadParameters',
};

/** An action that AWS names and we did not ask for keeps its name, which may hold letters and digits only. */
function sidOf(action: string): string {
  return sids[action] ?? action.replace(/[^A-Za-z0-9]/g, '');
}

function allow(sid: string, action: string, resources: readonly string[]): IamStatement {
  return { Sid: sid, Effect: 'Allow', Action: action, Resource: resources };
}

/** Sorted and each once, so that the same config always gives the same policy. */
function resourcesOf(reads: readonly SecretRef[]): readonly string[] {
  return [...new Set(reads.flatMap(arnsOf))].sort();
}

/** The ARNs by which IAM knows the value of a read. */
export function arnsOf(read: SecretRef): readonly string[] {
  if (!isArn(read.id)) return [namedArn(read)];
  if (read.service === 'ssmparameter') return [read.id];
  // An ARN may be given without the six characters, and a name may end as if it had them: "db-master". Those that AWS makes
  // are all lower-case letters once in 180 times.
  const [, suffix] = /-([A-Za-z0-9]{6})$/.exec(read.id) ?? [];
  if (suffix === undefined) return [`${read.id}-??????`];
  return /^[a-z]+$/.test(suffix) ? [read.id, `${read.id}-??????`] : [read.id];
}

function decryption(service: SecretRef['service'], reads: readonly SecretRef[]): IamStatement {
  const { decryptSid, host, context } = services[service];
  const regions = [...new Set(reads.map((read) => read.region))].sort();
  const keys = regions.map((region) => `arn:${partitionOf(region).name}:kms:${region}:*:key/*`);
  const via = regions.map((region) => `${host}.${region}.${partitionOf(region).suffix}`);
  return {
    ...allow(decryptSid, 'kms:Decrypt', keys),
    Condition: {
      StringEquals: { 'kms:ViaService': via },
      StringLike: { [`kms:EncryptionContext:${context}`]: resourcesOf(reads) },
    },
  };
}

/** The role's trust policy as JSON to paste: for Pod Identity, IRSA, or both when the config does not say which. */
export function trustNotes(plans: readonly Plan[]): readonly string[] {
  const ways = new Set(plans.map((plan) => plan.usePodIdentity));
  const partition = partitionOf(plans[0]?.region ?? '').name;
  return [
    ...(ways.has(true) || ways.has(undefined)
      ? [`The role's trust policy for EKS Pod Identity: ${JSON.stringify(podIdentityTrust)}`]
      : []),
    ...(ways.has(false) || ways.has(undefined)
      ? [`The role's trust policy for IRSA: ${JSON.stringify(irsaTrust(partition))}`]
      : []),
  ];
}

const podIdentityTrust = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: 'pods.eks.amazonaws.com' },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
    },
  ],
};

function irsaTrust(partition: string) {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: `arn:${partition}:iam::ACCOUNT:oidc-provider/ISSUER` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            'ISSUER:aud': 'sts.amazonaws.com',
            'ISSUER:sub': 'system:serviceaccount:NAMESPACE:SERVICE_ACCOUNT',
          },
        },
      },
    ],
  };
}
