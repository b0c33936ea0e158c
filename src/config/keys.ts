/** The keys of a SecretProviderClass by their place: a key that is in another place is ignored there, and the warning names its own. */

/** Keys of `spec.parameters`. */
export const parameterKeys = [
  'region',
  'failoverRegion',
  'pathTranslation',
  'usePodIdentity',
  'preferredAddressType',
  'objects',
  'envFile',
] as const;

/** Keys of an entry of `objects`: those of the AWS provider, then those that only podsecrets reads. */
export const objectKeys = [
  'objectName',
  'objectAlias',
  'objectVersion',
  'objectVersionLabel',
  'objectType',
  'filePermission',
  'jmesPath',
  'failoverObject',
  'optional',
  'expand',
  'decode',
  'env',
  'envCase',
] as const;

/** Keys of `spec`. */
export const specKeys = ['provider', 'parameters', 'secretObjects'] as const;

/** Whether a key belongs in an object, in any case of its letters. */
export function isObjectKey(key: string): boolean {
  return objectKeys.some((known) => known.toLowerCase() === key.toLowerCase());
}

/** The place where a key has a meaning; undefined if nowhere. */
export function placeOfKey(key: string): string | undefined {
  if (specKeys.some((name) => name === key)) return 'spec';
  if (parameterKeys.some((name) => name === key)) return 'spec.parameters';
  return isObjectKey(key) ? 'the object' : undefined;
}
