/**
 * The one table of options.
 *
 * The command line, the environment, the Settings type, `--help`, the options page and the chart's values all come from it.
 * Precedence: flag, then environment, then default. No option contains a secret, so there is no list of options to redact. A
 * default is text, and is parsed like any other value.
 */

import { isEnvName } from '../core/environment.ts';
import { image } from '../core/version.ts';
import { readVariable } from './value-from.ts';
import {
  readCommand,
  readConfigTarget,
  readDuration,
  readExitCode,
  readListen,
  readMode,
  readOnChange,
  readOwner,
  readQuantity,
  readSignal,
  readUrl,
} from './values.ts';

/** For each kind of value: its description in errors, and its parser. */
export const kinds = {
  text: { expected: 'text', read: (text: string) => text || undefined },
  flag: { expected: 'true or false', read: readFlag },
  duration: { expected: 'a duration with units, such as 500ms, 30s or 1h30m', read: readDuration },
  mode: { expected: 'four octal digits, such as 0440', read: readMode },
  owner: { expected: 'UID:GID as two numbers', read: readOwner },
  quantity: { expected: 'a quantity above 0, such as 10m, 0.5 or 128Mi', read: readQuantity },
  listen: { expected: 'HOST:PORT, or off', read: readListen },
  config: { expected: 'FILE, FILE=DIR, env:NAME or env:NAME=DIR', read: readConfigTarget },
  command: { expected: 'a JSON list of words, or one program without arguments', read: readCommand },
  url: { expected: 'an http or https URL without a password', read: readUrl },
  exitCode: { expected: 'an exit code from 1 to 255', read: readExitCode },
  signal: { expected: 'a signal such as SIGHUP', read: readSignal },
  onChange: { expected: 'none, restart, exit or a signal such as SIGHUP', read: readOnChange },
  envName: {
    expected: 'the name of an environment variable',
    read: (text: string) => (isEnvName(text) ? text : undefined),
  },
  variable: {
    expected: 'NAME=REF, where REF is the ARN of a secret or parameter, or /NAME of a parameter',
    read: readVariable,
  },
} as const;

