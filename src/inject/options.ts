/**
 * The settings of `inject` for pod specs, and the flags that it passes to the containers.
 *
 * `inject` accepts every option of `init` and `sidecar`, and passes it unchanged as an argument of the container.
 * Those that the pod spec contains (the config, the directory, the user) are written there instead.
 */

import {
  flagOf,
  type InjectAs,
  type OptionName,
  optionEntries,
  options,
  type Settings,
} from '../cli/options.ts';
import type { Origin } from '../cli/settings.ts';
import type { Quantity } from '../cli/values.ts';
import type { Owner } from '../publish/snapshot.ts';

/** The parsed flags of `inject`; those for podsecrets' containers are passed as arguments. */
export interface InjectOptions {
  /** A native sidecar, an init container, or both an init container and a regular sidecar (clusters before 1.29). */
  readonly as: InjectAs;
  readonly image: string;
  /** The containers that get the files; empty: all. */
  readonly containers: readonly string[];
  /** Whether they also get the variables of `envFile`. */
  readonly env: boolean;
  /** Whether their command is started by `podsecrets exec`. */
  readonly exec: boolean;
  /** What the command of these containers does after a change. */
  readonly onChange: Settings['onChange'];
  /** The flags of inject for `exec`. */
  readonly execArguments: readonly string[];
  /** Where the application mounts the files of a config that names no directory and converts no volume. */
  readonly dir: string;
  /** Whether it was set explicitly. */
  readonly dirIsChosen: boolean;
  /** The flags on the command line, such as `--interval`. Options set by variables are not included: other commands share these. */
  readonly flags: ReadonlySet<string>;
  /** The flags of inject for the container, for `init` and for `sidecar`. */
  readonly initArguments: readonly string[];
  readonly sidecarArguments: readonly string[];
  readonly listen: { readonly host: string; readonly port: number } | 'off';
  /** Permission bits of files without filePermission. */
  readonly mode: number;
  /** Milliseconds. */
  readonly startTimeout: number;
  readonly owner: Owner | undefined;
  /** The user where neither `owner` nor the application names one: `auto` is 65532, `none` is left to the cluster. */
  readonly runAsUser: 'auto' | 'none';
  readonly cpuRequest: Quantity;
  readonly cpuLimit: Quantity | undefined;
  readonly memoryRequest: Quantity;
  readonly memoryLimit: Quantity;
  readonly auth: 'auto' | 'pod-identity' | 'irsa' | 'default';
  /** The exit code for which the pod restarts all containers; undefined: none. */
  readonly exitOnChange: number | undefined;
  /** Signals go to processes of other containers. */
  readonly signals: boolean;
  readonly syncSecrets: boolean;
  /** Take over Secrets that the CSI driver created. */
  readonly adoptDriverSecrets: boolean;
  readonly secretOwner: 'retain' | 'pod' | 'workload';
  /** The namespace of objects that are created for a workload without a namespace. */
  readonly namespace: string | undefined;
}

/** The settings, with the origin and the unparsed text of each. */
export interface GivenOptions {
  readonly settings: Settings;
  readonly origins: Readonly<Record<OptionName, Origin>>;
  readonly raw: Readonly<Record<OptionName, readonly string[]>>;
}

/** Reads the options. */
export function readInjectOptions(given: GivenOptions): InjectOptions {
  const { settings, origins } = given;
  return {
    as: settings.as,
    image: settings.image,
    containers: settings.containers ?? [],
    env: settings.env,
    exec: settings.exec,
    onChange: settings.onChange,
    execArguments: execArguments(given),
    dir: settings.dir ?? options.dir.overrides.inject.default,
    dirIsChosen: origins.dir !== 'default',
    flags: new Set(
      optionEntries()
        .filter(([name]) => origins[name] === 'flag')
        .map(([name]) => flagOf(name)),
    ),
    // With init+sidecar the application does not run yet when the init container does: the sidecar notifies.
    initArguments: passedOn(given, 'init').filter(
      (argument) => settings.as === 'init' || !argument.startsWith('--notify-'),
    ),
    sidecarArguments: passedOn(given, 'sidecar'),
    listen: settings.listen,
    mode: settings.mode,
    startTimeout: settings.startTimeout,
    owner: settings.owner,
    runAsUser: settings.runAsUser,
    cpuRequest: settings.cpuRequest,
    cpuLimit: settings.cpuLimit,
    memoryRequest: settings.memoryRequest,
    memoryLimit: settings.memoryLimit,
    auth: settings.auth,
    exitOnChange: settings.exitOnChange,
    signals: settings.notifySignal !== undefined,
    // Without a container nothing applies them.
    syncSecrets: settings.syncSecrets && settings.as !== 'none',
    adoptDriverSecrets: settings.adoptDriverSecrets,
    secretOwner: settings.secretOwner,
    namespace: settings.namespace,
  };
}

function execArguments(given: GivenOptions): readonly string[] {
  // It publishes no files, and its port would be that of the sidecar.
  const unused = new Set(['mode', 'allowDisk', 'listen']);
  // Without a change that it acts on, `exec` rejects these.
  if (given.settings.onChange === 'none')
    for (const name of ['interval', 'notifySplay', 'onChange', 'stopSignal', 'stopTimeout']) unused.add(name);
  return passedOn(given, 'exec', unused);
}

type ContainerCommand = 'init' | 'sidecar' | 'exec';

function passedOn(
  { origins, raw }: GivenOptions,
  command: ContainerCommand,
  unused: ReadonlySet<string> = new Set(),
): readonly string[] {
  return containerOptions(command)
    .filter((name) => origins[name] !== 'default' && !unused.has(name))
    .flatMap((name) => raw[name].map((text) => argumentOf(name, text)));
}

/** The options that podsecrets' containers get as arguments, in the order of the table. */
export function containerOptions(command: ContainerCommand): readonly OptionName[] {
  return optionEntries()
    .filter(
      ([name, { commands }]) =>
        commands.includes(command) && commands.includes('inject') && !IN_SPEC.has(name),
    )
    .map(([name]) => name);
}

const IN_SPEC: ReadonlySet<OptionName> = new Set(['config', 'dir', 'owner']);

function argumentOf(name: OptionName, text: string): string {
  return options[name].kind === 'flag' && text === 'true' ? flagOf(name) : `${flagOf(name)}=${text}`;
}
