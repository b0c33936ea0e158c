/**
 * The tokens of a YAML text: a lenient lexer, and limits that are checked before the structure is composed.
 *
 * Composing recurses, so deep nesting would exhaust the stack; the tokens are a plain tree that can be measured without recursion.
 * Tabs and characters that Go's yaml.v2 rejects are found here too.
 */

import { type CST, Lexer, Parser } from 'yaml';
import { type Explanation, tabExplanation } from './yaml-errors.ts';

/** Members that the lexer's types do not declare. The tests of lenient texts fail if another version changes them. */
interface LexerInternals {
  /** The indent that the next line must have to belong to the open block. */
  indentNext: number;
  parseFlowCollection(): Generator<string, unknown>;
  parseQuotedScalar(): Generator<string, unknown>;
}

/**
 * A lexer for one text, as lenient as that of Go's yaml.v2. YAML requires text in brackets or quotes to be indented deeper than the
 * key before it; yaml.v2 does not, and people close a bracket below the key that opened it. So inside of both, the package's lexer is
 * set to require no indent.
 */
export function lenientLexer(): Lexer {
  const lexer = new Lexer();
  const internals = lexer as unknown as LexerInternals;
  for (const name of ['parseFlowCollection', 'parseQuotedScalar'] as const) {
    const parse = internals[name].bind(internals);
    internals[name] = function* () {
      const { indentNext } = internals;
      internals.indentNext = 0;
      const state = yield* parse();
      internals.indentNext = indentNext;
      return state;
    };
  }
  return lexer;
}

/** The tokens of a text; `onNewLine` is called with the position of each line. */
export function* tokensOf(
  text: string,
  lexer: Lexer,
  onNewLine: (at: number) => void,
): Generator<CST.Token, void, undefined> {
  const parser = new Parser(onNewLine);
  onNewLine(0);
  for (const lexeme of lexer.lex(text)) yield* parser.next(lexeme);
  yield* parser.end();
}

/** A SecretProviderClass has seven levels. */
const MAX_DEPTH = 100;

/** Yields the tokens until one exceeds a limit, then calls `report` and ends. */
export function* guardedTokens(
  tokens: Iterable<CST.Token>,
  text: string,
  report: (error: Explanation) => void,
): Generator<CST.Token, void, undefined> {
  for (const token of tokens) {
    const error = limitError(token, text);
    if (error !== undefined) {
      report(error);
      return;
    }
    yield token;
  }
}

function limitError(root: CST.Token, text: string): Explanation | undefined {
  const open: Nested[] = [{ token: root, depth: 0, column: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) {
      const message = `expected at most ${MAX_DEPTH} levels, got deeper nesting`;
      return { at: token.offset, message, remedy: 'Write it with fewer levels.' };
    }
    const column = indentation(token, next.column);
    for (const space of whiteSpace(token)) {
      const at = indentingTab(space, text, column);
      if (at !== undefined) return tabExplanation(at);
    }
    for (const child of children(token)) open.push({ token: child, depth: depth + 1, column });
  }
  return undefined;
}

interface Nested {
  readonly token: CST.Token;
  readonly depth: number;
  /** The column of the block around it; -1 in brackets, where tabs are white space. */
  readonly column: number;
}

function indentation(token: CST.Token, around: number): number {
  if (token.type === 'flow-collection') return -1;
  return around !== -1 && (token.type === 'block-map' || token.type === 'block-seq') ? token.indent : around;
}

/** The tokens between the parts of a token, line breaks and comments included. */
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

/** The position of a tab that indents a line, even an empty one. After the column of the block a tab is white space. */
function indentingTab(space: CST.SourceToken, text: string, column: number): number | undefined {
  const within = space.type === 'space' ? space.source.indexOf('\t') : -1;
  if (within === -1) return undefined;
  const at = space.offset + within;
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return at - start <= column && text.slice(start, at).trim() === '' ? at : undefined;
}

function* children(token: CST.Token): Generator<CST.Token, void, undefined> {
  if (token.type === 'document' && token.value !== undefined) yield token.value;
  if (token.type !== 'block-map' && token.type !== 'block-seq' && token.type !== 'flow-collection') return;
  for (const item of token.items) {
    if ('key' in item && item.key) yield item.key;
    if (item.value) yield item.value;
  }
}

/** Characters that YAML 1.1 forbids: control characters except tab and line breaks, and lone surrogates. */
export const forbiddenCharacter =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]|\p{Surrogate}/u;
