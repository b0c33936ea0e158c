/**
 * How the kubelet reads a variable of `fileKeyRef` from a file: the rules of its parser since Kubernetes 1.35.
 *
 * Lines as Go's bufio.Scanner reads them (64 KiB at most, without CR LF); `NAME='value'` each, nothing is escaped, and a value may
 * go on over several lines.
 */

const MAX_LINE = 64 * 1024;

/** The value; '' for a name that is not there. Throws where the kubelet reports an error. */
export function kubeletEnv(text: string, key: string): string {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  if (lines.some((line) => Buffer.byteLength(line) >= MAX_LINE)) throw new Error('token too long');
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').replace(/^[ \t]+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([^=\s][^=]*?)='(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`invalid line ${at + 1}`);
    let rest = value;
    const parts: string[] = [];
    while (!rest.includes("'")) {
      parts.push(rest);
      at++;
      const next = lines[at];
      if (next === undefined) throw new Error('unclosed single quote');
      rest = next;
    }
    const closing = rest.indexOf("'");
    if (!/^[ \t]*(#.*)?$/.test(rest.slice(closing + 1))) throw new Error('content after the quote');
    if (name === key) return [...parts, rest.slice(0, closing)].join('\n');
  }
  return '';
}
