/**
 * Writes new values into existing YAML: the text changes only where the value does.
 *
 * A YAML library rewrites a whole document, and with it every space, quote and fold that its author chose. Here the document's
 * tree only gives offsets: equal parts keep every byte; changed parts are replaced in the text, with the document's
 * indentation. Comments stay with their lines. One convention of Kubernetes is used: list items are identified by their `name`.
 */

import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { isObject } from '../core/unknown.ts';
import { isSame, type KubeObject } from './manifest.ts';
import { blockText, type Style, styleOf } from './yaml.ts';

/** Replaces the text between two offsets; inserts if they are equal. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The edits that change the document's value to `after`. */
export function editsFor(source: string, document: Document.Parsed, after: unknown): readonly Edit[] {
  const contents = document.contents;
  if (contents === null) return [];
  const context: EditContext = { source, document, style: styleOf(source, document), edits: [] };
  if (!changeInside(context, contents, after, undefined)) {
    const text = blockText(after, context.style, 0);
    context.edits.push({ from: contents.range[0], to: endOf(contents), text: text.replace(/\n$/, '') });
  }
  return context.edits;
}

/** Applies edits, which do not overlap; those at one place are applied in the order given. */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  const lineBreak = source.includes('\r\n') ? '\r\n' : '\n';
  let text = '';
  let at = 0;
  for (const edit of edits.toSorted((left, right) => left.from - right.from)) {
    text += source.slice(at, edit.from) + edit.text.replaceAll('\n', lineBreak);
    at = edit.to;
  }
  return text + source.slice(at);
}

interface EditContext {
  readonly source: string;
  readonly document: Document.Parsed;
  readonly style: Style;
  readonly edits: Edit[];
}

type AnyMap = YAMLMap<unknown, unknown>;
type AnyPair = Pair<unknown, unknown>;

/**
 * Changes a node from within. False when that cannot be done, and the whole node has to be rewritten: when its kind
 * changes, or when its text is laid out in a way that lines cannot be put into (`{a: 1}`). `openLine` is the offset of the line after
 * the key that the node belongs to.
 */
function changeInside(
  context: EditContext,
  node: Node,
  after: unknown,
  openLine: number | undefined,
): boolean {
  if (isSame(node.toJS(context.document), after)) return true;
  if (node.range == null) return false;
  if (isMap(node) && isObject(after)) {
    return !node.flow && changeMap(context, node, after, openLine);
  }
  if (isSeq(node) && Array.isArray(after)) {
    return !node.flow && changeSeq(context, node, after, openLine);
  }
  return false;
}

/**
 * A block mapping. An added key takes the place of a removed one, in order (`emptyDir:` that of `csi:`); further added
 * keys follow the key before them in `after`.
 */
function changeMap(
  context: EditContext,
  node: AnyMap,
  after: KubeObject,
  openLine: number | undefined,
): boolean {
  const first = node.items[0];
  if (first === undefined || !node.items.every(isPlainPair)) return false;
  const column = columnOf(context.source, startOf(first));
  const before = node.toJS(context.document) as KubeObject;
  const added = Object.keys(after).filter((key) => after[key] !== undefined && !Object.hasOwn(before, key));
  const removed = node.items.filter((pair) => after[keyOf(pair)] === undefined && keyOf(pair) !== MERGE);
  // A key that comes from a merge cannot be removed here, and a mapping that loses its last key has to be rewritten.
  if (
    Object.keys(before).some(
      (key) => after[key] === undefined && !removed.some((pair) => keyOf(pair) === key),
    )
  )
    return false;
  if (removed.length === node.items.length && added.length === 0) return false;
  // No key is left to follow the dash.
  const second = node.items[1];
  const gone = removed.slice(added.length);
  if (isAfterDash(context, first) && gone.includes(first) && (second === undefined || gone.includes(second)))
    return false;

  const replacements = new Map(removed.map((pair, index) => [pair, added[index]]));
  const inserted = new Map<string | undefined, string[]>();
  let previous: string | undefined;
  for (const key of Object.keys(after)) {
    if (node.items.some((pair) => keyOf(pair) === key)) previous = key;
    else if (isNew(key)) inserted.set(previous, [...(inserted.get(previous) ?? []), key]);
  }
  function isNew(key: string): boolean {
    const merged = before[key] !== undefined && !isSame(before[key], after[key]);
    return (added.includes(key) && ![...replacements.values()].includes(key)) || merged;
  }
  const lines = (keys: readonly string[]) =>
    keys.map((key) => blockText({ [key]: after[key] }, context.style, column)).join('');

  const atTop = inserted.get(undefined) ?? [];
  if (atTop.length > 0 && openLine !== undefined) insertLines(context, openLine, lines(atTop));
  for (const [index, pair] of node.items.entries()) {
    const key = keyOf(pair);
    const replacement = replacements.get(pair);
    if (replacement !== undefined) replacePair(context, pair, { [replacement]: after[replacement] }, column);
    else if (replacements.has(pair)) removePair(context, pair, node.items[index + 1]);
    else if (key !== MERGE) changeValue(context, pair, after[key], column);
    const following = [...(index === 0 && openLine === undefined ? atTop : []), ...(inserted.get(key) ?? [])];
    if (following.length > 0) insertLines(context, nextLine(context.source, endOf(pair)), lines(following));
  }
  return true;
}

const MERGE = '<<';

/** The value of a key, changed from within or else rewritten. */
function changeValue(context: EditContext, pair: AnyPair, after: unknown, column: number): void {
  const value = pair.value as Node | null;
  const colon = colonOf(pair);
  if (value !== null && changeInside(context, value, after, nextLine(context.source, colon))) return;
  replacePair(context, pair, { [keyOf(pair)]: after }, column);
}

