/**
 * What stands in the directory before a publish: the set in use, our links, leftovers of a crash, and what others put there.
 *
 * Names that begin with `..` are ours by rule; any other name is ours only if it is a link of exactly our making. What is
 * not ours is never touched.
 */

import { constants } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { FileSystem } from './fs.ts';

/** The link to the set in use, and the link that is renamed onto it. */
export const DATA = '..data';
export const NEW_DATA = '..data_tmp';

/** Stands beside a set, never in it: whoever copies the whole set, as any user, finds files and nothing else. */
const PENDING_SUFFIX = '.pending';

/** Beside a generation too: the Kubernetes Secrets that were applied from it. */
const APPLIED_SUFFIX = '.applied';

/** Every name in the directory, by whose it is. */
export interface Layout {
  readonly current: CurrentGeneration | undefined;
  /** Every set that is not the current one: replaced, or left unfinished by a crash. */
  readonly otherGenerations: readonly string[];
  /** The note of the current set, and those of others. */
  readonly pendingFile: string | undefined;
  readonly otherPendingFiles: readonly string[];
  /** The record of Secrets applied from the current set. Those of others are among `otherPendingFiles`. */
  readonly appliedFile: string | undefined;
  /** Names that are our links, `name -> ..data/name`. */
  readonly links: ReadonlySet<string>;
  /** Names that somebody else made. */
  readonly foreign: ReadonlySet<string>;
  /** Whether a crash left a link that never became `..data`. */
  readonly hasNewData: boolean;
}

/** The set that `..data` leads to. */
interface CurrentGeneration {
  readonly name: string;
  /** When it was published: milliseconds since 1970, by the file system's clock. */
  readonly since: number;
  /** The names that stand at its top. */
  readonly names: ReadonlySet<string>;
}

/** Looks at every name once. Throws a Problem when `..data` is not ours, and the errors of the file system. */
export function readLayout(fs: FileSystem, dir: string): Layout {
  const generations: string[] = [];
  const notes: string[] = [];
  const links = new Set<string>();
  const foreign = new Set<string>();
  let hasData = false;
  let hasNewData = false;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const { name } = entry;
    if (name === DATA) hasData = true;
    else if (name === NEW_DATA) hasNewData = true;
    else if (isGenerationName(name)) generations.push(name);
    else if (isBesideGeneration(name)) notes.push(name);
    else if (entry.isSymbolicLink() && fs.readlinkSync(join(dir, name)) === linkTarget(name)) links.add(name);
    else foreign.add(name);
  }
  const current = hasData ? currentGeneration(fs, dir) : undefined;
  const pendingFile = notes.find((name) => current !== undefined && name === pendingFileName(current.name));
  const appliedFile = notes.find((name) => current !== undefined && name === appliedFileName(current.name));
  return {
    current,
    otherGenerations: generations.filter((name) => name !== current?.name),
    pendingFile,
    otherPendingFiles: notes.filter((name) => name !== pendingFile && name !== appliedFile),
    appliedFile,
    links,
    foreign,
    hasNewData,
  };
}

/** Relative, so that it holds wherever the volume is mounted. */
export function linkTarget(name: string): string {
  return `${DATA}/${name}`;
}

/** What mkdtemp makes of this is a set's name: `..2026_01_31_23_59_59.a1B2c3`. */
export function generationPrefix(now: number): string {
  return `..${new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.`;
}

/** The note that belongs to a set, by its name or by its path. */
export function pendingFileName(set: string): string {
  return `${set}${PENDING_SUFFIX}`;
}

/** The record of applied Secrets that belongs to a set. */
export function appliedFileName(set: string): string {
  return `${set}${APPLIED_SUFFIX}`;
}

function isBesideGeneration(name: string): boolean {
  return [PENDING_SUFFIX, APPLIED_SUFFIX].some(
    (suffix) => name.endsWith(suffix) && isGenerationName(name.slice(0, -suffix.length)),
  );
}

function isGenerationName(name: string): boolean {
  return /^\.\.\d{4}(_\d\d){5}\.\w+$/.test(name);
}

function currentGeneration(fs: FileSystem, dir: string): CurrentGeneration | undefined {
  const data = join(dir, DATA);
  const link = fs.lstatSync(data);
  const name = link.isSymbolicLink() ? fs.readlinkSync(data) : undefined;
  if (name === undefined || !isGenerationName(name)) throw foreignData(data, name);
  const path = join(dir, name);
  // Somebody removed the set behind the link, or put a link to elsewhere into its place: as before the first publish.
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  // Asked before anything is written: else the first rotation, at night, would be the one to find out.
  fs.accessSync(path, constants.W_OK);
  return { name, since: link.mtimeMs, names: new Set(fs.readdirSync(path)) };
}

function foreignData(data: string, target: string | undefined): Problem {
  return new Problem({
    code: 'publish.directory',
    subject: data,
    message: `expected a link to a set of podsecrets, got ${target === undefined ? 'something that is no link' : `a link to ${quote(target)}`}`,
    remedy: 'Give podsecrets a directory of its own.',
  });
}
