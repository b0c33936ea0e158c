/**
 * The contents of the directory: the current generation, links of podsecrets, leftovers of a crash, and foreign files.
 *
 * Names that begin with `..` belong to podsecrets; any other name only if it is exactly a link that podsecrets creates.
 * Foreign files are never changed.
 */

import { join } from 'node:path';
import type { FilePath } from '../core/file-path.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { FileSystem } from './fs.ts';

/** The link to the current generation, and the link that is renamed onto it. */
export const DATA = '..data';
export const NEW_DATA = '..data_tmp';

/** The file that the holder of the directory locks (lock.ts). */
export const LOCK = '..lock';

/** Next to a generation, never in it, so that a program that copies the whole generation gets only secret files. */
const PENDING_SUFFIX = '.pending';

/** Also next to a generation: the Kubernetes Secrets that were applied from it. */
const APPLIED_SUFFIX = '.applied';

/** Every name in the directory, by owner. */
export interface Layout {
  readonly current: CurrentGeneration | undefined;
  /** Every generation that is not the current one: replaced, or left unfinished by a crash. */
  readonly otherGenerations: readonly string[];
  /** The pending file of the current generation, and its record of applied Secrets. */
  readonly pendingFile: string | undefined;
  readonly appliedFile: string | undefined;
  /** The pending files and records of other generations. */
  readonly otherSideFiles: readonly string[];
  /** Names of podsecrets' links, `name -> ..data/name`. */
  readonly links: ReadonlySet<string>;
  /** Names that podsecrets did not create. */
  readonly foreign: ReadonlySet<string>;
  /** Whether a crash left a link that never became `..data`. */
  readonly hasNewData: boolean;
}

/** The generation that `..data` leads to. */
interface CurrentGeneration {
  readonly name: string;
  /** When it was published: milliseconds since 1970, by the file system's clock. */
  readonly since: number;
  /** The names at its top. */
  readonly names: ReadonlySet<string>;
}

/** Classifies every name once. Throws a Problem if podsecrets did not create `..data`, and file system errors. */
export function readLayout(fs: FileSystem, dir: string): Layout {
  const generations: string[] = [];
  const sideFiles: string[] = [];
  const links = new Set<string>();
  const foreign = new Set<string>();
  let hasData = false;
  let hasNewData = false;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const { name } = entry;
    if (name === DATA) hasData = true;
    else if (name === NEW_DATA) hasNewData = true;
    else if (isGenerationName(name)) generations.push(name);
    else if (isSideFileName(name)) sideFiles.push(name);
    else if (entry.isSymbolicLink() && fs.readlinkSync(join(dir, name)) === linkTarget(name)) links.add(name);
    else foreign.add(name);
  }
  const current = hasData ? currentGeneration(fs, dir) : undefined;
  const sideFile = (nameOf: (generation: string) => string) =>
    sideFiles.find((name) => current !== undefined && name === nameOf(current.name));
  const pendingFile = sideFile(pendingFileName);
  const appliedFile = sideFile(appliedFileName);
  return {
    current,
    otherGenerations: generations.filter((name) => name !== current?.name),
    pendingFile,
    appliedFile,
    otherSideFiles: sideFiles.filter((name) => name !== pendingFile && name !== appliedFile),
    links,
    foreign,
    hasNewData,
  };
}

/** Milliseconds. Long enough for a reader that is 100 times slower than usual to read a whole generation. */
const CLEANUP_DELAY = 1000;

/**
 * How many milliseconds longer a reader may be in a generation that the current one replaced. Clocks jump: never longer than
 * the delay. `now`: the wall clock, milliseconds since 1970.
 */
export function remainingDelay({ current }: Layout, now: number): number {
  return current === undefined ? 0 : Math.min(current.since + CLEANUP_DELAY - now, CLEANUP_DELAY);
}

/** Relative, so that it is valid wherever the volume is mounted. */
export function linkTarget(name: string): string {
  return `${DATA}/${name}`;
}

/** With the suffix of mkdtemp this is a generation's name: `..2026_01_31_23_59_59.a1B2c3`. */
export function generationPrefix(now: number): string {
  return `..${new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.`;
}

/** The pending file that belongs to a generation, by its name or by its path. */
export function pendingFileName(generation: string): string {
  return `${generation}${PENDING_SUFFIX}`;
}

/** The record of applied Secrets that belongs to a generation, by its name. */
export function appliedFileName(generation: string): string {
  return `${generation}${APPLIED_SUFFIX}`;
}

function isSideFileName(name: string): boolean {
  return [PENDING_SUFFIX, APPLIED_SUFFIX].some(
    (suffix) => name.endsWith(suffix) && isGenerationName(name.slice(0, -suffix.length)),
  );
}

/** Whether it is the name of a generation. */
export function isGenerationName(name: string): boolean {
  return /^\.\.\d{4}(_\d\d){5}\.\w+$/.test(name);
}

function currentGeneration(fs: FileSystem, dir: string): CurrentGeneration | undefined {
  const data = join(dir, DATA);
  const link = fs.lstatSync(data);
  const name = link.isSymbolicLink() ? fs.readlinkSync(data) : undefined;
  if (name === undefined || !isGenerationName(name)) throw foreignData(data, name);
  const path = join(dir, name);
  // The generation was removed, or replaced by a link to elsewhere: the same as before the first publish.
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  // Checked before anything is written: otherwise the start would succeed and the first rotation would fail.
  fs.accessSync(path, fs.constants.W_OK);
  return { name, since: link.mtimeMs, names: new Set(fs.readdirSync(path)) };
}

function foreignData(data: string, target: string | undefined): Problem {
  const found = target === undefined ? 'it is not a symbolic link' : `it links to ${quote(target)}`;
  return new Problem({
    code: 'publish.directory',
    subject: data,
    message: `..data was not created by podsecrets: ${found}`,
    remedy: 'Give podsecrets a directory of its own.',
  });
}

/** Whether there is a generation that has all of these files; false if it cannot be read. */
export function holdsFiles(fs: FileSystem, dir: string, paths: readonly FilePath[]): boolean {
  try {
    const { current, links } = readLayout(fs, dir);
    if (current === undefined) return false;
    return paths.every((path) => {
      fs.statSync(join(dir, current.name, path));
      return links.has(path.split('/')[0] ?? '');
    });
  } catch {
    return false;
  }
}
