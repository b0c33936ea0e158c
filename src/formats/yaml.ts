/**
 * YAML text to plain data with line numbers.
 *
 * The `yaml` package reads the structure; what scalars, duplicate keys, merges and aliases mean is decided here, by the
 * rules of the parser that SecretProviderClasses are written for (see scalar.ts). Only the first document counts.
 * Nothing is thrown: whatever is wrong comes back with its line. Depth and alias expansion are bounded, so that no text
 * can cost more than its length.
 */

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { escapeControl, quote } from '../core/text.ts';
import { lenientLexer } from './yaml-lexer.ts';
import { forbiddenCharacter, guardedTokens, TAB, tabBehind } from './yaml-limits.ts';
import { type LineAt, scalarLines } from './yaml-lines.ts';
import { plainScalar, type ScalarMeaning, taggedScalar } from './yaml-scalars.ts';

/** A value with the line on which it begins. */
export type YamlValue = YamlScalar | YamlList | YamlMap | { readonly kind: 'null'; readonly line: number };

/** Text, a number or a boolean; all of them can be had as text. */
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly type: 'text' | 'boolean' | 'number';
  /** What it becomes where text is wanted: `31` for `0x1F`. */
  readonly text: string;
  /** As it stands in the source, when it is plain: without quotes, block and tag. */
  readonly plain: string | undefined;
  /** False for `.inf` and `.nan`, which have no form as JSON. */
  readonly finite: boolean;
  readonly line: number;
  /** The line in the file of a position in `text`, for text that is YAML itself. */
  readonly lineAt: LineAt;
}

/** A list. */
export interface YamlList {
  readonly kind: 'list';
  readonly line: number;
  readonly items: readonly YamlValue[];
}

/** A map. */
export interface YamlMap {
  readonly kind: 'map';
  readonly line: number;
  /** Sorted by key, as the reference sorts them before it matches keys without regard to case. */
  readonly entries: readonly YamlEntry[];
}

/** A key and its value. */
export interface YamlEntry {
  readonly key: string;
  readonly line: number;
  readonly value: YamlValue;
  /** The same key stood here before; it was written over. */
  readonly repeated: boolean;
}

/** What makes the text unreadable, in the grammar of problems. */
export interface YamlDiagnostic {
  readonly line: number;
  readonly message: string;
}

/** The first document of a text. */
export interface YamlText {
  /** Undefined for a text without any document, and when there are faults. */
  readonly root: YamlValue | undefined;
  readonly faults: readonly YamlDiagnostic[];
  /** Where a second document begins: it does not count. */
  readonly secondDocument: number | undefined;
}

/** An alias stands for a copy of what it names; legitimate configs have a handful, a "billion laughs" has thousands. */
const EXPANSIONS = 100;

/** One mistake can make an error of every token behind it. */
const MOST_ERRORS = 10;
const BYTE_ORDER_MARK = '\ufeff';
/** Line breaks to YAML 1.1 that the package, which follows 1.2, takes for characters. */
const OTHER_BREAKS = /\r(?!\n)|\u0085/g;
/** The package insists on a space before `#`; the reference takes `"text"#comment`. */
const TOO_STRICT = /^Comments must be separated/;

/**
 * Reads the first document. `lineAt` tells the line of a position in the text; by default lines are counted in it. What
 * only the lenient lexer can read is read so; what even that cannot, the strict one explains best.
 */
export function parseYaml(source: string, lineAt?: LineAt): YamlText {
  const strict = parseWith(new Lexer(), source, lineAt);
  if (strict.faults.length === 0) return strict;
  const lenient = parseWith(lenientLexer(), source, lineAt);
  return lenient.faults.length === 0 ? lenient : strict;
}

