/**
 * Parses YAML into plain data with line numbers.
 *
 * The `yaml` package parses the structure; yaml-values.ts converts it to values. Errors are returned with their line, not
 * thrown. Depth and alias expansion are bounded, so that the cost is proportional to the length of the text.
 */

import { Composer, type Document, Lexer, LineCounter } from 'yaml';
import type { Diagnostic } from '../core/problem.ts';
import { type Explanation, explainSyntaxError } from './yaml-errors.ts';
import type { LineAt } from './yaml-lines.ts';
import { forbiddenCharacter, guardedTokens, lenientLexer, tokensOf } from './yaml-tokens.ts';
import { readValue, type YamlValue } from './yaml-values.ts';

/** One document of a text. */
export interface YamlDocument {
  /** Undefined for a document without content, and if there are errors. */
  readonly root: YamlValue | undefined;
  readonly errors: readonly Diagnostic[];
  /** The line on which it begins, with its `---` if it has one. */
  readonly line: number;
}

const BYTE_ORDER_MARK = '\ufeff';
/** Line breaks in YAML 1.1 that the package, which implements 1.2, reads as characters. */
const OTHER_BREAKS = /\r(?!\n)|\u0085/g;
/** The package insists on a space before `#`; Go's yaml.v2 accepts `"text"#comment`. */
const TOO_STRICT = /^Comments must be separated/;

/**
 * Parses all documents; a text without any content is one document without a root, and documents without content after
 * the first one are left out. `lineAt` gives the line of a position in the text; by default lines are counted in it. The
 * lenient lexer is used only for a text that the strict one rejects. If both fail, the strict one gives the better message.
 */
export function parseYaml(source: string, lineAt?: LineAt): readonly YamlDocument[] {
  const strict = parseWith(new Lexer(), source, lineAt);
  if (readable(strict) === strict.length) return strict;
  const lenient = parseWith(lenientLexer(), source, lineAt);
  return readable(lenient) > readable(strict) ? lenient : strict;
}

/** How many documents come before the first error. */
function readable(documents: readonly YamlDocument[]): number {
  const failed = documents.findIndex(({ errors }) => errors.length > 0);
  return failed === -1 ? documents.length : failed;
}

function parseWith(lexer: Lexer, source: string, lineAt: LineAt | undefined): readonly YamlDocument[] {
  const lines = new LineCounter();
  const mark = source.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const text = source.slice(mark).replace(OTHER_BREAKS, '\n');
  const place: LineAt = (at) => lineAt?.(at + mark) ?? (lines.linePos(at).line || 1);
  const failed = ({ at, message, remedy }: Explanation, start = at): YamlDocument => {
    return { root: undefined, errors: [{ line: place(at), message, remedy }], line: place(start) };
  };
  const control = forbiddenCharacter.exec(text);
  if (control !== null) {
    lines.addNewLine(0);
    for (let at = 0; at < control.index; at++) if (text[at] === '\n') lines.addNewLine(at + 1);
    const code = (text.codePointAt(control.index) ?? 0).toString(16).padStart(4, '0').toUpperCase();
    const message = `expected printable characters, got the character U+${code}`;
    return [failed({ at: control.index, message, remedy: 'Remove the character.' })];
  }

  let limitError: Explanation | undefined;
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
  const tokens = guardedTokens(tokensOf(text, lexer, lines.addNewLine), text, (error) => {
    limitError = error;
  });
  const documents: YamlDocument[] = [];
  for (const document of composer.compose(tokens)) {
    if (limitError !== undefined) break;
    if (documents.length > 0 && !hasContent(document)) continue;
    documents.push(readDocument(document, text, place, failed));
  }
  if (limitError !== undefined) documents.push(failed(limitError));
  if (documents.length > 0) return documents;
  // A text with only directives or comments has no document; their errors are in the stream info.
  const [error] = composer.streamInfo().errors;
  return [
    error === undefined
      ? { root: undefined, errors: [], line: 1 }
      : failed(explainSyntaxError(text, { code: error.code, message: error.message, at: error.pos[0] })),
  ];
}

function readDocument(
  document: Document.Parsed,
  text: string,
  place: LineAt,
  failed: (error: Explanation, start: number) => YamlDocument,
): YamlDocument {
  const error = document.errors.find(({ message }) => !TOO_STRICT.test(message));
  if (error !== undefined) {
    const { code, message, pos } = error;
    return failed(explainSyntaxError(text, { code, message, at: pos[0] }), document.range[0]);
  }
  const { explicit, version } = document.directives.yaml;
  if (explicit && version !== '1.1') {
    const message = `expected YAML 1.1, got a directive for ${version}`;
    return failed({ at: 0, message, remedy: 'Remove the line %YAML.' }, document.range[0]);
  }
  const line = place(document.range[0]);
  if (document.contents === null) return { root: undefined, errors: [], line };
  const errors: Diagnostic[] = [];
  const root = readValue(document, text, place, errors);
  return { root: errors.length > 0 ? undefined : root, errors, line };
}

/** Whether a document is more than a `---` after the last line. */
function hasContent(document: Document.Parsed): boolean {
  const [start, end] = document.contents?.range ?? [0, 0];
  return start < end || document.errors.length > 0;
}
