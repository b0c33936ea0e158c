/**
 * Explains a syntax error of YAML: the line of the mistake and its repair.
 *
 * The parser names the token that it cannot use, often a line after the mistake, and then every token that follows. Nearly all
 * mistakes are one of a few (a tab, a missing colon or space, a wrong indent), which the lines around the error show. So only the first
 * error is explained; the errors after it are mostly consequences.
 */

import type { ErrorCode } from 'yaml';
import { quote } from '../core/text.ts';

/** A syntax error as the parser reports it. */
export interface SyntaxError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Position in the text. */
  readonly at: number;
}

/** A mistake, at a position in the text. */
export interface Explanation {
  readonly at: number;
  readonly message: string;
  readonly remedy: string;
}

/** The mistake near the error, and its repair. */
export function explainSyntaxError(text: string, error: SyntaxError): Explanation {
  const line = lineAround(text, error.at);
  const next = nextLine(text, line);
  return (
    conflictMarker(line) ??
    tabIn(line) ??
    tabIn(next) ??
    spaceCharacter(line) ??
    spaceCharacter(next) ??
    closing(error) ??
    scalarStart(line, error) ??
    blockHeader(line, error) ??
    textAfterQuote(line, error) ??
    spaceAfterDash(line) ??
    spaceAfterColon(line) ??
    colonAtEnd(line) ??
    blockWithoutIndent(text, line, error) ??
    keyOutOfColumn(line, next, error) ??
    listForKey(line, error) ??
    colonInValue(line, error) ??
    missingColon(line) ?? {
      at: line.start,
      message: `expected YAML, got ${quote(line.content)}`,
      remedy: 'Correct this line or the one above it: a quote, bracket or indent is wrong.',
    }
  );
}

/** The explanation of a tab that indents. */
export function tabExplanation(at: number): Explanation {
  const message = 'expected spaces as indentation, got a tab';
  return { at, message, remedy: 'Replace the tab by spaces.' };
}

interface Line {
  /** The position of its first character. */
  readonly start: number;
  readonly indent: number;
  /** Without indentation and trailing white space. */
  readonly content: string;
  readonly raw: string;
}

const NO_LINE: Line = { start: 0, indent: 0, content: '', raw: '' };

function lineAround(text: string, at: number): Line {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', start);
  const raw = text.slice(start, end === -1 ? text.length : end);
  return { start, indent: raw.search(/\S|$/), content: raw.trim(), raw };
}

function nextLine(text: string, line: Line): Line {
  for (let start = line.start + line.raw.length + 1; start < text.length; ) {
    const next = lineAround(text, start);
    if (next.content !== '' && !next.content.startsWith('#')) return next;
    start = next.start + next.raw.length + 1;
  }
  return NO_LINE;
}

function previousLine(text: string, line: Line): Line {
  for (let start = line.start; start > 0; ) {
    const previous = lineAround(text, start - 1);
    if (previous.content !== '' && !previous.content.startsWith('#')) return previous;
    start = previous.start;
  }
  return NO_LINE;
}

function tabIn({ start, raw }: Line): Explanation | undefined {
  return /^ *\t/.test(raw) ? tabExplanation(start) : undefined;
}

/** Characters that look like a space, as copied from a web page or a chat: to YAML they are text. */
function spaceCharacter({ start, raw }: Line): Explanation | undefined {
  const character = /^ *((?! )[\p{Space_Separator}\u200b\ufeff])/u.exec(raw)?.[1];
  if (character === undefined) return undefined;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const message = `expected spaces as indentation, got the character U+${code}, which looks like a space`;
  return { at: start, message, remedy: 'Replace it by a space.' };
}

function conflictMarker({ start, content }: Line): Explanation | undefined {
  if (!/^(<{7}|={7}|>{7})( |$)/.test(content)) return undefined;
  return {
    at: start,
    message: `expected YAML, got the conflict marker ${quote(content)} of Git`,
    remedy: 'Resolve the conflict.',
  };
}

function closing({ at, message }: SyntaxError): Explanation | undefined {
  if (/^Missing closing .*quote/.test(message)) {
    return { at, message: 'expected a closing quote, got none', remedy: 'Close the quote.' };
  }
  const bracket = /^Flow (?:sequence|map) in block collection .* end with an? ([\]}])/.exec(message)?.[1];
  if (bracket === undefined) return undefined;
  return {
    at,
    message: `expected ${quote(bracket)}, got none`,
    remedy: 'Close the bracket that was opened above.',
  };
}

