/**
 * Maps a position in a scalar to a line of the file.
 *
 * A SecretProviderClass has YAML inside a string of YAML (`objects: |`). An error in it must name the line of the file. The
 * lines are computed only when the first one is needed.
 */

/** The line, from 1, of a position (UTF-16 index). */
export type LineAt = (at: number) => number;

/**
 * The lines of a scalar with the source `source[start, end)` and the text `value`. A literal block has the lines of its source, below
 * its header. For others each source line is searched in the value, in order, with only white space between: exact
 * for folded blocks and for text in quotes without escapes. After an escape the result is the last known line.
 */
export function scalarLines(source: string, start: number, end: number, value: string, file: LineAt): LineAt {
  let known: readonly KnownLine[] | undefined;
  return (at) => {
    known ??=
      source[start] === '|'
        ? literalLines(value, file(start) + 1)
        : knownLines(source.slice(start, end), value, file(start));
    return lastBefore(known, at)?.line ?? file(start);
  };
}

interface KnownLine {
  readonly at: number;
  readonly line: number;
}

function literalLines(value: string, firstLine: number): readonly KnownLine[] {
  const found: KnownLine[] = [];
  let at = 0;
  // The end of the text belongs to its last line.
  for (const [index, line] of value.replace(/\n$/, '').split('\n').entries()) {
    found.push({ at, line: firstLine + index });
    at += line.length + 1;
  }
  return found;
}

function knownLines(source: string, value: string, firstLine: number): readonly KnownLine[] {
  const found: KnownLine[] = [];
  let cursor = 0;
  for (const [index, sourceLine] of source.split('\n').entries()) {
    // The first line is the block's header, or begins with a quote.
    const text = index === 0 ? sourceLine.replace(/^(["']|[|>].*)/, '').trim() : sourceLine.trim();
    if (text === '') continue;
    while (/\s/.test(value[cursor] ?? '')) cursor++;
    if (!value.startsWith(text, cursor)) {
      // The last line of text in quotes ends with the quote, which is not part of the value.
      found.push({ at: cursor, line: firstLine + index });
      break;
    }
    found.push({ at: cursor, line: firstLine + index });
    cursor += text.length;
  }
  return found;
}

function lastBefore(known: readonly KnownLine[], at: number): KnownLine | undefined {
  let low = 0;
  let high = known.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((known[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return known[low - 1] ?? known[0];
}
