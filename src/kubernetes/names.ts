/**
 * Names for objects of ours, from the name of a config. That is a name of Kubernetes already when its file came from a
 * cluster; one that somebody wrote for podsecrets alone, or the name of a file, need not be one.
 */

/** `podsecrets-` and the name, in letters that Kubernetes takes, at most 253 of them; undefined when there are none. */
export function ownName(config: string): string | undefined {
  const name = config
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, LONGEST - PREFIX.length)
    // A part between dots begins and ends with a letter or digit.
    .replace(/[-.]*\.[-.]*/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '');
  return name === '' ? undefined : PREFIX + name;
}

const PREFIX = 'podsecrets-';
const LONGEST = 253;
