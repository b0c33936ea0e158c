/** What can be found in the memory of another process, by its owner or by root. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Bytes read at once. */
const CHUNK = 4 * 1024 * 1024;

/**
 * Which of the texts are in the writable memory of a process, as UTF-8 or as UTF-16. The whole of every writable mapping is
 * read.
 */
export function textsInMemory(pid: number, texts: readonly string[]): readonly string[] {
  const longest = Math.max(...texts.map((text) => 2 * text.length));
  const needles = texts.flatMap((text) => [
    { text, bytes: Buffer.from(text) },
    { text, bytes: Buffer.from(text, 'utf16le') },
  ]);
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of writableMappings(pid)) {
      // Overlapping, so that a text on the border of two chunks is found.
      for (let at = start; at < end; at += CHUNK) {
        const bytes = readMemory(memory, at, Math.min(CHUNK + longest, end - at));
        for (const needle of needles) if (bytes.includes(needle.bytes)) found.add(needle.text);
      }
    }
  } finally {
    closeSync(memory);
  }
  return [...found];
}

function writableMappings(pid: number): readonly { readonly start: number; readonly end: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) .w/.exec(line) ?? [];
      if (start === undefined || end === undefined || line.endsWith('[vvar]')) return [];
      return [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }];
    });
}

function readMemory(memory: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, length, at));
  } catch {
    // A mapping that has gone since, or that cannot be read.
    return bytes.subarray(0, 0);
  }
}
