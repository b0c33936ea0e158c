/** The figures of the bench: their meaning, limit and format. */

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
  /** The relative error of the value; 0 for one that is counted. */
  readonly noise: number;
}

/** One point of the chart: a number of secrets at a latency, as a multiple of the start of `node -e 0`. */
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
