/**
 * Limits on YAML text before its structure is composed.
 *
 * Composing recurses, so that deep nesting would exhaust the stack; the tokens underneath are a plain tree that can be
 * measured without recursion. Characters and tabs that the reference refuses are named here too.
 */

import type { CST } from 'yaml';

/** A SecretProviderClass has seven levels. */
const DEEPEST = 100;

/** What is said of a tab where the reference wants spaces. */
export const TAB = 'expected spaces as indentation, got a tab';

/** Passes the tokens of a text on, until one breaks a limit: then calls `refuse` with its position, and ends. */
export function* guardedTokens(
  tokens: Iterable<CST.Token>,
  text: string,
  refuse: (at: number, message: string) => void,
): Generator<CST.Token, void, undefined> {
  for (const token of tokens) {
    const broken = brokenLimit(token, text);
    if (broken !== undefined) {
      refuse(broken.at, broken.message);
      return;
    }
    yield token;
  }
}

interface BrokenLimit {
  readonly at: number;
  readonly message: string;
}

function brokenLimit(root: CST.Token, text: string): BrokenLimit | undefined {
  const open: Nested[] = [{ token: root, depth: 0, column: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > DEEPEST)
      return { at: token.offset, message: 'expected at most 100 levels, got deeper nesting' };
    const column = indentation(token, next.column);
    for (const space of whiteSpace(token)) {
      const at = indentingTab(space, text, column);
      if (at !== undefined) return { at, message: TAB };
    }
    for (const child of children(token)) open.push({ token: child, depth: depth + 1, column });
  }
  return undefined;
}

interface Nested {
  readonly token: CST.Token;
  readonly depth: number;
  /** Where the block around it is indented to; -1 in brackets, where tabs are white space. */
  readonly column: number;
}

function indentation(token: CST.Token, around: number): number {
  if (token.type === 'flow-collection') return -1;
  return around !== -1 && (token.type === 'block-map' || token.type === 'block-seq') ? token.indent : around;
}

/** What stands around the token's parts, line breaks and comments included. */
function whiteSpace(token: CST.Token): readonly CST.SourceToken[] {
  switch (token.type) {
    case 'space':
      return [token];
    case 'document':
      return [...token.start, ...(token.end ?? [])];
    case 'block-map':
    case 'block-seq':
      return token.items.flatMap((item) => [...item.start, ...(item.sep ?? [])]);
    case 'alias':
    case 'scalar':
    case 'single-quoted-scalar':
    case 'double-quoted-scalar':
    case 'flow-collection':
      return token.end ?? [];
    default:
      return [];
  }
}

/** The position of a tab that indents a line, be it empty. Behind the block's own column it goes for white space. */
function indentingTab(space: CST.SourceToken, text: string, column: number): number | undefined {
  const within = space.type === 'space' ? space.source.indexOf('\t') : -1;
  if (within === -1) return undefined;
  const at = space.offset + within;
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return at - start <= column && text.slice(start, at).trim() === '' ? at : undefined;
}

/** The tab that is most likely to blame for an error at a position: one that indents its line, or the next. */
export function tabBehind(text: string, error: number): number | undefined {
  const start = text.lastIndexOf('\n', error - 1) + 1;
  const [own = '', next = ''] = text.slice(start).split('\n', 2);
  if (INDENTED_BY_TAB.test(own)) return start;
  return INDENTED_BY_TAB.test(next) ? start + own.length + 1 : undefined;
}

const INDENTED_BY_TAB = /^ *\t/;

function* children(token: CST.Token): Generator<CST.Token, void, undefined> {
  if (token.type === 'document' && token.value !== undefined) yield token.value;
  if (token.type !== 'block-map' && token.type !== 'block-seq' && token.type !== 'flow-collection') return;
  for (const item of token.items) {
    if ('key' in item && item.key) yield item.key;
    if (item.value) yield item.value;
  }
}

/** What YAML 1.1 allows in a file: no control characters but tab and line breaks, no lone surrogates. */
export const forbiddenCharacter =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]|\p{Surrogate}/u;
