/**
 * Runs an injection as `podsecrets inject` does, from flags, and checks what is true of every result: it passes the schemas of
 * every release, containers can open their files, a second injection changes nothing, and text and objects are equal.
 */

import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { parseCommand } from '../../src/cli/parse.ts';
import { type Injected, type Input, inject } from '../../src/inject/inject.ts';
import { readInjectOptions } from '../../src/inject/options.ts';
import { manifestFaults, objectFaults, releases } from './kubernetes-schemas.ts';
import { mountFaultsIn } from './mount-faults.ts';

export interface Injection {
  readonly text: string;
  /** Flags, divided by spaces. */
  readonly flags?: string;
  readonly config?: string;
  readonly dir?: string;
  /** The releases whose schemas the result passes. Default: all. */
  readonly since?: (typeof releases)[number];
}

export async function injected({
  text,
  flags = '',
  config,
  dir,
  since = releases[0],
}: Injection): Promise<Injected> {
  const configs = config === undefined ? [] : [{ file: 'config.yaml', text: config, dir }];
  const result = await injectWith({ file: 'pods.yaml', text, configs }, flags);
  const again = await injectWith({ file: 'pods.yaml', text: result.text, configs }, flags);
  assert.is(again.text, result.text, 'doing it again changes nothing');
  assert.equal(mountFaultsIn(result.objects), []);
  for (const release of releases.slice(releases.indexOf(since))) {
    assert.equal(manifestFaults(result.text, release), []);
    assert.equal(
      result.objects.flatMap((object) => objectFaults(object, release)),
      [],
    );
  }
  return result;
}

/** One file of manifests, and configs. */
interface OneFile extends Pick<Input, 'configs'> {
  readonly file: string;
  readonly text: string;
}

export function injectWith({ configs, ...manifest }: OneFile, flags: string): Promise<Injected> {
  const command = parseCommand(['inject', ...flags.split(' ').filter((word) => word !== '')], {});
  if (command.kind !== 'run') throw new Error('expected a command that runs');
  return inject({ manifests: [manifest], configs }, readInjectOptions(command.invocation));
}

/** The objects of a text. */
export function objectsIn(text: string): readonly unknown[] {
  return [...parseAllDocuments(text, { version: '1.1' })].map((document) => document.toJS() as unknown);
}

/** The fields of a container that tests use. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly restartPolicy?: string;
  readonly startupProbe?: { readonly httpGet: unknown; readonly failureThreshold: number };
  readonly livenessProbe?: unknown;
  readonly resources?: unknown;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly subPathExpr?: string;
    readonly readOnly?: boolean;
  }[];
  readonly env?: readonly { readonly name: string; readonly [key: string]: unknown }[];
}

/** All containers, or all init containers, of the objects. */
export function containersIn(
  objects: unknown,
  list: 'containers' | 'initContainers',
): readonly ContainerView[] {
  return valuesIn<readonly ContainerView[]>(objects, list).flat();
}

/** Every value of a key, at any depth. */
export function valuesIn<T>(value: unknown, key: string): readonly T[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesIn<T>(item, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === key ? [inner as T] : valuesIn<T>(inner, key),
  );
}

/** The lines that are in one text and not in the other. */
export function changedLines(
  before: string,
  after: string,
): { readonly gone: string[]; readonly came: string[] } {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  return {
    gone: old.filter((line) => !fresh.includes(line)),
    came: fresh.filter((line) => !old.includes(line)),
  };
}

export const secretProviderClass = `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: app
spec:
  provider: aws
  parameters:
    region: eu-central-1
    objects: |
      - objectName: prod/db # the one that rotates
        objectType: secretsmanager
`;
