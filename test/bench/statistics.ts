/** Medians, and how far each may be off. */

export interface Measured {
  /** The median. */
  readonly value: number;
  /** Half the distance between the quartiles, as a part of the median, over the root of the count. */
  readonly noise: number;
}

export function measured(values: readonly number[]): Measured {
  return { value: median(values), noise: noiseOf(values) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function noiseOf(values: readonly number[]): number {
  const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
  return spread === 0 ? 0 : spread / median(values) / Math.sqrt(values.length);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
