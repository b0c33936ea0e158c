/**
 * The meaning of a parsed YAML document: scalars, repeated keys, merges and aliases.
 *
 * The rules are those of Go's yaml.v2, the parser of the CSI driver's AWS provider (scalars: yaml-scalars.ts).
 */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Diagnostic } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import { type LineAt, scalarLines } from './yaml-lines.ts';
import { plainScalar, type ScalarMeaning, taggedScalar } from './yaml-scalars.ts';

/** A value with the line on which it begins. */
export type YamlValue = YamlScalar | YamlList | YamlMap | { readonly kind: 'null'; readonly line: number };

/** Text, a number or a boolean; each can be converted to text. */
interface YamlScalar {
  readonly kind: 'scalar';
  readonly type: 'text' | 'boolean' | 'number';
  /** Its conversion to text: `31` for `0x1F`. */
  readonly text: string;
  /** The source text of a plain scalar: without quotes, block and tag. */
  readonly plain: string | undefined;
  /** False for `.inf` and `.nan`, which JSON cannot represent. */
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
  /** Sorted by key, as the AWS provider sorts them before it matches keys case-insensitively. */
  readonly entries: readonly YamlEntry[];
}

/** A key and its value. */
export interface YamlEntry {
  readonly key: string;
  readonly line: number;
  readonly value: YamlValue;
  /** The map had the same key before; this one replaced it. */
  readonly repeated: boolean;
}

/** An alias is a copy of its target; real configs have a handful, a "billion laughs" attack has thousands. */
const MAX_EXPANSIONS = 100;

/** The value of a document without syntax errors; undefined for one without content. Mistakes are added to `errors`. */
export function readValue(
  document: Document.Parsed,
  text: string,
  lineAt: LineAt,
  errors: Diagnostic[],
): YamlValue | undefined {
  return new ValueReader(text, lineAt, errors).read(document);
}

/** Converts the nodes of one document. Each node is converted once, however often aliases name it. */
class ValueReader {
  readonly #text: string;
  readonly #lineAt: LineAt;
  readonly #errors: Diagnostic[];
  readonly #targets = new Map<Node, Node>();
  readonly #built = new Map<Node, { readonly value: YamlValue; readonly expansions: number } | 'open'>();
  #expansions = 0;

  constructor(text: string, lineAt: LineAt, errors: Diagnostic[]) {
    this.#text = text;
    this.#lineAt = lineAt;
    this.#errors = errors;
  }

  read(document: Document.Parsed): YamlValue | undefined {
    this.#resolveAliases(document);
    if (this.#errors.length > 0 || document.contents === null) return undefined;
    const value = this.#value(document.contents);
    if (this.#expansions > MAX_EXPANSIONS) {
      const message = `expected at most ${MAX_EXPANSIONS} expansions of aliases, got more`;
      const remedy = 'Write the values out instead of aliases.';
      this.#errors.splice(0, Number.POSITIVE_INFINITY, { line: value.line, message, remedy });
    }
    return value;
  }

  /** An alias refers to the last anchor of its name before it, even one that a later key overwrites. */
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
        else {
          const message = `expected the name of an anchor, got ${quote(node.source)}, which is not defined`;
          this.#error(node, message, 'Put a value that begins with * in quotes.');
        }
      },
    });
  }

  #value(node: Node): YamlValue {
    const known = this.#built.get(node);
    if (known === 'open') {
      this.#error(
        node,
        'expected an alias of another value, got one that contains itself',
        'Write the value out.',
      );
      return { kind: 'null', line: this.#line(node) };
    }
    if (known !== undefined) {
      this.#expansions += known.expansions;
      return known.value;
    }
    const before = this.#expansions;
    this.#built.set(node, 'open');
    const value = this.#read(node);
    this.#built.set(node, { value, expansions: this.#expansions - before });
    return value;
  }

  #read(node: Node): YamlValue {
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

  /** Pairs in the order of the text, each replacing an earlier one of its key: merges too, unlike in later YAML. */
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
        this.#error(
          keyNode,
          `expected text as a key, got ${key.kind === 'null' ? 'nothing' : `a ${key.kind}`}`,
          'Put the key, or a value that begins with { or [, in quotes.',
        );
        continue;
      }
      const line = this.#line(keyNode);
      entries.set(key.text, { key: key.text, line, value, repeated: entries.has(key.text) });
    }
    return [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** The entries that `<<` merges in. The first of several maps has precedence, so it comes last. */
  #merged(node: Node, value: YamlValue): readonly YamlEntry[] {
    if (value.kind === 'map') return value.entries;
    if (value.kind === 'list' && !isAlias(node)) {
      const maps = value.items.filter((item) => item.kind === 'map');
      if (maps.length === value.items.length) return maps.reverse().flatMap((map) => map.entries);
    }
    this.#error(
      node,
      'expected a map or a list of maps after "<<", got something else',
      'Name an anchor of a map.',
    );
    return [];
  }

  #scalar(node: Scalar): YamlValue {
    const line = this.#line(node);
    const [start, end] = node.range ?? [0, 0, 0];
    const block = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
    // The package adds a line break to the last line of a block, which the text may not have.
    const cut = block && end >= this.#text.length && !this.#text.endsWith('\n');
    const written = cut ? (node.source ?? '').replace(/\n$/, '') : (node.source ?? '');
    const plain = node.type === 'PLAIN' && node.tag === undefined;
    const meaning: ScalarMeaning =
      node.tag !== undefined
        ? taggedScalar(node.tag, written)
        : plain
          ? plainScalar(written)
          : { type: 'text', text: written };
    if (meaning.type === 'invalid') {
      this.#error(
        node,
        `expected ${meaning.expected}, got ${quote(written)}`,
        'Correct the value, or remove the tag.',
      );
      return { kind: 'null', line };
    }
    if (meaning.type === 'null') return { kind: 'null', line };
    if (!meaning.text.isWellFormed())
      this.#error(node, 'expected Unicode text, got half a surrogate pair', 'Correct the escape.');
    return {
      kind: 'scalar',
      type: meaning.type,
      text: meaning.text,
      plain: plain ? written : undefined,
      finite: meaning.type !== 'number' || meaning.kind !== 'infinite',
      line,
      lineAt: scalarLines(this.#text, start, end, meaning.text, this.#lineAt),
    };
  }

  #line(node: Node): number {
    return this.#lineAt(node.range?.[0] ?? 0);
  }

  #error(node: Node, message: string, remedy: string): void {
    this.#errors.push({ line: this.#line(node), message, remedy });
  }
}

function isMergeKey(node: Node): boolean {
  if (!isScalar(node) || node.value !== '<<') return false;
  return node.tag === undefined ? node.type === 'PLAIN' : node.tag === 'tag:yaml.org,2002:merge';
}
