/** Hooks that fail: the files are published first, and the notification is repeated; `init` repeats it for 30 s. */

import type { FaultRow } from './fault-rows.ts';

const fails = {
  command: ['--notify-exec', '["false"]'],
  url: ['--notify-url', 'http://127.0.0.1:1/'],
  file: ['--notify-touch', '/none/file'],
} as const;

/** `start`: the code of the problem after the repeats; undefined: a repeat succeeds. `then`: the event of a refresh. */
function row(
  fault: string,
  args: (directory: string) => readonly string[],
  start: FaultRow['start'],
  then: 'notify.failed' | 'notify.succeeded',
  more: Partial<FaultRow> = {},
): FaultRow {
  return {
    area: 'hooks',
    fault,
    prepare: ({ args: all, box }) => all.push(...args(box.root)),
    make({ args: all, sidecar }) {
      if (sidecar === undefined) all.push('--notify-on-start');
    },
    start,
    refresh: undefined,
    rotates: true,
    then,
    ...more,
  };
}

export const hookRows: readonly FaultRow[] = [
  row('a command fails', () => fails.command, 'not applicable', 'notify.failed'),
  row('a URL refuses the connection', () => fails.url, 'not applicable', 'notify.failed'),
  row('a file cannot be touched', () => fails.file, 'not applicable', 'notify.failed'),
  // One cell, because a start repeats them for 30 s.
  row('all three', () => Object.values(fails).flat(), 'notify.', 'notify.failed', { waits: 2 }),
  row(
    'a command fails once',
    (directory) => ['--notify-exec', failsOnce(directory)],
    undefined,
    'notify.succeeded',
  ),
  row('a command does not exist', () => ['--notify-exec', '["/none"]'], 'notify.exec', 'notify.failed'),
];

function failsOnce(directory: string): string {
  return JSON.stringify(['sh', '-c', `mkdir ${directory}/called && exit 1; exit 0`]);
}
