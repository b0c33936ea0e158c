/**
 * Limits on YAML text before its structure is composed.
 *
 * Composing recurses, so that deep nesting would exhaust the stack; the tokens underneath are a plain tree that can be
 * measured without recursion. Characters that the reference refuses are named here too.
 */

import type { CST } from 'yaml';

/** A SecretProviderClass has seven levels. */
const DEEPEST = 100;

/** Passes the tokens on, until one is nested too deeply: then calls `refuse` with its position, and ends. */
export function* guardedTokens(
  tokens: Iterable<CST.Token>,
  refuse: (at: number) => void,
): Generator<CST.Token, void, undefined> {
  for (const token of tokens) {
    const deep = tooDeep(token);
    if (deep !== undefined) {
      refuse(deep.offset);
      return;
    }
    yield token;
  }
}

function tooDeep(root: CST.Token): CST.Token | undefined {
  const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > DEEPEST) return token;
    for (const child of children(token)) open.push({ token: child, depth: depth + 1 });
  }
  return undefined;
}

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