/** A complete pair, rewritten. The line of its key keeps its position, even after a dash. */
function replacePair(context: EditContext, pair: AnyPair, next: KubeObject, column: number): void {
  const text = blockText(next, context.style, column).trimStart();
  const end = endOf(pair);
  const endsLine = context.source[end - 1] === '\n';
  context.edits.push({ from: startOf(pair), to: end, text: endsLine ? text : text.replace(/\n$/, '') });
}

/** After a dash, the next key moves up to it. */
function removePair(context: EditContext, pair: AnyPair, following: AnyPair | undefined): void {
  const start = startOf(pair);
  const [from, to] = isAfterDash(context, pair)
    ? [start, following === undefined ? endOf(pair) : startOf(following)]
    : [lineStart(context.source, start), nextLine(context.source, endOf(pair))];
  context.edits.push({ from, to, text: '' });
}

function isAfterDash(context: EditContext, pair: AnyPair): boolean {
  const start = startOf(pair);
  return context.source.slice(lineStart(context.source, start), start).trim() !== '';
}

/** A block list: items are kept, changed from within, removed, or inserted after the item before them in `after`. */
function changeSeq(
  context: EditContext,
  node: YAMLSeq,
  after: readonly unknown[],
  openLine: number | undefined,
): boolean {
  const dashes = node.items.map((_, index) => dashOf(node, index));
  const column = dashes[0] === undefined ? undefined : columnOf(context.source, dashes[0]);
  const onOwnLines = dashes.every(
    (dash) => dash !== undefined && context.source.slice(lineStart(context.source, dash), dash).trim() === '',
  );
  if (column === undefined || openLine === undefined || !onOwnLines) return false;

  const before = node.items.map((item) => identityOf((item as Node).toJS(context.document)));
  const wanted = after.map(identityOf);
  const kept = before.filter((identity) => wanted.includes(identity));
  const inOrder = isSame(
    kept,
    wanted.filter((identity) => before.includes(identity)),
  );
  const unique = new Set(before).size === before.length && new Set(wanted).size === wanted.length;
  if (!unique || !inOrder || kept.length === 0) return false;

  let place = openLine;
  for (const [index, identity] of wanted.entries()) {
    const at = before.indexOf(identity);
    const item = node.items[at] as Node | undefined;
    if (item === undefined) {
      insertLines(context, place, blockText([after[index]], context.style, column));
      continue;
    }
    changeItem(context, item, after[index]);
    place = nextLine(context.source, endOf(item));
  }
  for (const [index, identity] of before.entries()) {
    const dash = dashes[index];
    if (wanted.includes(identity) || dash === undefined) continue;
    const end = nextLine(context.source, endOf(node.items[index] as Node));
    context.edits.push({ from: lineStart(context.source, dash), to: end, text: '' });
  }
  return true;
}

function changeItem(context: EditContext, item: Node, after: unknown): void {
  if (changeInside(context, item, after, undefined) || item.range == null) return;
  // The dash stays, and what follows it is rewritten.
  const text = blockText(after, context.style, columnOf(context.source, item.range[0])).trimStart();
  const end = endOf(item);
  context.edits.push({
    from: item.range[0],
    to: end,
    text: context.source[end - 1] === '\n' ? text : text.replace(/\n$/, ''),
  });
}

/** Which item of a list an item is: by its name (a mount also by its path), else by its whole value. */
function identityOf(item: unknown): string {
  if (isObject(item) && typeof item.name === 'string') {
    return JSON.stringify([item.name, typeof item.mountPath === 'string' ? item.mountPath : null]);
  }
  return JSON.stringify(item);
}

function insertLines(context: EditContext, at: number, lines: string): void {
  const open = at > 0 && context.source[at - 1] !== '\n';
  context.edits.push({ from: at, to: at, text: open ? `\n${lines.replace(/\n$/, '')}` : lines });
}

/** A key in the usual form: a plain or quoted scalar before its colon. */
function isPlainPair(pair: unknown): pair is AnyPair {
  return isPair(pair) && isScalar(pair.key) && pair.key.range != null && colonOf(pair) > 0;
}

function keyOf(pair: AnyPair): string {
  return isScalar(pair.key) ? (pair.key.source ?? String(pair.key.value)) : '';
}

function startOf(pair: AnyPair): number {
  return (pair.key as Node).range?.[0] ?? 0;
}

/** The offset after the colon; 0 when there is none. */
function colonOf(pair: AnyPair): number {
  const separator = pair.srcToken?.sep?.find((token) => token.type === 'map-value-ind');
  return separator === undefined ? 0 : separator.offset + 1;
}

function dashOf(node: YAMLSeq, index: number): number | undefined {
  const token = node.srcToken;
  if (token?.type !== 'block-seq') return undefined;
  return token.items[index]?.start.find((part) => part.type === 'seq-item-ind')?.offset;
}

/** The offset after the last character of a value: before its comment; for block text, after its last line. */
function endOf(node: Node | AnyPair): number {
  if (isPair(node)) {
    const value = node.value as Node | null;
    return Math.max(value === null ? 0 : endOf(value), colonOf(node));
  }
  const last = (isMap(node) || isSeq(node)) && !node.flow ? node.items.at(-1) : undefined;
  return last === undefined ? (node.range?.[1] ?? 0) : endOf(last as Node | AnyPair);
}

function nextLine(source: string, offset: number): number {
  if (offset > 0 && source[offset - 1] === '\n') return offset;
  const end = source.indexOf('\n', offset);
  return end === -1 ? source.length : end + 1;
}

function lineStart(source: string, offset: number): number {
  return source.lastIndexOf('\n', offset - 1) + 1;
}

function columnOf(source: string, offset: number): number {
  return offset - lineStart(source, offset);
}