function readFlag(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** The kind of an option's value. */
export type Kind = keyof typeof kinds;
/** The commands. */
export type CommandName = 'init' | 'sidecar' | 'exec' | 'check' | 'doctor' | 'inject' | 'status' | 'install';

/** A row of the table. */
export interface Option {
  readonly kind: Kind;
  /** The variable that sets it. */
  readonly env: string;
  readonly default?: string | undefined;
  /** May be given several times; in the environment variable the values are separated by commas. */
  readonly repeatable?: true;
  /** A one-letter flag. */
  readonly alias?: string;
  readonly choices?: readonly string[];
  /** The smallest duration that makes sense, as text. */
  readonly min?: string;
  /** The name of the value in the help: `FILE[=DIR]`; flags and choices need none. */
  readonly placeholder?: string;
  /** The heading in the help. */
  readonly group: string;
  readonly commands: readonly CommandName[];
  readonly description: string;
  /** Differences for single commands. */
  readonly overrides?: Partial<Record<CommandName, Pick<Option, 'default' | 'choices' | 'description'>>>;
}

// inject accepts the options of the containers that it adds, and passes them to these.
const planning = ['init', 'sidecar', 'exec', 'check', 'doctor', 'inject'] as const;
const fetching = ['init', 'sidecar', 'exec', 'doctor', 'inject'] as const;
const publishing = ['init', 'sidecar', 'exec', 'inject'] as const;
const notifying = ['init', 'sidecar', 'inject'] as const;

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
    description:
      'SecretProviderClass file (FILE#NAME: one of several classes), or env:NAME for a variable that holds its text, and the directory to publish to; several are allowed',
    overrides: {
      exec: {
        description:
          'SecretProviderClass file (FILE#NAME: one of several classes), or env:NAME; without =DIR and --dir only its variables are used; with --set the default is not read',
      },
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
    description: 'directory to publish to, for a config without =DIR; created if its parent directory exists',
    overrides: {
      exec: { default: undefined, description: 'also publish the files to this directory' },
      inject: {
        default: '/mnt/secrets-store',
        description: 'mountPath of the files in the application',
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
    description: 'file mode, if the config has none',
  },
  owner: {
    kind: 'owner',
    env: 'PODSECRETS_OWNER',
    placeholder: 'UID:GID',
    group: 'Files',
    commands: publishing,
    description: 'owner of the files; an owner other than the user of the process needs root and CAP_CHOWN',
  },
  allowDisk: {
    kind: 'flag',
    env: 'PODSECRETS_ALLOW_DISK',
    default: 'false',
    group: 'Files',
    commands: [...publishing, 'doctor'],
    description: 'allow a directory that is not on a tmpfs or ramfs',
  },
  auth: {
    kind: 'text',
    env: 'PODSECRETS_AUTH',
    default: 'auto',
    choices: ['auto', 'pod-identity', 'irsa', 'default'],
    group: 'AWS',
    commands: fetching,
    description: 'how to authenticate; auto: usePodIdentity of the config, else by the environment variables',
  },
  fetch: {
    kind: 'text',
    env: 'PODSECRETS_FETCH',
    default: 'auto',
    choices: ['auto', 'batch', 'single'],
    group: 'AWS',
    commands: fetching,
    description: 'how to read Secrets Manager; batch also needs secretsmanager:BatchGetSecretValue',
  },
  policy: {
    kind: 'flag',
    env: 'PODSECRETS_POLICY',
    default: 'false',
    group: 'AWS',
    commands: ['doctor'],
    description: 'print the least-privilege IAM policy instead; offline',
  },
  awsTimeout: {
    kind: 'duration',
    env: 'PODSECRETS_AWS_TIMEOUT',
    default: '5s',
    min: '100ms',
    placeholder: 'DURATION',
    group: 'AWS',
    commands: fetching,
    description: 'timeout of one API call',
  },
  startTimeout: {
    kind: 'duration',
    env: 'PODSECRETS_START_TIMEOUT',
    default: '60s',
    placeholder: 'DURATION',
    group: 'Timing',
    commands: publishing,
    description: 'how long transient errors are retried before the first publish',
  },
  interval: {
    kind: 'duration',
    env: 'PODSECRETS_INTERVAL',
    default: '10m',
    min: '1s',
    placeholder: 'DURATION',
    group: 'Timing',
    commands: ['sidecar', 'exec', 'inject'],
    description: 'time between syncs, with 10 % jitter; a pinned version is fetched once',
    overrides: { exec: { description: 'with --on-change: time between syncs, with 10 % jitter' } },
  },
  listen: {
    kind: 'listen',
    env: 'PODSECRETS_LISTEN',
    default: '0.0.0.0:8181',
    placeholder: 'HOST:PORT',
    group: 'HTTP',
    commands: ['sidecar', 'exec', 'status', 'inject'],
    description: 'address of /livez, /readyz, /metrics, /status and POST /refresh; off: no server',
    overrides: {
      exec: {
        default: 'off',
        description:
          'with --on-change: address of /livez, /readyz, /metrics, /status and POST /refresh; off: no server',
      },
      status: { description: 'address of the sidecar' },
    },
  },
  notifySignal: {
    kind: 'signal',
    env: 'PODSECRETS_NOTIFY_SIGNAL',
    placeholder: 'SIG',
    group: 'Notifications',
    commands: notifying,
    description:
      'send a signal to the process of --notify-pid-file or --notify-process; needs a shared PID namespace',
  },
  notifyPidFile: {
    kind: 'text',
    env: 'PODSECRETS_NOTIFY_PID_FILE',
    placeholder: 'FILE',
    group: 'Notifications',
    commands: notifying,
    description: 'file with the pid to signal; re-read each time',
  },
  notifyProcess: {
    kind: 'text',
    env: 'PODSECRETS_NOTIFY_PROCESS',
    placeholder: 'NAME',
    group: 'Notifications',
    commands: notifying,
    description: 'name of the processes to signal',
  },
  notifyExec: {
    kind: 'command',
    env: 'PODSECRETS_NOTIFY_EXEC',
    placeholder: 'CMD',
    group: 'Notifications',
    commands: notifying,
    description: 'run a command: a JSON list, or one program without arguments; never a shell',
  },
  notifyUrl: {
    kind: 'url',
    env: 'PODSECRETS_NOTIFY_URL',
    placeholder: 'URL',
    group: 'Notifications',
    commands: notifying,
    description: 'POST {"files":[names that changed]}; any 2xx is success',
  },
  notifyTouch: {
    kind: 'text',
    env: 'PODSECRETS_NOTIFY_TOUCH',
    placeholder: 'FILE',
    group: 'Notifications',
    commands: notifying,
    description: 'touch a file after each change',
  },
  notifySplay: {
    kind: 'duration',
    env: 'PODSECRETS_NOTIFY_SPLAY',
    default: '0s',
    placeholder: 'DURATION',
    group: 'Notifications',
    commands: [...notifying, 'exec'],
    description: 'random delay before a notification, so that a fleet does not reload at once',
    overrides: { exec: { description: 'with --on-change: random delay before its action' } },
  },
  notifyOnStart: {
    kind: 'flag',
    env: 'PODSECRETS_NOTIFY_ON_START',
    default: 'false',
    group: 'Notifications',
    commands: notifying,
    description: 'notify also after the first publish of a process',
  },
  exitOnChange: {
    kind: 'exitCode',
    env: 'PODSECRETS_EXIT_ON_CHANGE',
    placeholder: 'CODE',
    group: 'Notifications',
    commands: ['sidecar', 'inject'],
    description:
      'exit with this code after a change, for a rule that restarts all containers (Kubernetes 1.36), which kills them without a grace period',
  },
  syncSecrets: {
    kind: 'flag',
    env: 'PODSECRETS_SYNC_SECRETS',
    default: 'false',
    group: 'Kubernetes Secrets',
    commands: [...notifying, 'check', 'doctor'],
    description: 'apply the secretObjects of the config as Kubernetes Secrets',
  },
  secretOwner: {
    kind: 'text',
    env: 'PODSECRETS_SECRET_OWNER',
    default: 'retain',
    choices: ['retain', 'pod', 'workload'],
    group: 'Kubernetes Secrets',
    commands: [...notifying, 'doctor'],
    description: 'owner of synced Secrets, for garbage collection',
  },
  adoptDriverSecrets: {
    kind: 'flag',
    env: 'PODSECRETS_ADOPT_DRIVER_SECRETS',
    default: 'false',
    group: 'Kubernetes Secrets',
    commands: [...notifying, 'doctor'],
    description: 'take over Secrets that the Secrets Store CSI driver made, during a migration',
  },
  set: {
    kind: 'variable',
    env: 'PODSECRETS_SET',
    repeatable: true,
    placeholder: 'NAME=REF',
    group: 'Environment',
    commands: ['exec'],
    description:
      'set a variable without a config; REF as in valueFrom of ECS: ARN of a secret[:JSON-KEY[:STAGE[:VERSION-ID]]], ARN of a parameter, or /NAME of one',
  },
  preserveEnv: {
    kind: 'envName',
    env: 'PODSECRETS_PRESERVE_ENV',
    repeatable: true,
    placeholder: 'NAME',
    group: 'Environment',
    commands: ['exec'],
    description: 'keep the existing value of the variable; by default the secret replaces it',
  },
  pristine: {
    kind: 'flag',
    env: 'PODSECRETS_PRISTINE',
    default: 'false',
    group: 'Environment',
    commands: ['exec'],
    description:
      'pass only PATH, HOME, USER, TMPDIR, TZ, LANG, LC_*, TERM and the variables of --keep-env to the command',
  },
  keepEnv: {
    kind: 'envName',
    env: 'PODSECRETS_KEEP_ENV',
    repeatable: true,
    placeholder: 'NAME',
    group: 'Environment',
    commands: ['exec'],
    description: 'with --pristine: pass this variable too',
  },
  onChange: {
    kind: 'onChange',
    env: 'PODSECRETS_ON_CHANGE',
    default: 'none',
    placeholder: 'ACTION',
    group: 'Changes',
    commands: ['exec', 'inject'],
    description:
      'what follows a change of the secrets: none, restart (the command, with the new values), exit (stop it and exit with 0), or a signal for the command; other than none, podsecrets stays as its parent',
    overrides: {
      inject: { description: 'with --exec: what follows a change of the secrets: none, restart or exit' },
    },
  },
  stopSignal: {
    kind: 'signal',
    env: 'PODSECRETS_STOP_SIGNAL',
    default: 'SIGTERM',
    placeholder: 'SIG',
    group: 'Changes',
    commands: ['exec', 'inject'],
    description: 'with --on-change restart or exit: the signal that stops the command',
  },
  stopTimeout: {
    kind: 'duration',
    env: 'PODSECRETS_STOP_TIMEOUT',
    default: '10s',
    placeholder: 'DURATION',
    group: 'Changes',
    commands: ['exec', 'inject'],
    description: 'how long the command may take to stop; SIGKILL follows',
  },
  file: {
    kind: 'text',
    env: 'PODSECRETS_FILE',
    default: '-',
    repeatable: true,
    alias: 'f',
    placeholder: 'FILE',
    group: 'Pod specs',
    commands: ['inject'],
    description:
      'manifests to read: a file, the files of a directory, or - for standard input; several are allowed',
  },
  as: {
    kind: 'text',
    env: 'PODSECRETS_AS',
    default: 'sidecar',
    choices: ['sidecar', 'init', 'init+sidecar', 'none'],
    group: 'Pod specs',
    commands: ['inject'],
    description:
      'what to add: a native sidecar (Kubernetes 1.29+), an init container, an init container and a regular sidecar, or with --exec no container and no files',
  },
  containers: {
    kind: 'text',
    env: 'PODSECRETS_CONTAINERS',
    repeatable: true,
    placeholder: 'NAME',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'container that gets the files; default: every container',
  },
  env: {
    kind: 'flag',
    env: 'PODSECRETS_ENV',
    default: 'false',
    group: 'Pod specs',
    commands: ['inject'],
    description:
      'give the containers of --containers the variables of envFile by fileKeyRef (Kubernetes 1.35+)',
  },
  exec: {
    kind: 'flag',
    env: 'PODSECRETS_EXEC',
    default: 'false',
    group: 'Pod specs',
    commands: ['inject'],
    description:
      'start the command of the containers of --containers by podsecrets exec, from an image volume (Kubernetes 1.36+; beta before)',
  },
  image: {
    kind: 'text',
    env: 'PODSECRETS_IMAGE',
    default: image,
    placeholder: 'IMAGE',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'image of podsecrets',
  },
  runAsUser: {
    kind: 'text',
    env: 'PODSECRETS_RUN_AS_USER',
    default: 'auto',
    choices: ['auto', 'none'],
    group: 'Pod specs',
    commands: ['inject'],
    description:
      'user of podsecrets, if neither --owner nor the application sets one; auto: 65532; none: the cluster assigns it (OpenShift)',
  },
  cpuRequest: {
    kind: 'quantity',
    env: 'PODSECRETS_CPU_REQUEST',
    default: '10m',
    placeholder: 'QUANTITY',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'CPU request of the added containers',
  },
  cpuLimit: {
    kind: 'quantity',
    env: 'PODSECRETS_CPU_LIMIT',
    placeholder: 'QUANTITY',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'CPU limit of the added containers',
  },
  memoryRequest: {
    kind: 'quantity',
    env: 'PODSECRETS_MEMORY_REQUEST',
    default: '32Mi',
    placeholder: 'QUANTITY',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'memory request of the added containers',
  },
  memoryLimit: {
    kind: 'quantity',
    env: 'PODSECRETS_MEMORY_LIMIT',
    default: '128Mi',
    placeholder: 'QUANTITY',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'memory limit of the added containers',
  },
  namespace: {
    kind: 'text',
    env: 'PODSECRETS_NAMESPACE',
    alias: 'n',
    placeholder: 'NAME',
    group: 'Pod specs',
    commands: ['inject'],
    description: 'namespace of added objects, if the workload has none',
  },
  diff: {
    kind: 'flag',
    env: 'PODSECRETS_DIFF',
    default: 'false',
    group: 'Output',
    commands: ['inject'],
    description: 'print a diff instead of the manifests',
  },
  output: {
    kind: 'text',
    env: 'PODSECRETS_OUTPUT',
    default: 'text',
    choices: ['text', 'json'],
    group: 'Output',
    commands: ['check', 'doctor', 'status', 'inject'],
    description: 'output format',
    overrides: {
      inject: { default: 'yaml', choices: ['yaml', 'json'], description: 'output format' },
    },
  },
  strict: {
    kind: 'flag',
    env: 'PODSECRETS_STRICT',
    default: 'false',
    group: 'Output',
    commands: ['check'],
    description: 'treat warnings as problems',
  },
  terminationLog: {
    kind: 'text',
    env: 'PODSECRETS_TERMINATION_LOG',
    default: '/dev/termination-log',
    placeholder: 'FILE',
    group: 'Output',
    commands: ['init', 'sidecar', 'exec', 'install'],
    description: 'terminationMessagePath of the container; written if the file exists',
  },
  logLevel: {
    kind: 'text',
    env: 'PODSECRETS_LOG_LEVEL',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    group: 'Output',
    commands: [...publishing, 'install'],
    description: 'lowest level to write',
    overrides: { exec: { default: 'warn', description: 'lowest level to write' } },
  },
  logFormat: {
    kind: 'text',
    env: 'PODSECRETS_LOG_FORMAT',
    default: 'auto',
    choices: ['auto', 'json', 'text'],
    group: 'Output',
    commands: [...publishing, 'install'],
    description:
      'auto: text on a terminal, else json; text has colours on a terminal (NO_COLOR: never, FORCE_COLOR: always)',
  },
} as const satisfies Record<string, Option>;

/** The name of an option in the code; `flagOf` returns its flag. */
export type OptionName = keyof typeof options;

/** The parsed value of an option: a union of its choices, a list if repeatable, optional without a default. */
type Value<O extends Option> = O extends { choices: readonly (infer C)[] }
  ? C | (O extends { overrides: Record<string, { choices: readonly (infer D)[] }> } ? D : never)
  : NonNullable<ReturnType<(typeof kinds)[O['kind']]['read']>>;
type Listed<O extends Option> = O extends { repeatable: true } ? readonly Value<O>[] : Value<O>;

/** Every option with its value. Durations are milliseconds, modes are permission bits. */
export type Settings = {
  readonly [N in OptionName]:
    | Listed<(typeof options)[N]>
    | ((typeof options)[N] extends { repeatable: true } | { default: string } ? never : undefined)
    | ((typeof options)[N] extends { overrides: { exec: { default: undefined } } } ? undefined : never);
};

/** How to authenticate. */
export type AuthOption = Settings['auth'];
/** How to read Secrets Manager. */
export type FetchMode = Settings['fetch'];
/** The owner of a synced Kubernetes Secret, with which it is deleted. */
export type SecretOwner = Settings['secretOwner'];
/** What `inject` adds to a pod. */
export type InjectAs = Settings['as'];

/** The rows of the table, in its order. */
export function optionEntries(): readonly (readonly [OptionName, Option])[] {
  return Object.entries(options) as [OptionName, Option][];
}

/** The row of an option, with the overrides for a command. */
export function optionFor(name: OptionName, command: CommandName): Option {
  const option: Option = options[name];
  return { ...option, ...option.overrides?.[command] };
}

/** `--notify-pid-file` for notifyPidFile. */
export function flagOf(name: OptionName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