function parseWith(lexer: Lexer, source: string, lineAt: LineAt | undefined): YamlText {
  const lines = new LineCounter();
  const mark = source.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const text = source.slice(mark).replace(OTHER_BREAKS, '\n');
  const place: LineAt = (at) => lineAt?.(at + mark) ?? (lines.linePos(at).line || 1);
  const control = forbiddenCharacter.exec(text);
  if (control !== null) {
    lines.addNewLine(0);
    for (let at = 0; at < control.index; at++) if (text[at] === '\n') lines.addNewLine(at + 1);
    const code = (text.codePointAt(control.index) ?? 0).toString(16).padStart(4, '0').toUpperCase();
    const message = `expected printable characters, got the character U+${code}`;
    return { root: undefined, faults: [{ line: place(control.index), message }], secondDocument: undefined };
  }

  const faults: YamlDiagnostic[] = [];
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
  const tokens = guardedTokens(tokensOf(text, lexer, lines.addNewLine), text, (at, message) => {
    faults.push({ line: place(at), message });
  });
  const documents = composer.compose(tokens);
  const first = documents.next().value as Document.Parsed | undefined;
  if (faults.length > 0) return { root: undefined, faults, secondDocument: undefined };
  const errors = first?.errors ?? composer.streamInfo().errors;
  const wrong = errors.filter(({ message }) => !TOO_STRICT.test(message)).slice(0, MOST_ERRORS);
  const tab = wrong[0] && tabBehind(text, wrong[0].pos[0]);
  if (tab !== undefined) faults.push({ line: place(tab), message: TAB });
  else
    for (const { pos, message } of wrong)
      faults.push({ line: place(pos[0]), message: `expected YAML, got an error: ${escapeControl(message)}` });
  const { explicit, version } = first?.directives.yaml ?? {};
  if (explicit && version !== '1.1') {
    faults.push({ line: place(0), message: `expected YAML 1.1, got a directive for ${version}` });
  }
  if (first === undefined || faults.length > 0) return { root: undefined, faults, secondDocument: undefined };
  const root = first.contents === null ? undefined : new Builder(text, place, faults).build(first);
  const second = secondDocument(documents);
  return {
    root: faults.length > 0 ? undefined : root,
    faults,
    secondDocument: second === undefined ? undefined : place(second.range[0]),
  };
}

/** The next document that holds something: a `---` behind the last line begins none. */
function secondDocument(documents: Iterable<Document.Parsed>): Document.Parsed | undefined {
  for (const document of documents) {
    const [start, end] = document.contents?.range ?? [0, 0];
    if (start < end || document.errors.length > 0) return document;
  }
  return undefined;
}

function* tokensOf(
  text: string,
  lexer: Lexer,
  onNewLine: (at: number) => void,
): Generator<CST.Token, void, undefined> {
  const parser = new Parser(onNewLine);
  onNewLine(0);
  for (const lexeme of lexer.lex(text)) yield* parser.next(lexeme);
  yield* parser.end();
}

/** Nodes of one document to values. Each node is built once, however often aliases name it. */
class Builder {
  readonly #text: string;
  readonly #place: LineAt;
  readonly #faults: YamlDiagnostic[];
  readonly #targets = new Map<Node, Node>();
  readonly #built = new Map<Node, { readonly value: YamlValue; readonly expansions: number } | 'open'>();
  #expansions = 0;

  constructor(text: string, place: LineAt, faults: YamlDiagnostic[]) {
    this.#text = text;
    this.#place = place;
    this.#faults = faults;
  }

