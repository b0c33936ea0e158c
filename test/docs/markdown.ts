/** The pieces of Markdown that the generated pages are made of. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A fenced block; `text` ends with a line break. */
export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\`\`\``;
}
