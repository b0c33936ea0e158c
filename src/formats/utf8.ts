/**
 * Decodes bytes that may not be UTF-8.
 *
 * Every invalid byte becomes one U+FFFD, as in Go's decoders; TextDecoder replaces several invalid bytes with one. The difference
 * matters because a file must equal the one that the AWS provider would write.
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

/** The length in bytes of the character that begins here; 0 if none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    strict.decode(bytes.subarray(at, at + length));
    // A sequence that the end of the input cuts would have thrown, so the character is complete.
    return Math.min(length, bytes.length - at);
  } catch {
    return 0;
  }
}
