/**
 * Paths of all objects together: each belongs to one file, and no file stands where another one needs a directory.
 *
 * The AWS provider compares only names with names and aliases with aliases; what lands on one path by another way, one of
 * the two writes over the other. Here that is refused.
 */

import { quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Claim } from './outputs.ts';
import { PathTree } from './path-tree.ts';

/** Reports every claim that collides with an earlier one. */
export function checkPaths(claims: readonly Claim[], findings: Diagnostics): void {
  const tree = new PathTree<Claim>();
  const holders = claims.filter((claim) => {
    const other = tree.claim(claim.path, claim);
    if (other !== undefined) reportSame(claim, other, findings);
    return other === undefined;
  });
  for (const claim of holders) {
    const other = tree.above(claim.path);
    if (other !== undefined) reportBelow(claim, other, findings);
  }
}

function reportSame(claim: Claim, other: Claim, findings: Diagnostics): void {
  const same = claim.written === other.written;
  findings.error({
    code: same ? 'config.duplicate' : 'config.path',
    subject: claim.subject,
    line: claim.line,
    message: same
      ? `expected a file name of its own, got ${quote(claim.written)}, as ${placeOf(other)} has`
      : `expected a file name of its own, got ${quote(claim.path)}, which ${placeOf(other)} (${quote(other.written)}) has too`,
    remedy: 'Give each a different objectAlias.',
  });
}

function reportBelow(claim: Claim, other: Claim, findings: Diagnostics): void {
  const holder = other.kind === 'file' ? 'a file' : 'the directory of an expanded object';
  findings.error({
    code: 'config.path',
    subject: claim.subject,
    line: claim.line,
    message: `expected a path outside of ${quote(other.path)}, which is ${holder} (${placeOf(other)}), got ${quote(claim.path)}`,
    remedy: 'Give one of the two a different objectAlias.',
  });
}

function placeOf({ subject, line }: Claim): string {
  return `${subject} in line ${line}`;
}
