/** The figures of the bench: what each is, what it must be at most, and how it is shown. */

export interface Figure {
  readonly name: string;
  readonly unit:
    | '×'
    | 'ms'
    | 'MiB'
    | 'MB'
    | 'calls'
    | 'connections'
    | 'round trips'
    | 'bytes'
    | 'per minute'
    | 's';
  readonly value: number;
  /** How far the value may be off, as a part of it; 0 where there is nothing to measure. */
  readonly noise: number;
}

/** One point of the chart: so many secrets at a latency, as a multiple of the start of `node -e 0`. */
export interface Point {
  readonly program: 'podsecrets' | 'one by one';
  readonly secrets: number;
  readonly latency: number;
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
  if (unit === 'calls' || unit === 'connections' || unit === 'bytes') return String(Math.round(value));
  if (unit === 'round trips') return value.toFixed(1);
  const text = value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
  return unit === '×' ? `${text} ×` : `${text} ${unit}`;
}
