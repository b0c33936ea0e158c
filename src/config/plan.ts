/**
 * What one config asks for: which values to read, and which files to make of them.
 *
 * A plan is complete and consistent before anything touches the network: every path is valid, no two files share a path,
 * and everything in it may be printed.
 */

import type { FilePath } from '../core/file-path.ts';
import type { SecretRef, Service } from './secret-ref.ts';

/** A config without problems. */
export interface Plan {
  /** The file the plan was read from, as errors name it. */
  readonly file: string;
  /** `metadata.name`, if the document has one. */
  readonly name: string | undefined;
  readonly region: string;
  /** Who named it. */
  readonly regionFrom: 'parameters.region' | 'AWS_REGION';
  readonly failoverRegion: string | undefined;
  /** What `usePodIdentity` says; undefined when the key is absent or empty. */
  readonly usePodIdentity: boolean | undefined;
  readonly preferredAddressType: 'auto' | 'ipv4' | 'ipv6';
  readonly objects: readonly PlannedObject[];
  /** `secretObjects`, checked; applied only with `--sync-secrets`. */
  readonly secretObjects: readonly SecretObject[];
  /** What of the text counts for nothing, a sentence for each: unknown and repeated keys, further documents. */
  readonly unread: readonly string[];
}

/** One entry of `objects`. */
export interface PlannedObject {
  /** `objects[2]`, as errors name it. */
  readonly subject: string;
  /** Line of the object in the plan's file, from 1. */
  readonly line: number | undefined;
  /** `objectName`, as written. */
  readonly name: string;
  readonly service: Service;
  readonly primary: SecretRef;
  readonly failover: SecretRef | undefined;
  /** Ours: leave the files out, with a warning, when the object does not exist. */
  readonly optional: boolean;
  /** Ours: the value is base64, and is decoded before it is written. */
  readonly decode: 'base64' | undefined;
  readonly outputs: readonly Output[];
}

/** One file, or with `expand` a family of files whose names only the value tells. */
export type Output =
  | { readonly kind: 'whole'; readonly path: FilePath; readonly mode: number }
  | {
      readonly kind: 'jmesPath';
      readonly path: FilePath;
      readonly mode: number;
      readonly expression: string;
      /** `objects[2].jmesPath[0]`, as errors name it. */
      readonly subject: string;
    }
  /** `directory` is '' when there is no objectAlias: the files then stand at the top. */
  | { readonly kind: 'expand'; readonly directory: FilePath | ''; readonly mode: number };

/** One entry of `secretObjects`. */
export interface SecretObject {
  readonly subject: string;
  readonly line: number | undefined;
  readonly secretName: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: readonly { readonly objectName: string; readonly key: string }[];
}

/** The files that a plan is sure to make: those of optional objects may be missing, and only values name those of `expand`. */
export function expectedPaths({ objects }: Plan): readonly FilePath[] {
  return objects
    .filter((object) => !object.optional)
    .flatMap((object) => object.outputs.flatMap((output) => (output.kind === 'expand' ? [] : [output.path])));
}

/** Whether the object makes this file, or may: what `expand` makes only the value tells. */
export function mayMake({ outputs }: PlannedObject, path: string): boolean {
  const directory = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  return outputs.some((output) =>
    output.kind === 'expand' ? output.directory === directory : output.path === path,
  );
}
