/**
 * `podsecrets install`: copies the program with its libraries into a volume, for `exec` in other images.
 *
 * The program finds its loader and its libraries in /podsecrets only, so the application must mount the volume there. This
 * container mounts it at another path, because in its image /podsecrets is the program itself.
 */

import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { exitCodes, Problem, usageProblem } from '../core/problem.ts';
import { PROGRAM_DIRECTORY } from '../core/program-path.ts';
import { plural, quote } from '../core/text.ts';
import type { Context } from './context.ts';
import { openCommandLog } from './logging.ts';

/** Copies every file of the program's own directory. Throws a Problem of stage `usage` or `publish`. */
export async function install(context: Context): Promise<number> {
  const { file: executable } = context.process.program;
  const log = openCommandLog(context);
  const [target = PROGRAM_DIRECTORY] = context.args;
  const source = dirname(executable);
  const names = readdirSync(source).filter((name) => statSync(join(source, name)).isFile());
  if (!names.some((name) => name.startsWith('ld-linux'))) {
    const message = `expected the program of the image, with its libraries in ${PROGRAM_DIRECTORY}, got ${quote(executable)}`;
    throw usageProblem('install', message, 'Run it from the image of podsecrets.', 'usage.command');
  }
  if (resolve(target) === source) {
    const remedy = `Mount the volume at another path, and pass that path: podsecrets install /install. The application mounts it at ${PROGRAM_DIRECTORY}.`;
    throw usageProblem(quote(target), 'is the directory of this program', remedy, 'usage.command');
  }
  let size = 0;
  try {
    if (!existsSync(target)) mkdirSync(target);
    for (const name of names) size += copy(join(source, name), join(target, name));
  } catch (error) {
    throw installProblem(target, error as NodeJS.ErrnoException);
  }
  if (statfsSync(target).type === TMPFS) log.problem('config.warning', inMemory(target, size));
  const text = `copied ${plural(names.length, 'file')} (${megabytes(size)}) to ${target}`;
  log.write('install.succeeded', text, { directory: target, files: names.length, bytes: size });
  return exitCodes.done;
}

/** `f_type` of statfs(2). */
const TMPFS = 0x0102_1994;

/**
 * Replaces the file by a rename, so that a running program keeps its file. Returns the bytes. The temporary name has that of the pod,
 * because pods can share a volume, and because a later start of this pod then removes what is left of an interrupted one.
 */
function copy(from: string, to: string): number {
  const temporary = `${to}.${hostname()}.new`;
  rmSync(temporary, { force: true });
  copyFileSync(from, temporary, constants.COPYFILE_FICLONE);
  chmodSync(temporary, 0o755);
  renameSync(temporary, to);
  return statSync(to).size;
}

function megabytes(size: number): string {
  return `${Math.round(size / 1e6)} MB`;
}

function installProblem(target: string, error: NodeJS.ErrnoException): Problem {
  const { code = 'an error' } = error;
  const remedies: Readonly<Record<string, string>> = {
    ENOSPC: 'Give the volume more space: it needs 160 MB, twice that for an update.',
    ENOENT: 'Mount a volume there, or name one: podsecrets install DIR.',
    EACCES: 'Give the user of this container write permission.',
    EROFS: 'Mount the volume without readOnly in this container.',
  };
  return new Problem({
    code: 'publish.write',
    subject: quote(target),
    message: `the program could not be copied (${code})`,
    remedy: remedies[code] ?? 'Name a directory that this container can write to.',
    cause: error,
  });
}

function inMemory(target: string, size: number): Problem {
  return new Problem({
    code: 'publish.filesystem',
    subject: quote(target),
    message: `the volume is in memory, so ${megabytes(size)} count against the memory limit of the container`,
    remedy: 'Use an emptyDir without medium: Memory.',
  });
}
