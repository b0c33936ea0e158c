/** The figures of the bench: what each is, and how it is shown. */

export interface Figure {
  readonly name: string;
  readonly unit:
    | '×'
    | 'ms'
    | 'MiB'
    | 'MB'
    | 'calls'
    | 'handshakes'
    | 'round trips'
    | 'bytes'
    | 'per minute'
    | 's';
  readonly value: number;
  /** How far the value may be off, as a part of it; 0 where it is counted. */
  readonly noise: number;
}

/** One point of the chart: so many secrets at a latency. */
export interface Point {
  readonly program: 'podsecrets' | 'one by one';
  readonly secrets: number;
  readonly latency: number;
  /** Of the start of `node -e 0`. */
  readonly ratio: number;
  readonly ms: number;
}

export interface Results {
  readonly machine: string;
  readonly date: string;
  readonly node: string;
  readonly figures: readonly Figure[];
  readonly points: readonly Point[];
}

/** Two decimals below 10, one below 100, none above. */
export function shown(value: number, unit: Figure['unit']): string {
  if (unit === 'calls' || unit === 'handshakes' || unit === 'bytes') return String(Math.round(value));
  if (unit === 'round trips') return value.toFixed(1);
  const text = value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
  return unit === '×' ? `${text} ×` : `${text} ${unit}`;
}

/** `± 1.2 %`; empty for what is counted. */
export function shownNoise({ noise }: Pick<Figure, 'noise'>): string {
  return noise === 0 ? '' : `± ${(noise * 100).toFixed(1)} %`;
}
