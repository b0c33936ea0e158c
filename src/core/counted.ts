/**
 * Counts in sentences, for people.
 */

/** `1 file`, `2 files`; for nouns that only take an s. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
