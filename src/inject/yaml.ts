/**
 * YAML text to values, and values to YAML text: the one place of `inject` that calls the library.
 *
 * Manifests are read as Kubernetes' tools read them: YAML 1.1 (`defaultMode: 0400` is octal, `yes` is true) without its
 * base 60 numbers and dates, which those tools leave as text. What is written is quoted so that both versions agree.
 */

import {
  Document,
  isMap,
  isSeq,
  LineCounter,
  parseAllDocuments,
  Scalar,
  type Tags,
  visit,
  type YAMLParseError,
} from 'yaml';
import { Problem } from '../core/problem.ts';
import { escapeControl, yamlEscapes } from '../core/text.ts';
import { textOf } from '../core/unknown.ts';
import { explainSyntaxError } from '../formats/yaml-errors.ts';
import { forbiddenCharacter } from '../formats/yaml-tokens.ts';
import { braces, expressionIn, expressionInText, unrendered } from './template.ts';

/** Every document of a text with content. Throws a Problem at the first that is not YAML. */
export function parseManifests(text: string, file: string): readonly Document.Parsed[] {
  checkCharacters(text, file);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    version: '1.1',
    keepSourceTokens: true,
    lineCounter: lines,
    prettyErrors: false,
    customTags: kubernetesTags,
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const error = documents.flatMap(errorsOf)[0];
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    const expression = TEMPLATE.test(text) ? '{{ … }}' : expressionInText(text.split('\n')[line - 1] ?? '');
    throw expression === undefined
      ? syntaxProblem(file, text, error, lines)
      : unrendered(file, line, expression);
  }
  const filled = documents.filter((document) => document.contents !== null) as Document.Parsed[];
  for (const document of filled) {
    const template = braces(document);
    if (template !== undefined) throw unrendered(file, lines.linePos(template).line, '{{ … }}');
    const expression = expressionIn(document);
    if (expression !== undefined)
      throw unrendered(file, lines.linePos(expression.offset).line, expression.text);
    checkAliases(document, file);
  }
  return filled;
}

/** kubectl refuses these characters too, in comments as well; the library reads them. In double quotes YAML has escapes for them. */
function checkCharacters(text: string, file: string): void {
  const found = forbiddenCharacter.exec(text);
  if (found === null) return;
  const code = (text.codePointAt(found.index) ?? 0).toString(16).padStart(4, '0').toUpperCase();
  const line = text.slice(0, found.index).split('\n').length;
  throw notYaml(file, `expected printable characters, got the character U+${code}`, line);
}

/** A repeated key of a class is left to the parser of configs, which warns of it and takes the last, as in every command. */
function errorsOf(document: Document.Parsed): readonly YAMLParseError[] {
  const isClass = isMap(document.contents) && textOf(document.contents.get('kind')) === 'SecretProviderClass';
  return document.errors.filter(({ code }) => !(isClass && code === 'DUPLICATE_KEY'));
}

/** An action of a Helm template: `{{ .Values.image }}`, `{{- if … }}`. */
const TEMPLATE = /\{\{-?\s*[.$\w]/;

/**
 * Aliases and merges are checked only when values are created. The library stops at 100 expansions of aliases; Kubernetes' tools
 * have a limit too. A "billion laughs" attack needs thousands.
 */
function checkAliases(document: Document.Parsed, file: string): void {
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith('Excessive alias count')) throw notYaml(file, message);
    throw new Problem({
      code: 'kubernetes.content',
      subject: escapeControl(file),
      message: 'expected at most 100 expansions of aliases, got more',
      remedy: 'Write the values out.',
      file,
    });
  }
  if (containsItself(value)) throw notYaml(file, 'an alias is inside its own anchor');
}

function containsItself(value: unknown, parents: readonly unknown[] = []): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (parents.includes(value)) return true;
  return Object.values(value).some((inner) => containsItself(inner, [...parents, value]));
}

/** kubectl rejects a repeated key as well. */
function syntaxProblem(file: string, text: string, error: YAMLParseError, lines: LineCounter): Problem {
  const { code, message, pos } = error;
  const isRepeatedKey = code === 'DUPLICATE_KEY';
  const explained = isRepeatedKey
    ? { at: pos[0], message: 'the key is repeated in its map', remedy: 'Remove one of them.' }
    : explainSyntaxError(text, { code, message, at: pos[0] });
  return new Problem({
    code: 'kubernetes.content',
    subject: 'manifest',
    message: explained.message,
    remedy: explained.remedy,
    file,
    line: lines.linePos(explained.at).line,
  });
}

function notYaml(file: string, message: string, line?: number): Problem {
  return new Problem({
    code: 'kubernetes.content',
    subject: escapeControl(file),
    message: `invalid YAML: ${escapeControl(message)}`,
    remedy: 'Correct the manifest.',
    file,
    line,
  });
}

function kubernetesTags(tags: Tags): Tags {
  return tags.filter(
    (tag) =>
      typeof tag === 'string' || !(('format' in tag && tag.format === 'TIME') || FOREIGN.test(tag.tag)),
  );
}

const FOREIGN = /:(timestamp|omap|pairs|set|binary)$/;

/** The layout of a document. */
export interface Style {
  /** Spaces per level. */
  readonly indent: number;
  /** Whether the dashes of a list are indented deeper than the key above them. */
  readonly indentSeq: boolean;
}

/** The layout of a document, from its first nested mapping and its first list; else that of kubectl's output. */
export function styleOf(source: string, document: Document.Parsed): Style {
  let indent: number | undefined;
  let indentSeq: boolean | undefined;
  const column = (offset: number) => offset - (source.lastIndexOf('\n', offset - 1) + 1);
  visit(document, {
    Pair(_, pair) {
      const keyToken = pair.srcToken?.key;
      const value = pair.value;
      if (keyToken == null || !('offset' in keyToken)) return;
      const outer = column(keyToken.offset);
      if (isMap(value) && !value.flow && value.range != null && indent === undefined) {
        indent = column(value.range[0]) - outer;
      }
      if (isSeq(value) && !value.flow && value.srcToken?.type === 'block-seq' && indentSeq === undefined) {
        const dash = value.srcToken.items[0]?.start.find((token) => token.type === 'seq-item-ind');
        if (dash !== undefined) indentSeq = column(dash.offset) > outer;
      }
      if (indent !== undefined && indentSeq !== undefined) return visit.BREAK;
      return undefined;
    },
  });
  return { indent: Math.max(indent ?? 2, 1), indentSeq: indentSeq ?? false };
}

/** A value as block YAML, whole lines, each `column` spaces in. Every character in it is visible. */
export function blockText(value: unknown, style: Style, column: number): string {
  const options = {
    version: '1.1',
    lineWidth: 0,
    indent: style.indent,
    indentSeq: style.indentSeq,
    aliasDuplicateObjects: false,
    blockQuote: 'literal',
  } as const;
  const document = new Document(value, options);
  // The library escapes neither those that kubectl refuses nor those that are invisible. Escapes need double quotes.
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && yamlEscapes(node.value) !== node.value)
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = yamlEscapes(document.toString(options));
  const margin = ' '.repeat(column);
  return text.replace(/^(?=.)/gm, margin);
}

/** The layout of kubectl's output, for new documents. */
export const KUBECTL_STYLE: Style = { indent: 2, indentSeq: false };

/** The text of a document without the comments and `---` before it. */
export function contentsText(source: string, document: Document.Parsed): string {
  if (document.contents === null) return '';
  const [from, , to] = document.contents.range;
  return source.slice(from, to);
}
