/**
 * The file of the program that a command names, as execvp(3) finds it in the PATH that the command gets.
 */

import { namesText, Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { SearchPath } from './environment.ts';

/**
 * What a path leads to: nothing, a file that this user cannot execute, a file that nobody can although its mode lets everybody,
 * or a program.
 */
export type FileKind = 'missing' | 'notExecutable' | 'forbidden' | 'program';

/** What execvp(3) of glibc searches when PATH is not set. */
const DEFAULT_PATH = '/bin:/usr/bin';

/** A program that was found. */
export interface Program {
  readonly file: string;
  /** What messages call it: the file, or the word if the directory comes from a secret. */
  readonly name: string;
}

/**
 * The program. A word with a slash is a path; any other is searched in the directories of `path`. Throws a Problem:
 * `exec.notFound` or `exec.start`.
 */
export function findProgram(
  word: string,
  { text: path, isSecret }: SearchPath,
  kindOf: (file: string) => FileKind,
): Program {
  if (word.includes('/')) {
    const kind = kindOf(word);
    if (kind === 'program') return { file: word, name: word };
    throw kind === 'missing' ? notFound(word, 'no such file') : notStarted(word, reasons[kind]);
  }
  const nameOf = (file: string) => (isSecret ? word : file);
  const directories = (path ?? DEFAULT_PATH).split(':').map((directory) => directory || '.');
  let refused: readonly [file: string, reason: string] | undefined;
  for (const directory of directories) {
    const file = `${directory}/${word}`;
    const kind = kindOf(file);
    if (kind === 'program') return { file, name: nameOf(file) };
    if (kind !== 'missing') refused ??= [file, reasons[kind]];
  }
  if (refused !== undefined) throw notStarted(nameOf(refused[0]), refused[1]);
  const where = isSecret ? '' : `: ${namesText(directories.map((name) => quote(name)))}`;
  throw notFound(word, `not found in PATH${where}`);
}

const reasons = {
  notExecutable: 'permission denied (EACCES)',
  forbidden:
    'permission denied (EACCES) although its mode lets everybody execute it: its volume is mounted noexec, or a security module forbids it',
} as const;

function notFound(word: string, message: string): Problem {
  return new Problem({
    code: 'exec.notFound',
    subject: quote(word),
    message,
    remedy: 'Write the full path of the program after --. A shell command needs a shell: -- /bin/sh -c "…".',
  });
}

/** A program that is there, but that the kernel does not start. */
export function notStarted(name: string, reason: string): Problem {
  return new Problem({
    code: 'exec.start',
    subject: quote(name),
    message: `the program cannot be started: ${reason}`,
    remedy:
      'Check that it is a program for this machine, and that the user of this container may execute it.',
  });
}
