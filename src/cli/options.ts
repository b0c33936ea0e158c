/**
 * The one table of options.
 *
 * The command line, the environment, the Settings type, `--help`, the options page and the chart's values all come from
 * here and from nowhere else. Precedence: flag, then environment, then default. No option carries a secret, so there is no
 * list of options to redact. A default is written as a person would write it and read by the same reader as any value.
 */

import { image } from '../core/version.ts';
import {
  readCommand,
  readConfigTarget,
  readDuration,
  readListen,
  readMode,
  readOwner,
  readSignal,
  readUrl,
} from './values.ts';

/** What a kind of value looks like, for errors, and how it is read. */
export const kinds = {
  text: { expected: 'text', read: (text: string) => text || undefined },
  flag: { expected: 'true or false', read: readFlag },
  duration: { expected: 'a duration with units, such as 500ms, 30s or 1h30m', read: readDuration },
  mode: { expected: 'four octal digits, such as 0440', read: readMode },
  owner: { expected: 'UID:GID as two numbers', read: readOwner },
  listen: { expected: 'HOST:PORT, or off', read: readListen },
  config: { expected: 'FILE or FILE=DIR', read: readConfigTarget },
  command: { expected: 'a JSON list of words, or one program without arguments', read: readCommand },
  url: { expected: 'an http or https URL without a password', read: readUrl },
  signal: { expected: 'a signal such as SIGHUP', read: readSignal },
} as const;

