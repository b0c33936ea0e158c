/**
 * Bytes to text, when the bytes may not be UTF-8.
 *
 * Every byte that belongs to no character becomes one U+FFFD, as Go's decoders do it; the platform's TextDecoder makes
 * one of several. That matters where a value must come out as the AWS provider would have written it.
 */

/** The text of UTF-8 bytes; a byte order mark stays part of it. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return repaired(bytes);
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function repaired(bytes: Uint8Array): string {
  const parts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + characterLength(bytes, at);
    parts.push(end === at ? '\ufffd' : strict.decode(bytes.subarray(at, end)));
    at = Math.max(end, at + 1);
  }
  return parts.join('');
}

/** Bytes of the character that begins here, 0 when none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    strict.decode(bytes.subarray(at, at + length));
    // A sequence cut short by the end of the input would have thrown, so the character is whole.
    return Math.min(length, bytes.length - at);
  } catch {
    return 0;
  }
}
