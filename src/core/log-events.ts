/**
 * Every event that the log can hold, by the subject that its name begins with.
 *
 * An interface: people alert on these names. The level of an event is fixed here, so that what repeats every interval stays
 * `debug` and a change of state is `info`. The table of examples/reference/log.md is generated from this one, and a test
 * compares the code with it.
 */

/** A row of the table. */
export interface LoggedEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields beside `time`, `level`, `event` and `message`; a problem adds `problemFields` on its own. */
  readonly fields: readonly string[];
  readonly meaning: string;
}

/** What every line about a problem holds: `file` and `line` only where there are any. */
export const problemFields = ['code', 'subject', 'remedy', 'file', 'line'] as const;

/** The table: event names to what they mean. */
export const events = {
  'config.warning': {
    level: 'warn',
    fields: [...problemFields],
    meaning: 'something in a config, a variable or a directory works but is hardly meant so',
  },
  'config.reloaded': {
    level: 'info',
    fields: ['config', 'objects'],
    meaning: 'an edited config is in force; its files follow with the sync that comes next',
  },
  'config.invalid': {
    level: 'error',
    fields: ['config', ...problemFields],
    meaning: 'an edited config is broken; the one before it stays in force',
  },
  'config.recovered': {
    level: 'info',
    fields: ['config'],
    meaning: 'the broken config is whole again, and says what the one in force says',
  },
  'config.polling': {
    level: 'warn',
    fields: ['config', 'error'],
    meaning:
      'a config is only read every 10 s, because it cannot be watched: the inotify limit of the node is reached',
  },
  'config.watching': {
    level: 'debug',
    fields: ['config'],
    meaning: 'a config is watched for edits',
  },
  'credentials.source': {
    level: 'info',
    fields: [],
    meaning: 'how the program authenticates',
  },
  'credentials.nodeRole': {
    level: 'warn',
    fields: [...problemFields],
    meaning:
      'the pod has no identity of its own and reads with the role of the node, as --auth default allows',
  },
  'credentials.renewal': {
    level: 'warn',
    fields: ['expires', ...problemFields],
    meaning: 'new credentials could not be had; the old ones serve until they expire',
  },
  exit: {
    level: 'error',
    fields: ['exitCode'],
    meaning: 'the last line of a program that failed: what, where, and what to do',
  },
  'fetch.batchDisabled': {
    level: 'info',
    fields: ['action', 'awsCode'],
    meaning: 'secrets are read one by one from now on, for batches are not allowed, not known or throttled',
  },
  'hook.zombieProcesses': {
    level: 'warn',
    fields: ['zombies'],
    meaning:
      'ended processes of hooks stay in the process table, for this program is process 1 and could not reap them',
  },
  'notify.succeeded': {
    level: 'info',
    fields: ['notifier', 'files', 'attempts', 'ms'],
    meaning: 'the application was told about a change',
  },
  'notify.failed': {
    level: 'warn',
    fields: ['notifier', 'files', 'attempts', ...problemFields],
    meaning: 'it could not be told; it is tried again, about the newest set',
  },
  'notify.failedAgain': {
    level: 'debug',
    fields: ['notifier', 'files', 'attempts', ...problemFields],
    meaning: 'the same failure once more',
  },
  'object.missing': {
    level: 'warn',
    fields: ['config', ...problemFields],
    meaning: 'an optional object does not exist; its files are left out',
  },
  'object.found': {
    level: 'info',
    fields: ['config', 'object'],
    meaning: 'an optional object that did not exist is there again',
  },
  'publish.changed': {
    level: 'info',
    fields: ['config', 'directory', 'files', 'ms', 'added', 'updated', 'removed', 'names'],
    meaning: 'a new set of files is in the directory',
  },
  'publish.verified': {
    level: 'info',
    fields: ['config', 'directory', 'files', 'ms'],
    meaning: 'the first sync of a process found the files as they should be',
  },
  'publish.unchanged': {
    level: 'debug',
    fields: ['config', 'directory', 'files', 'ms'],
    meaning: 'a later sync found nothing changed',
  },
  'sync.failed': {
    level: 'warn',
    fields: ['attempt', 'retryIn', ...problemFields],
    meaning: 'a sync failed; the files stay as they are, and it is tried again',
  },
  'sync.failedAgain': {
    level: 'debug',
    fields: ['attempt', 'retryIn', ...problemFields],
    meaning: 'the same failure once more',
  },
  'sync.recovered': {
    level: 'info',
    fields: ['failures'],
    meaning: 'the first good sync after failures',
  },
  'region.failing': {
    level: 'warn',
    fields: ['config', ...problemFields],
    meaning: 'one of two regions does not serve an object; the other one does',
  },
  'region.recovered': {
    level: 'info',
    fields: ['config', 'object'],
    meaning: 'both regions serve an object again',
  },
  'secret.applied': {
    level: 'info',
    fields: ['secret', 'result'],
    meaning: 'a Kubernetes Secret was created, updated or removed',
  },
  'secret.unchanged': {
    level: 'debug',
    fields: ['secret', 'result'],
    meaning: 'a Kubernetes Secret is as it should be',
  },
  'secret.warning': {
    level: 'warn',
    fields: [...problemFields],
    meaning: 'a Kubernetes Secret was left as it is',
  },
  'sidecar.ready': {
    level: 'info',
    fields: ['listen', 'interval'],
    meaning: 'the first phase is over: the files are there, and are kept fresh from now on',
  },
  'sidecar.stopping': {
    level: 'info',
    fields: ['reason'],
    meaning: 'the program was asked to end',
  },
  'start.retrying': {
    level: 'warn',
    fields: ['attempt', 'retryIn', ...problemFields],
    meaning: 'the first sync failed with something that may pass; it is tried again',
  },
} as const satisfies Record<string, LoggedEvent>;

export type EventName = keyof typeof events;
