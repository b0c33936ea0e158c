/**
 * What a person chose on the command line of `inject`, in the words of pod specs.
 */

import type { Owner } from '../publish/snapshot.ts';

/** The flags of `inject`, read; those meant for our containers are passed on as arguments. */
export interface InjectOptions {
  /** A native sidecar, an init container, or both a plain init container and a plain sidecar (clusters before 1.29). */
  readonly as: 'sidecar' | 'init' | 'init+sidecar';
  readonly image: string;
  /** The containers that get the files; empty: all. */
  readonly containers: readonly string[];
  /** Where the application mounts the files of a config that names no directory and converts no volume. */
  readonly dir: string;
  /** Whether somebody chose that, or it is the default. */
  readonly dirIsChosen: boolean;
  /** The flags that somebody gave, as `--interval`; without what variables say, which are shared with other commands. */
  readonly flags: ReadonlySet<string>;
  /** Flags for the container that were given to inject, as `init` and as `sidecar` take them. */
  readonly initArguments: readonly string[];
  readonly sidecarArguments: readonly string[];
  readonly listen: { readonly host: string; readonly port: number } | 'off';
  /** Mode of the files where a config gives none: permission bits. */
  readonly mode: number;
  /** Milliseconds. */
  readonly startTimeout: number;
  readonly owner: Owner | undefined;
  readonly auth: 'auto' | 'pod-identity' | 'irsa' | 'default';
  /** Signals go to processes of other containers. */
  readonly signals: boolean;
  readonly syncSecrets: boolean;
  readonly secretOwner: 'retain' | 'pod' | 'workload';
  /** The namespace of objects that are made for a workload that names none. */
  readonly namespace: string | undefined;
}
