/**
 * How programs write the characters of a text: each unchanged, or escaped for a URL, JSON, a string literal, HTML or a shell.
 */

/** Characters that begin an escape. */
const ESCAPES = ['\\', '%', '&', "'"] as const;

function isEscape(character: string | undefined): boolean {
  return character === '+' || (ESCAPES as readonly (string | undefined)[]).includes(character);
}

/** Every index at which the character may begin, unchanged or escaped. */
export function* startsOf(character: string, text: string): Iterable<number> {
  for (const first of new Set([character, ...(character === ' ' ? ['+'] : []), ...ESCAPES])) {
    for (let at = text.indexOf(first); at !== -1; at = text.indexOf(first, at + 1)) yield at;
  }
}

/** Limits the work of `endOf`. `left`: characters that may still be matched; negative: the limit was exceeded. */
export interface MatchBudget {
  left: number;
}

/** Characters of each match that are not counted: nearly every comparison ends within them. */
const UNCOUNTED = 32;

/**
 * Where the characters end that begin at `start`, each unchanged or in any escape; undefined if they do not begin there, or the
 * budget is exceeded.
 */
export function endOf(
  characters: readonly string[],
  text: string,
  start: number,
  budget: MatchBudget,
): number | undefined {
  let ends = new Set([start]);
  for (const [index, character] of characters.entries()) {
    if (index >= UNCOUNTED && --budget.left < 0) return undefined;
    const next = new Set<number>();
    for (const at of ends) {
      if (!isEscape(text[at])) {
        if (text.startsWith(character, at)) next.add(at + character.length);
        continue;
      }
      for (const form of formsOf(character)) {
        // Hexadecimal digits and entity names are written in either case.
        const found = text.slice(at, at + form.length);
        if (found === form || (form.length > 2 && found.toLowerCase() === form)) next.add(at + form.length);
      }
    }
    if (next.size === 0) return undefined;
    ends = next;
  }
  return Math.max(...ends);
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const CONTROLS: Readonly<Record<string, readonly string[]>> = {
  '\n': ['\\n'],
  '\r': ['\\r'],
  '\t': ['\\t'],
  '\b': ['\\b'],
  '\f': ['\\f'],
  '\v': ['\\v'],
  '\u0007': ['\\a'],
  '\u001b': ['\\e', '\\E'],
};

const forms = new Map<string, readonly string[]>();

/**
 * How programs write one character: unchanged, and escaped for a URL, JSON, a string literal, HTML or a shell. Lower case,
 * except forms of two characters.
 */
function formsOf(character: string): readonly string[] {
  const known = forms.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const bytes = [...new TextEncoder().encode(character)];
  const written = (prefix: string, base: number, digits: number) =>
    bytes.map((byte) => prefix + byte.toString(base).padStart(digits, '0')).join('');
  const units = Array.from({ length: character.length }, (_, at) =>
    character.charCodeAt(at).toString(16).padStart(4, '0'),
  );
  const backslashed = [
    written('\\x', 16, 2),
    written('\\', 8, 3),
    units.map((unit) => `\\u${unit}`).join(''),
    `\\u${hex.padStart(8, '0')}`,
    `\\u{${hex}}`,
    ...(code < 256 ? [`\\x${hex.padStart(2, '0')}`] : []),
    ...(isWord(character) ? [] : [`\\${character}`]),
    ...(CONTROLS[character] ?? []),
  ];
  const made = [
    character,
    written('%', 16, 2),
    ...backslashed,
    // A JSON text in a JSON text.
    ...backslashed.map((form) => JSON.stringify(form).slice(1, -1)),
    `&#${code};`,
    `&#0${code};`,
    `&#x${hex};`,
    ...(character === ' ' ? ['+'] : []),
    ...(character === "'" ? ["'\\''", `'"'"'`] : []),
    NAMED_ENTITIES[character] ?? character,
  ];
  if (forms.size < 4096) forms.set(character, made);
  return made;
}

/** Whether it is a letter or a digit, of any script. */
export function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
