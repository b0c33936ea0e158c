/**
 * Names of the objects that podsecrets creates, from the name of a config. That is a valid Kubernetes name when the file comes
 * from a cluster; one written for podsecrets alone, or the name of a file, need not be.
 */

import type { Plan } from '../config/plan.ts';

/** The name that Secrets carry of their config: `metadata.name`, else the file's name without its ending. */
export function configIdentity(plan: Plan): string {
  return plan.name ?? plan.file.slice(plan.file.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '');
}

/** `podsecrets-` and the name, reduced to the characters that Kubernetes allows and to 253; undefined when none is left. */
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