function readFlag(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** What kind of value an option takes. */
export type Kind = keyof typeof kinds;
/** The commands. */
export type CommandName = 'init' | 'sidecar' | 'check' | 'doctor' | 'inject' | 'status';

/** A row of the table. */
export interface Option {
  readonly kind: Kind;
  /** The variable that sets it. */
  readonly env: string;
  readonly default?: string;
  /** May be given several times; in the environment the values are divided by commas. */
  readonly repeatable?: true;
  /** A one-letter flag. */
  readonly alias?: string;
  readonly choices?: readonly string[];
  /** The smallest duration that makes sense, as text. */
  readonly min?: string;
  /** What stands for the value in the help: `FILE[=DIR]`; flags and choices need none. */
  readonly placeholder?: string;
  /** The heading in the help. */
  readonly group: string;
  readonly commands: readonly CommandName[];
  readonly description: string;
  /** What is different when a certain command takes the option. */
  readonly overrides?: Partial<Record<CommandName, Pick<Option, 'default' | 'choices' | 'description'>>>;
}

// inject takes what the containers that it adds take, and passes it on.
const planning = ['init', 'sidecar', 'check', 'doctor', 'inject'] as const;
const fetching = ['init', 'sidecar', 'doctor', 'inject'] as const;
const publishing = ['init', 'sidecar', 'inject'] as const;

/** The table. */
export const options = {
  config: {
    kind: 'config',
    env: 'PODSECRETS_CONFIG',
    default: '/etc/podsecrets/config.yaml',
    repeatable: true,
    placeholder: 'FILE[=DIR]',
    group: 'Config',
    commands: planning,
    description: 'a SecretProviderClass file, and the directory it publishes to; one process serves several',
    overrides: {
      inject: {
        description: 'a SecretProviderClass file, and the directory where containers mount its files',
      },
    },
  },
  dir: {
    kind: 'text',
    env: 'PODSECRETS_DIR',
    default: '/mnt/podsecrets/files',
    placeholder: 'DIR',
    group: 'Files',
    commands: planning,
    description: 'where a config without =DIR publishes; created if only its last part is missing',
    overrides: {
      inject: {
        default: '/mnt/secrets-store',
        description: 'where the application finds the files: its mountPath',
      },
    },
  },
  mode: {
    kind: 'mode',
    env: 'PODSECRETS_MODE',
    default: '0644',
    placeholder: 'MODE',
    group: 'Files',
    commands: planning,
    description: 'file mode where the config gives none',
  },
  owner: {
    kind: 'owner',
    env: 'PODSECRETS_OWNER',
    placeholder: 'UID:GID',
    group: 'Files',
    commands: publishing,
    description: 'owner of the files; another user than its own needs root with the capability CHOWN',
  },
  allowDisk: {
    kind: 'flag',
    env: 'PODSECRETS_ALLOW_DISK',
    default: 'false',
    group: 'Files',
    commands: [...publishing, 'doctor'],
    description: 'publish to a directory that is not on a tmpfs or ramfs',
  },
  auth: {
    kind: 'text',
    env: 'PODSECRETS_AUTH',
    default: 'auto',
    choices: ['auto', 'pod-identity', 'irsa', 'default'],
    group: 'AWS',
    commands: fetching,
    description: 'how to authenticate; auto: what usePodIdentity says, else what the environment offers',
  },
  fetch: {
    kind: 'text',
    env: 'PODSECRETS_FETCH',
    default: 'auto',
    choices: ['auto', 'batch', 'single'],
    group: 'AWS',
    commands: fetching,
    description: 'how to read Secrets Manager; batch needs secretsmanager:BatchGetSecretValue too',
  },
  policy: {
    kind: 'flag',
    env: 'PODSECRETS_POLICY',
    default: 'false',
    group: 'AWS',
    commands: ['doctor'],
    description: 'print the least IAM policy for the config instead; offline',
  },
  awsTimeout: {
    kind: 'duration',
    env: 'PODSECRETS_AWS_TIMEOUT',
    default: '5s',
    min: '100ms',
    placeholder: 'DURATION',
    group: 'AWS',
    commands: fetching,
    description: 'limit for one API call',
  },
  startTimeout: {
    kind: 'duration',
    env: 'PODSECRETS_START_TIMEOUT',
    default: '60s',
    placeholder: 'DURATION',
    group: 'Timing',
    commands: publishing,
    description: 'how long the first phase keeps trying before it gives up',
  },
  interval: {
    kind: 'duration',
    env: 'PODSECRETS_INTERVAL',
    default: '10m',
    min: '1s',
    placeholder: 'DURATION',
    group: 'Timing',
    commands: ['sidecar', 'inject'],
    description: 'time between refreshes, with 10 % jitter; a pinned version is never asked for again',
  },
  listen: {
    kind: 'listen',
    env: 'PODSECRETS_LISTEN',
    default: '0.0.0.0:8181',
    placeholder: 'HOST:PORT',
    group: 'HTTP',
    commands: ['sidecar', 'status', 'inject'],
    description: 'where /livez, /readyz, /metrics, /status and POST /refresh answer; off: nowhere',
    overrides: { status: { description: 'the address that the sidecar listens on' } },
  },
  notifySignal: {
    kind: 'signal',
    env: 'PODSECRETS_NOTIFY_SIGNAL',
    placeholder: 'SIG',
    group: 'Notifications',
    commands: publishing,
    description: 'signal processes in a shared PID namespace, found by --notify-pid-file or --notify-process',
  },
  notifyPidFile: {
    kind: 'text',
    env: 'PODSECRETS_NOTIFY_PID_FILE',
    placeholder: 'FILE',
    group: 'Notifications',
    commands: publishing,
    description: 'the file that holds the pid to signal; read anew each time',
  },
  notifyProcess: {
    kind: 'text',
    env: 'PODSECRETS_NOTIFY_PROCESS',
    placeholder: 'NAME',
    group: 'Notifications',
    commands: publishing,
    description: 'the name of the processes to signal',
  },
  notifyExec: {
    kind: 'command',
    env: 'PODSECRETS_NOTIFY_EXEC',
    placeholder: 'CMD',
    group: 'Notifications',
    commands: publishing,
    description: 'run a command, a JSON list or one program without arguments; never a shell',
  },
  notifyUrl: {
    kind: 'url',
    env: 'PODSECRETS_NOTIFY_URL',
    placeholder: 'URL',
    group: 'Notifications',
    commands: publishing,
    description: 'POST {"files":[names that changed]}; any 2xx is success',
  },
  notifyTouch: {
    kind: 'text',
    env: 'PODSECRETS_NOTIFY_TOUCH',
    placeholder: 'FILE',
    group: 'Notifications',
    commands: publishing,
    description: 'touch a file after each change',
  },
  notifySplay: {
    kind: 'duration',
    env: 'PODSECRETS_NOTIFY_SPLAY',
    default: '0s',
    placeholder: 'DURATION',
    group: 'Notifications',
    commands: publishing,
    description: 'random wait before telling, so that a fleet does not reload at one instant',
  },
  notifyOnStart: {
    kind: 'flag',
    env: 'PODSECRETS_NOTIFY_ON_START',
    default: 'false',
    group: 'Notifications',
    commands: publishing,
    description: 'tell also after the first publish of a process',
  },
  syncSecrets: {
    kind: 'flag',
    env: 'PODSECRETS_SYNC_SECRETS',
    default: 'false',
    group: 'Kubernetes Secrets',
    commands: [...publishing, 'doctor'],
    description: "apply the config's secretObjects as Kubernetes Secrets",
  },
  secretOwner: {
    kind: 'text',
    env: 'PODSECRETS_SECRET_OWNER',
    default: 'retain',
    choices: ['retain', 'pod', 'workload'],
    group: 'Kubernetes Secrets',
    commands: [...publishing, 'doctor'],
    description: 'who a synced Secret dies with',
  },
  adoptDriverSecrets: {
    kind: 'flag',
    env: 'PODSECRETS_ADOPT_DRIVER_SECRETS',
    default: 'false',
    group: 'Kubernetes Secrets',
    commands: [...publishing, 'doctor'],
    description: 'take over Secrets that the Secrets Store CSI driver made, during a migration',
  },
  file: {
    kind: 'text',
    env: 'PODSECRETS_FILE',
    default: '-',
    alias: 'f',
    placeholder: 'FILE',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'the manifests to read; -: standard input',
  },
  as: {
    kind: 'text',
    env: 'PODSECRETS_AS',
    default: 'sidecar',
    choices: ['sidecar', 'init', 'init+sidecar'],
    group: 'Pod specs',
    commands: ['inject'],
    description:
      'what to add: a native sidecar (Kubernetes 1.29 on), an init container, or an init container and a plain sidecar',
  },
  containers: {
    kind: 'text',
    env: 'PODSECRETS_CONTAINERS',
    repeatable: true,
    placeholder: 'NAME',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'a container that gets the files; none named: every container',
  },
  image: {
    kind: 'text',
    env: 'PODSECRETS_IMAGE',
    default: image,
    placeholder: 'IMAGE',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'the image of podsecrets',
  },
  namespace: {
    kind: 'text',
    env: 'PODSECRETS_NAMESPACE',
    alias: 'n',
    placeholder: 'NAME',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'the namespace of what is added for a workload that names none',
  },
  diff: {
    kind: 'flag',
    env: 'PODSECRETS_DIFF',
    default: 'false',
    group: 'Output',
    commands: ['inject'],
    description: 'print what changes, for people, instead of the manifests',
  },
  output: {
    kind: 'text',
    env: 'PODSECRETS_OUTPUT',
    default: 'text',
    choices: ['text', 'json'],
    group: 'Output',
    commands: ['check', 'doctor', 'status', 'inject'],
    description: 'for people, or for programs',
    overrides: {
      inject: { default: 'yaml', choices: ['yaml', 'json'], description: 'the language of the manifests' },
    },
  },
  terminationLog: {
    kind: 'text',
    env: 'PODSECRETS_TERMINATION_LOG',
    default: '/dev/termination-log',
    placeholder: 'FILE',
    group: 'Output',
    commands: ['init', 'sidecar'],
    description: "the container's terminationMessagePath: gets the last line too, if it exists",
  },
  logLevel: {
    kind: 'text',
    env: 'PODSECRETS_LOG_LEVEL',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    group: 'Output',
    commands: publishing,
    description: 'the least important lines to show',
  },
  logFormat: {
    kind: 'text',
    env: 'PODSECRETS_LOG_FORMAT',
    default: 'json',
    choices: ['json', 'text'],
    group: 'Output',
    commands: publishing,
    description: 'text is for people, coloured when stderr is a terminal',
  },
} as const satisfies Record<string, Option>;

/** An option as the code names it; `flagOf` tells its flag. */
export type OptionName = keyof typeof options;

/** The value an option has once read: a union of its choices, a list when repeatable, maybe absent without default. */
type Value<O extends Option> = O extends { choices: readonly (infer C)[] }
  ? C | (O extends { overrides: Record<string, { choices: readonly (infer D)[] }> } ? D : never)
  : NonNullable<ReturnType<(typeof kinds)[O['kind']]['read']>>;
type Listed<O extends Option> = O extends { repeatable: true } ? readonly Value<O>[] : Value<O>;

/** Every option with its value. Durations are milliseconds, modes are permission bits. */
export type Settings = {
  readonly [N in OptionName]: (typeof options)[N] extends { default: string }
    ? Listed<(typeof options)[N]>
    : Listed<(typeof options)[N]> | undefined;
};

/** How to authenticate. */
export type AuthOption = Settings['auth'];
/** How to read Secrets Manager. */
export type FetchMode = Settings['fetch'];
/** What owns a synced Kubernetes Secret, and so when it is deleted. */
export type SecretOwner = Settings['secretOwner'];
/** What `inject` adds to a pod. */
export type InjectAs = Settings['as'];

/** The rows of the table, in its order. */
export function optionEntries(): readonly (readonly [OptionName, Option])[] {
  return Object.entries(options) as [OptionName, Option][];
}

/** The row of an option as a command takes it. */
export function optionFor(name: OptionName, command: CommandName): Option {
  const option: Option = options[name];
  return { ...option, ...option.overrides?.[command] };
}

/** `--notify-pid-file` for notifyPidFile. */
export function flagOf(name: OptionName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
