/**
 * Names of the objects that podsecrets creates, from the name of a config. The name of a class from a cluster is a valid
 * Kubernetes name; that of a class written only for podsecrets, or of a file, may be invalid.
 */

import type { Plan } from '../config/plan.ts';

/** The name of a config in annotations: `metadata.name`, else the file's name without its extension. */
export function configIdentity(plan: Plan): string {
  return plan.name ?? plan.file.slice(plan.file.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '');
}

/** `podsecrets-` and the name, reduced to the characters that Kubernetes allows and to 253; undefined if none is left. */
export function ownName(config: string): string | undefined {
  const name = config
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, MAX_LENGTH - PREFIX.length)
    // A part between dots begins and ends with a letter or digit.
    .replace(/[-.]*\.[-.]*/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '');
  return name === '' ? undefined : PREFIX + name;
}

const PREFIX = 'podsecrets-';
const MAX_LENGTH = 253;
