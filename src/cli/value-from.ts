/**
 * `--set NAME=REF`: a variable, and the value in AWS that it gets.
 *
 * REF has the syntax of `valueFrom` in a task definition of ECS:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
 */

import { parseArn } from '../core/arn.ts';
import { isEnvName } from '../core/environment.ts';

/** A value of Secrets Manager or Parameter Store, and its variable. */
export interface SetVariable {
  readonly name: string;
  readonly service: 'secretsmanager' | 'ssmparameter';
  /** ARN, or the name of a parameter. */
  readonly id: string;
  /** Undefined for the name of a parameter, which is in the region of the process. */
  readonly region: string | undefined;
  /** A key at the top of a JSON secret; undefined: the whole value. */
  readonly key: string | undefined;
  readonly stage: string | undefined;
  readonly version: string | undefined;
}

/** Undefined if the text is not NAME=REF. */
export function readVariable(text: string): SetVariable | undefined {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  const ref = text.slice(at + 1);
  if (!isEnvName(name)) return undefined;
  const whole = { name, key: undefined, stage: undefined, version: undefined };
  if (/^\/[\w./-]+$/.test(ref)) return { ...whole, service: 'ssmparameter', id: ref, region: undefined };
  const arn = parseArn(ref);
  if (!arn?.region) return undefined;
  const { service, region, resource } = arn;
  if (service === 'ssm') {
    return /^parameter\/\S+$/.test(resource)
      ? { ...whole, service: 'ssmparameter', id: ref, region }
      : undefined;
  }
  const [kind, secret, key, stage, version, ...others] = resource.split(':');
  if (service !== 'secretsmanager' || kind !== 'secret' || !secret || others.length > 0) return undefined;
  const id = ref.split(':').slice(0, SECRET_SECTIONS).join(':');
  // Only the key of a JSON secret may be any text.
  if (/\s/.test(`${id}${stage ?? ''}${version ?? ''}`)) return undefined;
  return {
    name,
    service,
    id,
    region,
    key: key || undefined,
    stage: stage || undefined,
    version: version || undefined,
  };
}

/** `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME` */
const SECRET_SECTIONS = 7;
