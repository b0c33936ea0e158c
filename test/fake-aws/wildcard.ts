/** Patterns of IAM policies: `*` matches any text, `?` one character. */

const compiled = new Map<string, RegExp>();

/** Whether the whole text matches the pattern. */
export function matches(pattern: string, text: string): boolean {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    regex = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
    compiled.set(pattern, regex);
  }
  return regex.test(text);
}
