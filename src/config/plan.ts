/**
 * A plan: the values to fetch for one config, and the files to create from them. "Extension" marks keys that only podsecrets reads and
 * the AWS provider ignores.
 *
 * A plan is complete and consistent before any request: every path is valid, no two files share a path. It contains no secret.
 */

import type { FilePath } from '../core/file-path.ts';
import type { Service } from '../core/service.ts';
import type { SecretRef } from './secret-ref.ts';

/** A config without problems. */
export interface Plan {
  /** The file the plan was read from, as errors name it. */
  readonly file: string;
  /** `metadata.name`, if the class has one. */
  readonly name: string | undefined;
  readonly region: string;
  /** The source of `region`: `parameters.region`, `AWS_REGION`, or another place outside Kubernetes. */
  readonly regionFrom: string;
  readonly failoverRegion: string | undefined;
  /** The value of `usePodIdentity`; undefined if the key is missing or empty. */
  readonly usePodIdentity: boolean | undefined;
  readonly preferredAddressType: 'auto' | 'ipv4' | 'ipv6';
  readonly objects: readonly PlannedObject[];
  /** Extension: the file for the variables of `env`. */
  readonly envFile: EnvFile | undefined;
  /** Whether only the variables are used, so that keys need not be names of files. Default: false. */
  readonly variablesOnly?: boolean;
  /** `secretObjects`, checked; applied only with `--sync-secrets`. */
  readonly secretObjects: readonly SecretObject[];
  /** The parts of the text that are ignored, a sentence for each: unknown and repeated keys, further documents. */
  readonly ignored: readonly string[];
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
  /** Extension: leave the files out, with a warning, if the object does not exist. */
  readonly optional: boolean;
  /** Extension: the value is base64, and is decoded before it is written. */
  readonly decode: 'base64' | undefined;
  readonly outputs: readonly Output[];
}

/** A file of environment variables. */
interface EnvFile {
  readonly path: FilePath;
  readonly mode: number;
}

/** `env: PREFIX_*` of an expanded object: a variable for each key. */
export interface EnvPattern {
  readonly prefix: string;
  /** Keys in upper case, with `_` for `-`, `.` and `/`. */
  readonly upper: boolean;
}

/** One file, or with `expand` one file for each key of the value. */
export type Output =
  | {
      readonly kind: 'whole';
      readonly path: FilePath;
      readonly mode: number;
      /** Extension: the name of the variable that has the same content. */
      readonly env: string | undefined;
    }
  | {
      readonly kind: 'jmesPath';
      readonly path: FilePath;
      readonly mode: number;
      readonly expression: string;
      /** `objects[2].jmesPath[0]`, as errors name it. */
      readonly subject: string;
      readonly env: string | undefined;
    }
  /** `directory` is '' without objectAlias: the files are then at the top of the directory. */
  | {
      readonly kind: 'expand';
      readonly directory: FilePath | '';
      readonly mode: number;
      readonly env: EnvPattern | undefined;
    };

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

/** The files that a plan always creates: without those of optional objects, which may be missing, and those of `expand`. */
export function expectedPaths({ objects, envFile }: Plan): readonly FilePath[] {
  const paths = objects
    .filter((object) => !object.optional)
    .flatMap((object) => object.outputs.flatMap((output) => (output.kind === 'expand' ? [] : [output.path])));
  return envFile === undefined ? paths : [...paths, envFile.path];
}

/** Whether the object creates this file, or may create it: the file names of `expand` are the keys of the value. */
export function mayCreate({ outputs }: PlannedObject, path: string): boolean {
  const directory = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  return outputs.some((output) =>
    output.kind === 'expand' ? output.directory === directory : output.path === path,
  );
}