function scalarStart({ start, content }: Line, { code }: SyntaxError): Explanation | undefined {
  if (code !== 'BAD_SCALAR_START') return undefined;
  const value = content.slice(content.search(/[@`%]/));
  const message = `expected a value in quotes, got ${quote(value)}`;
  return { at: start, message, remedy: `Put it in quotes: a plain value cannot begin with ${value[0]}.` };
}

function blockHeader({ start, content }: Line, { message }: SyntaxError): Explanation | undefined {
  if (!message.startsWith('Block scalar header')) return undefined;
  return {
    at: start,
    message: `expected the end of the line after | or >, got ${quote(content)}`,
    remedy: 'Begin the text on the next line.',
  };
}

function spaceAfterDash({ start, content }: Line): Explanation | undefined {
  if (!/^-[A-Za-z_"'{]/.test(content)) return undefined;
  const message = `expected a space after the dash, got ${quote(content)}`;
  return { at: start, message, remedy: `Write - ${content.slice(1)}` };
}

function spaceAfterColon({ start, content }: Line): Explanation | undefined {
  const entry = content.replace(/^- +/, '');
  const glued = /^(\w+):(\S.*)$/.exec(entry);
  if (glued === null) return undefined;
  const message = `expected a space after the colon, got ${quote(entry)}`;
  return { at: start, message, remedy: `Write ${glued[1]}: ${glued[2]}` };
}

/** A value that ends with a colon, such as an ARN with empty sections, is a key to YAML. */
function colonAtEnd({ start, content }: Line): Explanation | undefined {
  const value = /^(?:- +)?[\w.-]+:\s+([^\s'"[{|>#&*].*:)$/.exec(content)?.[1];
  if (value === undefined) return undefined;
  const message = `expected a value in quotes, got ${quote(value)}`;
  return { at: start, message, remedy: 'Put the value in quotes: it ends with a colon.' };
}

/** `objects: |` with its list at the column of the key, or further left. */
function blockWithoutIndent(text: string, line: Line, error: SyntaxError): Explanation | undefined {
  if (!isListForKey(line, error)) return undefined;
  const previous = previousLine(text, line);
  const key = /^(?:- )?([\w."'-]+):\s*[|>]/.exec(previous.content)?.[1];
  if (key === undefined) return undefined;
  const message = `expected the text of ${key} indented deeper than its key, got it at column ${line.indent + 1}`;
  const remedy = `Indent this line, and what follows, by at least ${previous.indent + 2} spaces.`;
  return { at: line.start, message, remedy };
}

function listForKey(line: Line, error: SyntaxError): Explanation | undefined {
  if (!isListForKey(line, error)) return undefined;
  const message = `expected a key, got the list entry ${quote(line.content)}`;
  return { at: line.start, message, remedy: 'Write the key of the list above it, or correct the indent.' };
}

function isListForKey({ content }: Line, { code }: SyntaxError): boolean {
  const codes: readonly ErrorCode[] = ['BLOCK_AS_IMPLICIT_KEY', 'MULTILINE_IMPLICIT_KEY', 'MISSING_CHAR'];
  return codes.includes(code) && content.startsWith('- ');
}

const KEY = /^(?:- +)?(?:"[^"]*"|'[^']*'|[^\s:#'"[{-][^:#]*):(?:\s|$)/;
const KEY_AND_VALUE = /^(?:- +)?[^\s:#'"[{-][^:#]*:\s+[^\s|>#&]/;

/** A key that is indented deeper than the key above it, or between two columns. */
function keyOutOfColumn(line: Line, next: Line, { code }: SyntaxError): Explanation | undefined {
  const bad = code === 'BAD_INDENT' || code === 'UNEXPECTED_TOKEN' || code === 'MISSING_CHAR';
  if (bad && KEY.test(line.content)) return unaligned(line);
  // The parser reports the line above, because it reads the next line as a continuation of that line's value.
  const deeper = next !== NO_LINE && next.indent > line.indent && KEY_AND_VALUE.test(line.content);
  return deeper && KEY.test(next.content) ? unaligned(next) : undefined;
}

/** Without the column, because the text may be a block in a file, where its columns are different. */
function unaligned({ start, content }: Line): Explanation {
  const key = content.slice(0, content.indexOf(':'));
  const message = `expected the key ${quote(key)} aligned with the other keys of its map, got another indent`;
  return { at: start, message, remedy: 'Indent it by as many spaces as the other keys.' };
}

function colonInValue({ start, content }: Line, { code }: SyntaxError): Explanation | undefined {
  const value = /^(?:- )?[^\s:#'"[{]+:\s+([^'"[{|>#].*:(?:\s.*)?)$/.exec(content)?.[1];
  if (code !== 'BLOCK_AS_IMPLICIT_KEY' || value === undefined) return undefined;
  return {
    at: start,
    message: `expected a value in quotes, got ${quote(value)}`,
    remedy: 'Put the value in quotes: it has a colon.',
  };
}

function missingColon({ start, content }: Line): Explanation | undefined {
  const entry = content.replace(/^- +/, '');
  const [, key, value = ''] = /^(\w+)(\s+[^:]*)?$/.exec(entry) ?? [];
  if (key === undefined) return undefined;
  const message = `expected a colon after the key, got ${quote(entry)}`;
  return { at: start, message, remedy: `Write ${key}:${value.replace(/^\s+=/, '')}` };
}

function textAfterQuote({ start, content }: Line, { code }: SyntaxError): Explanation | undefined {
  if (code !== 'UNEXPECTED_TOKEN' || !/:\s+(".*"|'.*')\s*\S/.test(content)) return undefined;
  return {
    at: start,
    message: `expected nothing after the closing quote, got ${quote(content)}`,
    remedy: 'Put the whole value in one pair of quotes.',
  };
}
