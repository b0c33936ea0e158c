/**
 * The parameters of one region: numbered versions, labels on versions, paths.
 *
 * A label is on one version of a parameter at a time.
 */

import { partition } from './secrets.ts';

export type ParameterType = 'String' | 'StringList' | 'SecureString';

interface ParameterVersion {
  readonly number: number;
  readonly value: string;
  readonly type: ParameterType;
  readonly labels: Set<string>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface StoredParameter {
  readonly name: string;
  readonly arn: string;
  /** Oldest first; never empty. */
  readonly versions: ParameterVersion[];
}

/** A parameter at one of its versions, as a name with a selector finds it. */
export interface FoundParameter {
  readonly parameter: StoredParameter;
  readonly version: ParameterVersion;
  /** `:3` or `:label`, as requested. */
  readonly selector: string | undefined;
}

/** `noVersion`: the parameter is there, the version or label is not. */
export type ParameterLookup = FoundParameter | 'noParameter' | 'noVersion';

export interface Parameters {
  /** By name or ARN, with or without `:version` or `:label`. */
  find(id: string): ParameterLookup;
  /** In the order of their names. */
  all(): readonly StoredParameter[];
  /** Adds a version; the first one creates the parameter. */
  put(name: string, value: string, type: ParameterType, labels?: readonly string[]): ParameterVersion;
  label(parameter: StoredParameter, version: ParameterVersion, label: string): void;
  remove(parameter: StoredParameter): void;
  /** The ARN that a parameter or a path of this name has or would have. */
  arn(id: string): string;
}

export function parametersOf(region: string, accountId: string, now: () => number): Parameters {
  const byName = new Map<string, StoredParameter>();
  const prefix = `arn:${partition(region)}:ssm:${region}:${accountId}:parameter`;

  function arn(id: string): string {
    return id.startsWith('arn:') ? id : `${prefix}${id.startsWith('/') ? '' : '/'}${id}`;
  }

  function label(parameter: StoredParameter, version: ParameterVersion, name: string): void {
    for (const other of parameter.versions) other.labels.delete(name);
    version.labels.add(name);
  }

  return {
    arn,
    label,

    find(id) {
      const { base, selector } = splitSelector(id);
      const parameter = base.startsWith('arn:')
        ? [...byName.values()].find((stored) => stored.arn === base)
        : byName.get(base);
      if (parameter === undefined) return 'noParameter';
      const version = versionAt(parameter, selector?.slice(1));
      return version === undefined ? 'noVersion' : { parameter, version, selector };
    },

    all: () => [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),

    put(name, value, type, labels = []) {
      const parameter = byName.get(name) ?? { name, arn: arn(name), versions: [] };
      byName.set(name, parameter);
      const number = (parameter.versions.at(-1)?.number ?? 0) + 1;
      const version: ParameterVersion = { number, value, type, labels: new Set(), createdAt: now() };
      parameter.versions.push(version);
      for (const name of labels) label(parameter, version, name);
      return version;
    },

    remove(parameter) {
      byName.delete(parameter.name);
    },
  };
}

/** `/app/key:3` is `/app/key` and `:3`; the colons of an ARN are no selectors. */
export function splitSelector(id: string): {
  readonly base: string;
  readonly selector: string | undefined;
} {
  const [, base = id, selector] = /^(arn(?::[^:]*){5}|[^:]*)(:.*)?$/.exec(id) ?? [];
  return { base, selector };
}

/** By number or label; the newest without either. */
function versionAt(parameter: StoredParameter, selector: string | undefined): ParameterVersion | undefined {
  if (selector === undefined) return parameter.versions.at(-1);
  return /^\d+$/.test(selector)
    ? parameter.versions.find((version) => version.number === Number(selector))
    : parameter.versions.find((version) => version.labels.has(selector));
}
