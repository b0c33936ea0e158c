/**
 * Every event that the log can hold.
 *
 * An interface: people alert on these names. The level of an event is fixed here, so that what repeats every interval stays
 * `debug` and a change of state is `info`. The README's table is made from this one, and a test holds the code against it.
 */

export interface LoggedEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields beside `time`, `level`, `event` and `message`; a problem adds `problemFields` on its own. */
  readonly fields: readonly string[];
  readonly meaning: string;
}

/** What every line about a problem holds: `file` and `line` only where there are any. */
export const problemFields = ['code', 'subject', 'remedy', 'file', 'line'] as const;

export const events = {
  'credentials.renewal': {
    level: 'warn',
    fields: ['expires', ...problemFields],
    meaning: 'new credentials could not be had; the old ones serve until they expire',
  },
  'fetch.single': {
    level: 'info',
    fields: ['action', 'awsCode'],
    meaning: 'secrets are read one by one from now on, for batches are not allowed or are throttled',
  },
  'notify.told': {
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
} as const satisfies Record<string, LoggedEvent>;

export type EventName = keyof typeof events;
