/** What a run of the bench has found so far; each figure is printed at once, with its noise. */

import { plural } from '../../src/core/text.ts';
import { type Figure, type Point, shown, shownNoise } from './figures.ts';
import type { Starts } from './starts.ts';
import type { Measured } from './statistics.ts';

export interface Recorder {
  readonly figures: readonly Figure[];
  readonly points: readonly Point[];
  measured(name: string, unit: Figure['unit'], figure: Measured): void;
  /** A figure without noise, such as a number of calls. */
  counted(name: string, unit: Figure['unit'], value: number): void;
  point(program: Point['program'], secrets: number, latency: number, starts: Starts): void;
}

export function openRecorder(): Recorder {
  const figures: Figure[] = [];
  const points: Point[] = [];
  function measured(name: string, unit: Figure['unit'], { value, noise }: Measured): void {
    const figure = { name, unit, value, noise };
    figures.push(figure);
    process.stdout.write(`${name}: ${shown(value, unit)} ${shownNoise(figure)}\n`);
  }
  return {
    figures,
    points,
    measured,
    counted: (name, unit, value) => measured(name, unit, { value, noise: 0 }),
    point(program, secrets, latency, { ratio, ms }) {
      points.push({ program, secrets, latency, ratio: ratio.value, ms: ms.value });
      process.stdout.write(
        `${program}, ${plural(secrets, 'secret')}, ${latency} ms: ${ms.value.toFixed(0)} ms, ${ratio.value.toFixed(2)} × node -e 0\n`,
      );
    },
  };
}
