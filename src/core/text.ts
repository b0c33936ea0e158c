/**
 * Escapes text from outside before it is printed, and small functions for messages.
 *
 * A config, an AWS message or the output of a hook may contain characters that forge log lines or control a terminal.
 */

/** At most this many characters of an untrusted text are shown, so that one bad value cannot flood a termination message. */
const MAX_SHOWN = 200;

/**
 * The text on one line, cut after `limit` characters (default 200): control, bidirectional and invisible characters are escaped, and
 * all spaces but the usual one. Printable text is returned unchanged, so escaping a text twice is harmless.
 */
export function escapeControl(text: string, limit: number = MAX_SHOWN): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(/(?! )[\p{Control}\p{Format}\p{Separator}\p{Surrogate}]/gu, escaped);
}

function escaped(character: string): string {
  switch (character) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default: {
      const code = (character.codePointAt(0) ?? 0).toString(16);
      if (code.length > 4) return `\\u{${code}}`;
      return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
    }
  }
}

/** The text escaped and in double quotes, for messages. */
export function quote(text: string): string {
  return `"${escapeControl(text).replaceAll('"', '\\"')}"`;
}

/**
 * The known name with the smallest edit distance, if that is small enough for a typing error: two letters, or a third of the
 * length.
 */
export function didYouMean(written: string, known: Iterable<string>): string | undefined {
  const wanted = written.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    // The distance is at least that of the lengths. A config of 1 MiB with nothing but wrong names must not take seconds.
    if (Math.abs(wanted.length - name.length) >= bestDistance) continue;
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** A time in ISO 8601, UTC. `ms`: milliseconds since 1970. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** `1 file`, `2 files`; for nouns with a plural in s. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * The value as JSON in which no character can control a terminal or forge a line: characters that JSON does not escape (C1
 * controls, bidirectional and invisible ones, U+2028 and similar) become `\u` escapes, which have the same meaning.
 */
export function escapedJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(INVISIBLE, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** The text of several lines for a terminal: escaped as by `escapeControl`, except for tabs and line breaks (a carriage return alone is none). */
export function escapeLines(text: string): string {
  return text.replace(/(?:(?!\r\n)[^\t\n])+/g, (part) => escapeControl(part, part.length));
}

/** The text with the escapes that YAML has in double quotes, for the characters of `escapedJson`. */
export function yamlEscapes(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    if (code.length <= 2) return `\\x${code}`;
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
}

/** Characters without a glyph that JSON does not escape. */
const INVISIBLE = /[\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\u007f-\u009f]/gu;

/** The text with one full stop at its end, even if it ends with a quoted sentence. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** A URL, possibly malformed, without user and password: everything up to the last `@` is replaced. */
export function withoutPassword(url: string): string {
  return url.replace(/^([^/@]*:)?(\/\/)?[\s\S]*@/, '$1$2…@');
}
