/**
 * Conflicts between paths: each path belongs to one file, and no file has the path of a directory that another file needs.
 *
 * The AWS provider compares only names with names and aliases with aliases: two files that get the same path in other ways
 * overwrite each other there. Here that is an error.
 */

import type { FilePath } from '../core/file-path.ts';
import { quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Claim } from './outputs.ts';

interface Node<Owner> {
  owner: Owner | undefined;
  readonly children: Map<string, Node<Owner>>;
}

/**
 * Paths with their owners. The cost grows with the length of the paths, not with the number of pairs, so that no config can
 * make the comparison expensive.
 */
export class PathTree<Owner> {
  readonly #root: Node<Owner> = { owner: undefined, children: new Map() };

  /** Adds the path; if it has an owner already, returns that and changes nothing. */
  claim(path: FilePath, owner: Owner): Owner | undefined {
    let node = this.#root;
    for (const segment of path.split('/')) {
      const next = node.children.get(segment) ?? { owner: undefined, children: new Map() };
      node.children.set(segment, next);
      node = next;
    }
    if (node.owner !== undefined) return node.owner;
    node.owner = owner;
    return undefined;
  }

  /** The owner of the topmost claimed path that is a parent of this one. */
  ownerAbove(path: FilePath): Owner | undefined {
    let node: Node<Owner> | undefined = this.#root;
    for (const segment of path.split('/').slice(0, -1)) {
      node = node?.children.get(segment);
      if (node?.owner !== undefined) return node.owner;
    }
    return undefined;
  }
}

/** Reports every claim that conflicts with an earlier one. */
export function checkPaths(claims: readonly Claim[], diagnostics: Diagnostics): void {
  const tree = new PathTree<Claim>();
  const owners = claims.filter((claim) => {
    const other = tree.claim(claim.path, claim);
    if (other !== undefined) reportSamePath(claim, other, diagnostics);
    return other === undefined;
  });
  for (const claim of owners) {
    const other = tree.ownerAbove(claim.path);
    if (other !== undefined) reportPathBelow(claim, other, diagnostics);
  }
}

function reportSamePath(claim: Claim, other: Claim, diagnostics: Diagnostics): void {
  const sameText = claim.raw === other.raw;
  diagnostics.error(sameText ? 'config.duplicate' : 'config.path', claim.subject, {
    line: claim.line,
    message: sameText
      ? `expected a unique file name, got ${quote(claim.raw)}, which is also the name of ${placeOf(other)}`
      : `expected a unique file name, got ${quote(claim.path)}, which is also the name of ${placeOf(other)} (${quote(other.raw)})`,
    remedy: 'Give each a different objectAlias.',
  });
}

function reportPathBelow(claim: Claim, other: Claim, diagnostics: Diagnostics): void {
  const owner = other.kind === 'file' ? 'a file' : 'the directory of an expanded object';
  diagnostics.error('config.path', claim.subject, {
    line: claim.line,
    message: `expected a path outside of ${quote(other.path)}, which is ${owner} (${placeOf(other)}), got ${quote(claim.path)}`,
    remedy: 'Give one of the two a different objectAlias.',
  });
}

function placeOf({ subject, line }: Claim): string {
  return `${subject} in line ${line}`;
}
