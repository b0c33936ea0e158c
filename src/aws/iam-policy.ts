/**
 * The least-privilege IAM policy for configs: actions, resources and regions.
 *
 * Computed from the plan alone, offline. What is not in the plan becomes a wildcard, as narrow as possible: `*` for the account, and
 * `??????` for the six characters that Secrets Manager appends to a secret's name. The KMS key of a value is not in the config, so
 * decryption is restricted to these values by the encryption context that both services set.
 */

import type { FetchMode } from '../cli/options.ts';
import type { Plan } from '../config/plan.ts';
import type { SecretRef } from '../config/secret-ref.ts';
import { isArn, namedArn, partitionOf } from '../core/arn.ts';
import type { Access } from '../core/problem.ts';
import { type Service, services } from '../core/service.ts';
import { iamActions, requestsFor } from './batches.ts';

/** A policy with IAM's own key names. */
export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly IamStatement[];
}

/** One statement; `Sid` names its purpose. */
interface IamStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: string;
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** The policy for all plans, failover regions included. */
export function policyFor(plans: readonly Plan[], fetch: FetchMode): IamPolicy {
  const refs = plans.flatMap((plan) =>
    plan.objects.flatMap(({ primary, failover }) => (failover ? [primary, failover] : [primary])),
  );
  const batched = requestsFor(refs, fetch).some((request) => request.kind === 'BatchGetSecretValue');
  return policyOf(
    services.flatMap((service) => {
      const ofService = refs.filter((ref) => ref.service === service);
      if (ofService.length === 0) return [];
      const { action } = permissions[service];
      return [
        allow(sidOf(action), action, resourcesOf(ofService)),
        // The action does not support resource-level permissions: the statement above restricts the secrets of a batch.
        ...(service === 'secretsmanager' && batched
          ? [allow(sidOf(iamActions.BatchGetSecretValue), iamActions.BatchGetSecretValue, ['*'])]
          : []),
        decryption(service, ofService),
      ];
    }),
  );
}

/** The statements to add for refs that were denied; `access` is the missing permission, from AWS's error. */
export function missingPolicy(
  denied: readonly { readonly ref: SecretRef; readonly access: Access }[],
): IamPolicy {
  const statements = [...Map.groupBy(denied, ({ access }) => access.action)].flatMap(([action, all]) => {
    // AWS does not name the key, so decryption is restricted to the values, as in the whole policy.
    if (action === 'kms:Decrypt') {
      const byService = Map.groupBy(all, ({ ref }) => ref.service);
      return [...byService].map(([service, of]) =>
        decryption(
          service,
          of.map(({ ref }) => ref),
        ),
      );
    }
    // AWS names a secret by its name if the request did.
    const resources = all.flatMap(({ ref, access }) =>
      access.resource === '*' || isArn(access.resource) ? [access.resource] : arnsOf(ref),
    );
    return [allow(sidOf(action), action, [...new Set(resources)].sort())];
  });
  return policyOf(statements);
}

function policyOf(Statement: readonly IamStatement[]): IamPolicy {
  return { Version: '2012-10-17', Statement };
}

const permissions = {
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
} as const satisfies Readonly<Record<Service, object>>;

/** Sentences about the purpose of the statements, printed next to the policy because JSON has no comments. */
export function policyNotes(policy: IamPolicy, fetch: FetchMode): readonly string[] {
  const text = JSON.stringify(policy);
  return policy.Statement.flatMap(({ Sid }) => {
    switch (Sid) {
      case 'ReadSecretsInBatches':
        return [
          fetch === 'auto'
            ? `${Sid}: saves API calls for ten or more secrets; without it they are fetched one by one.`
            : `${Sid}: required by --fetch ${fetch}.`,
        ];
      case 'DecryptSecrets':
      case 'DecryptParameters':
        return [
          `${Sid}: only for values that a customer managed KMS key encrypts, whose key policy must delegate to IAM; remove it if all are encrypted with aws/${Sid === 'DecryptSecrets' ? 'secretsmanager' : 'ssm'}.`,
        ];
      default:
        return [];
    }
  })
    .concat(
      /:(secretsmanager|ssm):[^:]*:\*:/.test(text)
        ? ['The account is *: replace it with your account id to narrow the policy.']
        : [],
    )
    .concat(
      text.length > MAX_SIZE
        ? [`The policy has ${text.length} characters; a managed policy may have ${MAX_SIZE}: split it.`]
        : [],
    );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html; white space does not count. */
const MAX_SIZE = 6144;

const sids: Readonly<Record<string, string>> = {
  [iamActions.GetSecretValue]: 'ReadSecrets',
  [iamActions.BatchGetSecretValue]: 'ReadSecretsInBatches',
  [iamActions.GetParameters]: 'ReadParameters',
};

/** Any other action keeps its name, without the characters that a Sid may not contain. */
function sidOf(action: string): string {
  return sids[action] ?? action.replace(/[^A-Za-z0-9]/g, '');
}

function allow(sid: string, action: string, resources: readonly string[]): IamStatement {
  return { Sid: sid, Effect: 'Allow', Action: action, Resource: resources };
}

/** Sorted and without duplicates, so that a config always gives the same policy. */
function resourcesOf(refs: readonly SecretRef[]): readonly string[] {
  return [...new Set(refs.flatMap(arnsOf))].sort();
}

/** The ARNs of a ref's value, for a policy. */
export function arnsOf(ref: SecretRef): readonly string[] {
  if (!isArn(ref.id)) return [namedArn(ref)];
  if (ref.service === 'ssmparameter') return [ref.id];
  // An ARN may lack the six characters, and a name may end as if it had them: "db-master". Of the suffixes that AWS generates, one
  // in 180 has lower-case letters only.
  const [, suffix] = /-([A-Za-z0-9]{6})$/.exec(ref.id) ?? [];
  if (suffix === undefined) return [`${ref.id}-??????`];
  return /^[a-z]+$/.test(suffix) ? [ref.id, `${ref.id}-??????`] : [ref.id];
}

function decryption(service: SecretRef['service'], refs: readonly SecretRef[]): IamStatement {
  const { decryptSid, host, context } = permissions[service];
  const regions = [...new Set(refs.map((ref) => ref.region))].sort();
  const keys = regions.map((region) => `arn:${partitionOf(region).name}:kms:${region}:*:key/*`);
  const via = regions.map((region) => `${host}.${region}.${partitionOf(region).suffix}`);
  return {
    ...allow(decryptSid, 'kms:Decrypt', keys),
    Condition: {
      StringEquals: { 'kms:ViaService': via },
      StringLike: { [`kms:EncryptionContext:${context}`]: resourcesOf(refs) },
    },
  };
}

/** The role's trust policy as JSON: for Pod Identity, for IRSA, or for both if the configs name neither. */
export function trustNotes(plans: readonly Plan[]): readonly string[] {
  const methods = new Set(plans.map((plan) => plan.usePodIdentity));
  const partition = partitionOf(plans[0]?.region ?? '').name;
  return [
    ...(methods.has(true) || methods.has(undefined)
      ? [`The role's trust policy for EKS Pod Identity: ${JSON.stringify(podIdentityTrust)}`]
      : []),
    ...(methods.has(false) || methods.has(undefined)
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
