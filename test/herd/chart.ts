/** The chart of examples/reference/herd.md: how long the last of 10,000 pods waits, by the number of its secrets. */

import type { HerdResults } from './results.ts';
import type { Reader } from './scenarios.ts';

const WIDTH = 760;
const HEIGHT = 380;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 170, 64, 60];
/** Seconds: pods without files by then are drawn here. */
const LIMIT = 600;
const LEAST = 0.02;

const lines: Readonly<
  Record<Reader, { readonly colour: string; readonly dash: string; readonly label: string }>
> = {
  single: { colour: '#3f7cac', dash: '', label: 'single' },
  auto: { colour: '#5b8c5a', dash: '2 5', label: 'auto (as single)' },
  provider: { colour: '#888888', dash: '5 4', label: 'the CSI provider' },
  batch: { colour: '#a23b72', dash: '', label: 'batch' },
};

/** The results as a self-contained SVG. Both scales are logarithmic. */
export function drawHerd({ starts }: HerdResults): string {
  const rows = starts.filter(({ parameters, quotas }) => parameters === 0 && quotas === 'default');
  const counts = [...new Set(rows.map(({ secrets }) => secrets))];
  const x = scale(1, Math.max(...counts), LEFT, WIDTH - RIGHT);
  const y = scale(LEAST, LIMIT, HEIGHT - BOTTOM, TOP);
  const title = 'The last of 10,000 pods that start within one minute';
  const drawn = (Object.keys(lines) as Reader[]).flatMap((reader) => {
    const { colour, dash, label } = lines[reader];
    const points = rows
      .filter((row) => row.reader === reader)
      .map(({ secrets, result }) => [
        x(secrets),
        y(Math.min(LIMIT, (result.last ?? Number.POSITIVE_INFINITY) / 1000)),
      ]);
    const [endX = 0, endY = 0] = points.at(-1) ?? [];
    const path = points.map((point) => point.join(',')).join(' ');
    // The lines of single and auto are the same.
    const below = reader === 'auto' ? 18 : 4;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${reader === 'auto' ? 4 : 2}" stroke-dasharray="${dash}"/>`,
      text(endX + 8, endY + below, label, `fill="${colour}"`),
    ];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12"><title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 24, title, 'font-size="15" font-weight="600" fill="#222"'),
    text(
      LEFT,
      43,
      'seconds from its creation to its files, at the quotas of AWS; at the top: not within 10 minutes',
    ),
    ...[0.1, 1, 10, 100, LIMIT].map(
      (value) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#e4e4e4"/>${text(LEFT - 8, y(value) + 4, `${value} s`, 'text-anchor="end" fill="#555"')}`,
    ),
    ...counts.map((count) =>
      text(x(count), HEIGHT - BOTTOM + 20, String(count), 'text-anchor="middle" fill="#555"'),
    ),
    text(
      (LEFT + WIDTH - RIGHT) / 2,
      HEIGHT - BOTTOM + 40,
      'secrets of a pod',
      'text-anchor="middle" fill="#555"',
    ),
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const part = (value: number) => (Math.log(value) - Math.log(from)) / (Math.log(to) - Math.log(from));
  return (value) => Math.round((start + part(value) * (end - start)) * 10) / 10;
}

function text(x: number, y: number, words: string, attributes = 'fill="#555"'): string {
  return `<text x="${x}" y="${y}" ${attributes}>${words}</text>`;
}
