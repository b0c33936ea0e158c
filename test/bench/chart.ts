/** The chart of examples/reference/cost-and-speed.md: how long a cold start takes, by the number of secrets, at four latencies. */

import type { Point, Results } from './figures.ts';

const WIDTH = 760;
const HEIGHT = 440;
const LEFT = 64;
const RIGHT = 150;
const TOP = 64;
const BOTTOM = 68;

/** Dark enough on white, light enough on a dark page, with labels for readers who do not see the colours. */
const colours: Readonly<Record<number, string>> = {
  0: '#5b8c5a',
  5: '#3f7cac',
  20: '#b5651d',
  80: '#a23b72',
};

/** Milliseconds at the bottom, and at each line. */
const LEAST = 40;
const ROWS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** The results as an SVG, complete in itself. Both scales are logarithmic. */
export function drawStarts({ points, machine, date, node }: Results): string {
  const counts = [...new Set(points.map(({ secrets }) => secrets))].sort((a, b) => a - b);
  const most = Math.max(...points.map(({ ms }) => ms));
  const x = scale(1, counts.at(-1) ?? 1, LEFT, WIDTH - RIGHT);
  const y = scale(LEAST, most * 1.2, HEIGHT - BOTTOM, TOP);
  const rows = ROWS.filter((value) => value <= most);
  const lines = [...Map.groupBy(points, ({ program, latency }) => `${program} ${latency}`).values()];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12"><title>Cold start of podsecrets init by the number of secrets, at four round trip times to AWS</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 24, 'Cold start of podsecrets init', 'font-size="15" font-weight="600" fill="#222"'),
    text(
      LEFT,
      43,
      'from its start to its end, at a round trip time of 0 to 80 ms to AWS; dashed: one secret after another',
    ),
    ...rows.map(
      (value) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#e4e4e4"/>${text(LEFT - 8, y(value) + 4, value < 1000 ? `${value} ms` : `${value / 1000} s`, 'text-anchor="end" fill="#555"')}`,
    ),
    ...counts.map((count) =>
      text(x(count), HEIGHT - BOTTOM + 20, String(count), 'text-anchor="middle" fill="#555"'),
    ),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, 'secrets', 'text-anchor="middle" fill="#555"'),
    ...lines.map((line) => drawn(line, x, y)),
    ...labels(lines, x, y),
    text(LEFT, HEIGHT - 4, `${machine}; Node ${node}; ${date}`, 'font-size="10" fill="#888"'),
    '</svg>',
  ].join('\n')}\n`;
}

type Scale = (value: number) => number;

function scale(from: number, to: number, start: number, end: number): Scale {
  const part = (value: number) => (Math.log(value) - Math.log(from)) / (Math.log(to) - Math.log(from));
  return (value) => Math.round((start + part(value) * (end - start)) * 10) / 10;
}

function drawn(line: readonly Point[], x: Scale, y: Scale): string {
  const [first] = line;
  const colour = colours[first?.latency ?? 0];
  const dash = first?.program === 'podsecrets' ? '' : ' stroke-dasharray="5 4"';
  const path = line.map(({ secrets, ms }) => `${x(secrets)},${y(ms)}`).join(' ');
  const dots = line.map(
    ({ secrets, ms }) => `<circle cx="${x(secrets)}" cy="${y(ms)}" r="2.5" fill="${colour}"/>`,
  );
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>${dots.join('')}`;
}

/** At the end of each line, moved apart where two would overlap. */
function labels(lines: readonly (readonly Point[])[], x: Scale, y: Scale): readonly string[] {
  const ends = lines
    .flatMap((line) => line.slice(-1))
    .map((point) => ({ point, at: y(point.ms) + 4 }))
    .sort((a, b) => a.at - b.at);
  let lowest = Number.NEGATIVE_INFINITY;
  return ends.map(({ point, at }) => {
    const words = `${point.latency} ms${point.program === 'podsecrets' ? '' : ', one by one'}`;
    const fill = `fill="${colours[point.latency]}"`;
    // Beside the chart only labels can overlap, within it also lines.
    if (x(point.secrets) < WIDTH - RIGHT - 10)
      return text(x(point.secrets), at - 14, words, `text-anchor="middle" ${fill}`);
    lowest = Math.max(at, lowest + 14);
    return text(x(point.secrets) + 8, lowest, words, fill);
  });
}

function text(x: number, y: number, words: string, attributes = 'fill="#555"'): string {
  const safe = words.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${x}" y="${y}" ${attributes}>${safe}</text>`;
}