  build(document: Document.Parsed): YamlValue | undefined {
    this.#resolveAliases(document);
    if (this.#faults.length > 0 || document.contents === null) return undefined;
    const value = this.#value(document.contents);
    if (this.#expansions > EXPANSIONS) {
      const message = `expected at most ${EXPANSIONS} expansions of aliases, got more`;
      this.#faults.splice(0, Number.POSITIVE_INFINITY, { line: value.line, message });
    }
    return value;
  }

  /** An alias means the last anchor of its name before it, even one that a later key writes over. */
  #resolveAliases(document: Document.Parsed): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_key, node) => {
        if (!isAlias(node)) {
          if (node.anchor !== undefined) anchors.set(node.anchor, node);
          return;
        }
        const target = anchors.get(node.source);
        if (target !== undefined) this.#targets.set(node, target);
        else this.#fault(node, `expected the name of an anchor, got ${quote(node.source)}, which none has`);
      },
    });
  }

  #value(node: Node): YamlValue {
    const known = this.#built.get(node);
    if (known === 'open') {
      this.#fault(node, 'expected an alias of something else, got one that contains itself');
      return { kind: 'null', line: this.#line(node) };
    }
    if (known !== undefined) {
      this.#expansions += known.expansions;
      return known.value;
    }
    const before = this.#expansions;
    this.#built.set(node, 'open');
    const value = this.#fresh(node);
    this.#built.set(node, { value, expansions: this.#expansions - before });
    return value;
  }

  #fresh(node: Node): YamlValue {
    const line = this.#line(node);
    if (isAlias(node)) {
      this.#expansions++;
      const target = this.#targets.get(node);
      return target === undefined ? { kind: 'null', line } : this.#value(target);
    }
    if (isMap(node)) return { kind: 'map', line, entries: this.#entries(node) };
    if (isSeq(node))
      return { kind: 'list', line, items: node.items.map((item) => this.#value(item as Node)) };
    return isScalar(node) ? this.#scalar(node) : { kind: 'null', line };
  }

  /** Pairs in the order of the text, each writing over what stood there: merges too, unlike in later YAML. */
  #entries(node: YAMLMap): readonly YamlEntry[] {
    const entries = new Map<string, YamlEntry>();
    for (const pair of node.items) {
      const keyNode = pair.key as Node;
      const valueNode = pair.value as Node | null;
      // `{a}` has a key without a value.
      const value: YamlValue = valueNode
        ? this.#value(valueNode)
        : { kind: 'null', line: this.#line(keyNode) };
      if (isMergeKey(keyNode)) {
        for (const merged of this.#merged(valueNode ?? keyNode, value)) entries.set(merged.key, merged);
        continue;
      }
      const key = this.#value(keyNode);
      if (key.kind !== 'scalar') {
        this.#fault(
          keyNode,
          `expected text as a key, got ${key.kind === 'null' ? 'nothing' : `a ${key.kind}`}`,
        );
        continue;
      }
      const line = this.#line(keyNode);
      entries.set(key.text, { key: key.text, line, value, repeated: entries.has(key.text) });
    }
    return [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** What `<<` brings in. Of several maps the first counts most, so it is written last. */
  #merged(node: Node, value: YamlValue): readonly YamlEntry[] {
    if (value.kind === 'map') return value.entries;
    if (value.kind === 'list' && !isAlias(node)) {
      const maps = value.items.filter((item) => item.kind === 'map');
      if (maps.length === value.items.length) return maps.reverse().flatMap((map) => map.entries);
    }
    this.#fault(node, 'expected a map or a list of maps behind "<<", got something else');
    return [];
  }

  #scalar(node: Scalar): YamlValue {
    const line = this.#line(node);
    const [start, end] = node.range ?? [0, 0, 0];
    const block = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    // A block's last line has a line break only if the text has it, which the package makes up.
    const cut = block && end >= this.#text.length && !this.#text.endsWith('\n');
    const written = cut ? (node.source ?? '').replace(/\n$/, '') : (node.source ?? '');
    const plain = node.type === 'PLAIN' && node.tag === undefined;
    const meaning: ScalarMeaning =
      node.tag !== undefined
        ? taggedScalar(node.tag, written)
        : plain
          ? plainScalar(written)
          : { type: 'text', text: written };
    if (meaning.type === 'refused') {
      this.#fault(node, `expected ${meaning.expected}, got ${quote(written)}`);
      return { kind: 'null', line };
    }
    if (meaning.type === 'null') return { kind: 'null', line };
    if (!meaning.text.isWellFormed()) this.#fault(node, 'expected Unicode text, got half a surrogate pair');
    return {
      kind: 'scalar',
      type: meaning.type,
      text: meaning.text,
      plain: plain ? written : undefined,
      finite: meaning.type !== 'number' || meaning.kind !== 'infinite',
      line,
      lineAt: scalarLines(this.#text, start, end, meaning.text, this.#place),
    };
  }

  #line(node: Node): number {
    return this.#place(node.range?.[0] ?? 0);
  }

  #fault(node: Node, message: string): void {
    this.#faults.push({ line: this.#line(node), message });
  }
}

function isMergeKey(node: Node): boolean {
  if (!isScalar(node) || node.value !== '<<') return false;
  return node.tag === undefined ? node.type === 'PLAIN' : node.tag === 'tag:yaml.org,2002:merge';
}
