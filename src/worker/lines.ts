/**
 * Splits bytes that arrive in pieces into lines of limited length.
 */

/**
 * A function that takes the pieces in order, and calls `onLine` with each line, without its line feed, as soon as it is
 * complete. A line of more than `longest` bytes is reported once, as undefined, and the rest of it is dropped.
 */
export function createLineReader(
  longest: number,
  onLine: (line: string | undefined) => void,
): (piece: Uint8Array) => void {
  let parts: Uint8Array[] = [];
  let length = 0;
  let tooLong = false;

  function add(part: Uint8Array): void {
    if (tooLong) return;
    length += part.length;
    if (length > longest) {
      tooLong = true;
      parts = [];
      onLine(undefined);
    } else {
      parts.push(part);
    }
  }

  function finish(): void {
    if (!tooLong) onLine(Buffer.concat(parts).toString('utf8'));
    parts = [];
    length = 0;
    tooLong = false;
  }

  return (piece) => {
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, start)) {
      add(piece.subarray(start, end));
      finish();
      start = end + 1;
    }
    if (start < piece.length) add(piece.subarray(start));
  };
}

const LINE_FEED = 0x0a;
