/**
 * `npm run demo:record`: runs the demo and writes what it prints as examples/demo/demo.svg, for the README.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
/** Pixels: a character of a 13-pixel monospaced font is 7.8 wide. */
const [column, row, margin] = [7.8, 18, 20];

function drawing(lines: readonly string[]): string {
  const columns = Math.max(...lines.map((line) => line.replace(escapes, '').length));
  const [width, height] = [Math.ceil(columns * column) + 2 * margin, lines.length * row + 2 * margin];
  const texts = lines.map((line, index) => {
    const y = margin + (index + 1) * row - 5;
    return `<text x="${margin}" y="${y}" xml:space="preserve">${spans(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#d6deeb">
<title>podsecrets demo: a SecretProviderClass, init, the files, a rotation, the signal, the status</title>
<rect width="${width}" height="${height}" rx="8" fill="#0b1a2b"/>
${texts.join('\n')}
</svg>
`;
}

const escapes = /\u001b\[(\d+)m/g;

/** What the demo's codes look like. */
const styles: Readonly<Record<string, string>> = {
  '1': 'font-weight="bold"',
  '2': 'fill="#7f93a8"',
  '32': 'fill="#8fd18f"',
  '36': 'fill="#7fc7ff"',
};

function spans(line: string): string {
  let open = new Set<string>();
  let drawn = '';
  for (const part of line.split(/(\u001b\[\d+m)/)) {
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code === '0') open = new Set();
    else if (code !== undefined) open.add(code);
    else if (part !== '') {
      const style = [...open].map((name) => styles[name] ?? '').join(' ');
      const text = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      drawn += style === '' ? text : `<tspan ${style}>${text}</tspan>`;
    }
  }
  return drawn;
}

const screen = execFileSync(process.execPath, [join(here, 'demo.ts')], {
  encoding: 'utf8',
  env: { ...process.env, FORCE_COLOR: '1' },
});
writeFileSync(join(here, 'demo.svg'), drawing(screen.trim().split('\n')));
