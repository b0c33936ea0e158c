/**
 * The table of all log events.
 *
 * The names are an interface, because alerts match on them. The level of an event is fixed here: `debug` if it repeats every
 * interval, `info` for a change of state. The table in the documentation is generated from this one.
 */

/** A row of the table. */
export interface LoggedEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields in addition to `time`, `level`, `event` and `message`; a problem adds `problemFields`. */
  readonly fields: readonly string[];
  readonly meaning: string;
}

/** The fields of every line about a problem; `file` and `line` only if it has them. */
export const problemFields = ['code', 'subject', 'remedy', 'file', 'line'] as const;

/** The events by name. */
export const events = {
  'config.warning': {
    level: 'warn',
    fields: [...problemFields],
    meaning: 'a config, a variable or a directory is usable, but probably contains a mistake',
  },
  'config.reloaded': {
    level: 'info',
    fields: ['config', 'objects'],
    meaning: 'an edited config was loaded; the next sync publishes its files',
  },
  'config.invalid': {
    level: 'error',
    fields: ['config', ...problemFields],
    meaning: 'an edited config is invalid; the previous version is still used',
  },
  'config.recovered': {
    level: 'info',
    fields: ['config'],
    meaning: 'the config is valid again, and the same as the version in use',
  },
  'config.polling': {
    level: 'warn',
    fields: ['config', 'error'],
    meaning: 'the inotify limit of the node is reached; the config is read every 10 s instead',
  },
  'config.watching': {
    level: 'debug',
    fields: ['config'],
    meaning: 'the config is watched for edits',
  },
  'credentials.source': {
    level: 'info',
    fields: [],
    meaning: 'the authentication method in use',
  },
  'credentials.nodeRole': {
    level: 'warn',
    fields: [...problemFields],
    meaning: "the pod has no identity of its own and uses the node's role, which --auth default allows",
  },
  'credentials.renewal': {
    level: 'warn',
    fields: ['expires', ...problemFields],
    meaning: 'renewing the credentials failed; the old ones are used until they expire',
  },
  exit: {
    level: 'error',
    fields: ['exitCode'],
    meaning: 'the last line of a failed program: the problem and its remedy',
  },
  'exec.starting': {
    level: 'info',
    fields: ['program', 'variables', 'files', 'ms'],
    meaning: 'everything was fetched; the process now becomes the command',
  },
  'exec.overrides': {
    level: 'warn',
    fields: ['names'],
    meaning: 'secrets replaced variables that were set already; --preserve-env keeps them',
  },
  'exec.signalled': {
    level: 'info',
    fields: ['signal', 'pid'],
    meaning: 'the files changed, and the signal of --on-change was sent to the command',
  },
  'exec.variablesKept': {
    level: 'warn',
    fields: [],
    meaning: 'only variables changed: a running command keeps its environment, so no signal was sent',
  },
  'exec.exited': {
    level: 'info',
    fields: ['pid', 'exitCode', 'signal'],
    meaning: 'the command of exec --on-change ended on its own, and podsecrets ends with its exit code',
  },
  'fetch.batchDisabled': {
    level: 'info',
    fields: ['action', 'awsCode'],
    meaning:
      'secrets are fetched one by one, because the endpoint does not support batches, or for an hour because the role lacks the permission',
  },
  'hook.zombieProcesses': {
    level: 'warn',
    fields: ['zombies'],
    meaning:
      'this program is process 1 and could not reap the zombie processes of hooks, or of the command of exec',
  },
  'log.dropped': {
    level: 'error',
    fields: ['lines'],
    meaning:
      'so many lines are missing in this place, because nothing read stderr and 4 MiB waited, or because it could not be written',
  },
  'notify.succeeded': {
    level: 'info',
    fields: ['notifier', 'files', 'attempts', 'ms'],
    meaning: 'a notifier delivered a change to the application; one line for each notifier',
  },
  'notify.failed': {
    level: 'warn',
    fields: ['notifier', 'files', 'attempts', ...problemFields],
    meaning: 'a notification failed; it is retried with the newest set of files',
  },
  'notify.failedAgain': {
    level: 'debug',
    fields: ['notifier', 'files', 'attempts', ...problemFields],
    meaning: 'the same failure again',
  },
  'install.succeeded': {
    level: 'info',
    fields: ['directory', 'files', 'bytes'],
    meaning: 'the program was copied into a volume',
  },
  'object.missing': {
    level: 'warn',
    fields: ['config', ...problemFields],
    meaning: 'an optional object does not exist; its files are not published',
  },
  'object.found': {
    level: 'info',
    fields: ['config', 'object'],
    meaning: 'a missing optional object exists again',
  },
  'publish.changed': {
    level: 'info',
    fields: ['config', 'directory', 'files', 'variables', 'ms', 'added', 'updated', 'removed', 'names'],
    meaning: 'a new set of files was published',
  },
  'publish.verified': {
    level: 'info',
    fields: ['config', 'directory', 'files', 'variables', 'ms'],
    meaning: 'the first sync of a process found the files up to date',
  },
  'publish.unchanged': {
    level: 'debug',
    fields: ['config', 'directory', 'files', 'variables', 'ms'],
    meaning: 'a later sync found no change',
  },
  'publish.warning': {
    level: 'warn',
    fields: ['config', ...problemFields],
    meaning: 'the files were published, but the volume is too small for a change to them',
  },
  'sync.failed': {
    level: 'warn',
    fields: ['attempt', 'retryIn', 'alsoAffected', ...problemFields],
    meaning: 'a sync failed and is retried; the files stay unchanged; one line for each cause',
  },
  'sync.failedAgain': {
    level: 'debug',
    fields: ['attempt', 'retryIn', 'alsoAffected', ...problemFields],
    meaning: 'the same failure again',
  },
  'sync.recovered': {
    level: 'info',
    fields: ['failures'],
    meaning: 'the first successful sync after failures',
  },
  'region.failing': {
    level: 'warn',
    fields: ['config', ...problemFields],
    meaning: 'one of the two regions does not return an object; the value of the other is used',
  },
  'region.recovered': {
    level: 'info',
    fields: ['config', 'object'],
    meaning: 'both regions return an object again',
  },
  'restart.failed': {
    level: 'warn',
    fields: problemFields,
    meaning: 'the command of exec was not restarted with a new set; retried at the next sync',
  },
  'restart.killed': {
    level: 'warn',
    fields: ['pid', 'timeout'],
    meaning: 'the command of exec did not end within --stop-timeout after its stop signal, and was killed',
  },
  'restart.succeeded': {
    level: 'info',
    fields: ['pid', 'ms'],
    meaning: 'the command of exec was restarted with a new set; ms: from its stop signal to its start',
  },
  'restart.requested': {
    level: 'info',
    fields: ['exitCode'],
    meaning: 'the files changed, and the sidecar ends with the code of --exit-on-change',
  },
  'secret.applied': {
    level: 'info',
    fields: ['secret', 'result'],
    meaning: 'a Kubernetes Secret was created, updated, taken over from the CSI driver, or removed',
  },
  'secret.unchanged': {
    level: 'debug',
    fields: ['secret', 'result'],
    meaning: 'a Kubernetes Secret is up to date',
  },
  'secret.warning': {
    level: 'warn',
    fields: [...problemFields],
    meaning: 'a Kubernetes Secret was not applied, or one that left the config was not deleted',
  },
  'sidecar.ready': {
    level: 'info',
    fields: ['listen', 'interval'],
    meaning: 'the files are published; the sidecar now syncs at its interval',
  },
  'sidecar.stopping': {
    level: 'info',
    fields: ['reason'],
    meaning: 'the program received a signal and shuts down',
  },
  'start.retrying': {
    level: 'warn',
    fields: ['attempt', 'retryIn', 'alsoAffected', ...problemFields],
    meaning: 'the first sync failed with a transient error and is retried; one line for each cause',
  },
} as const satisfies Record<string, LoggedEvent>;

export type EventName = keyof typeof events;
