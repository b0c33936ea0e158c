/**
 * Limits the structure of a JSON response before it is parsed, because parsing could need hundreds of times its size.
 *
 * Three bytes such as `{},` become an object of 28 bytes or more, so a response within its size limit could need more memory than a
 * pod has.
 */

/** Elements of one response. The largest of AWS, 20 secrets with 20 stages each, have 700. */
const MAX_SEPARATORS = 8192;
/** The largest responses of AWS have 5 levels, those of Kubernetes 10. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const separators: ReadonlySet<number> = new Set([...',:[{'].map((character) => character.charCodeAt(0)));
const openers: ReadonlySet<number> = new Set([...'[{'].map((character) => character.charCodeAt(0)));
const closers: ReadonlySet<number> = new Set([...']}'].map((character) => character.charCodeAt(0)));

/** Whether the text is within the limits of nesting and elements (colons, commas, brackets); it may be invalid JSON. */
export function isWithinLimits(body: Uint8Array, maxSeparators: number = MAX_SEPARATORS): boolean {
  let found = 0;
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number;
    if (byte === QUOTE) at = endOfString(body, at);
    else if (closers.has(byte)) depth--;
    else if (separators.has(byte)) {
      if (openers.has(byte)) depth++;
      if (++found > maxSeparators || depth > MAX_DEPTH) return false;
    }
  }
  return true;
}

/** The index of the closing quote, or of the last byte. */
function endOfString(body: Uint8Array, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    // Most of a response is strings, and indexOf is faster than a loop.
    const quote = body.indexOf(QUOTE, at);
    if (quote < 0) return body.length;
    let slashes = 0;
    while (body[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote;
    at = quote;
  }
  return body.length;
}
