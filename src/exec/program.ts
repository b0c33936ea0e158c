/**
 * The file of the command's program, searched in the command's PATH by the rules of execvp(3).
 */

import { namesText, Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { SearchPath } from './environment.ts';

/**
 * The kind of file at a path: none, not executable for this user, not executable although its mode allows everyone,
 * or a program.
 */
export type FileKind = 'missing' | 'notExecutable' | 'forbidden' | 'program';

/** The default PATH of execvp(3) in glibc. */
const DEFAULT_PATH = '/bin:/usr/bin';

/** A program that was found. */
export interface Program {
  readonly file: string;
  /** The name in messages: the file, or the command if the directory comes from a secret. */
  readonly name: string;
}

/**
 * The program. A command with a slash is a path; any other is searched in the directories of `path`. Throws a Problem:
 * `exec.notFound` or `exec.start`.
 */
export function findProgram(
  command: string,
  { text: path, isSecret }: SearchPath,
  kindOf: (file: string) => FileKind,
): Program {
  if (command === '') throw notFound(command, 'expected the name of a program, got an empty one');
  if (command.includes('/')) {
    const kind = kindOf(command);
    if (kind === 'program') return { file: command, name: command };
    throw kind === 'missing' ? notFound(command, 'no such file') : notStarted(command, startFailures[kind]);
  }
  const nameOf = (file: string) => (isSecret ? command : file);
  const directories = (path ?? DEFAULT_PATH).split(':').map((directory) => directory || '.');
  let unusable: readonly [file: string, failure: StartFailure] | undefined;
  for (const directory of directories) {
    const file = `${directory}/${command}`;
    const kind = kindOf(file);
    if (kind === 'program') return { file, name: nameOf(file) };
    if (kind !== 'missing') unusable ??= [file, startFailures[kind]];
  }
  if (unusable !== undefined) throw notStarted(nameOf(unusable[0]), unusable[1]);
  const where = isSecret ? '' : `: ${namesText(directories.map((name) => quote(name)))}`;
  throw notFound(command, `not found in PATH${where}`);
}

/** Why a program that exists cannot be started, and what to do. */
export interface StartFailure {
  readonly reason: string;
  readonly remedy: string;
}

const EXECUTABLE = 'Check that it is a program, and that the user of this container may execute it.';

/** The known ones. */
export const startFailures = {
  notExecutable: { reason: 'permission denied (EACCES)', remedy: EXECUTABLE },
  forbidden: {
    reason:
      'permission denied (EACCES) although its mode allows everyone to execute it: its volume is mounted noexec, or a security module forbids it',
    remedy: 'Put the program into the image, or on a volume that is not mounted noexec.',
  },
  interpreter: {
    reason: 'the interpreter that it names is missing (ENOENT)',
    remedy: 'Put the interpreter into the image, or name one that is there in the first line of the script.',
  },
  format: {
    reason: 'its format is unknown; a script needs a first line such as #!/bin/sh (ENOEXEC)',
    remedy: 'Check that it is a program for the architecture of this machine.',
  },
  tooLong: {
    reason: 'its arguments and its environment together are too long for the kernel (E2BIG)',
    remedy:
      'Read large values from files (--dir), or raise the stack limit (ulimit -s): a quarter of it is allowed.',
  },
} as const satisfies Readonly<Record<string, StartFailure>>;

/** Of any other error of execve(2). */
export function otherFailure(reason: string): StartFailure {
  return { reason, remedy: EXECUTABLE };
}

function notFound(command: string, message: string): Problem {
  return new Problem({
    code: 'exec.notFound',
    subject: quote(command),
    message,
    remedy: 'Write the full path of the program after --. A shell command needs a shell: -- /bin/sh -c "…".',
  });
}

/** The problem of a program that exists but cannot be started. */
export function notStarted(name: string, { reason, remedy }: StartFailure): Problem {
  return new Problem({
    code: 'exec.start',
    subject: quote(name),
    message: `the program cannot be started: ${reason}`,
    remedy,
  });
}
