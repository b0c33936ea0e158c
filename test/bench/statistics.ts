/** Medians and means, and how far each may be off. */

export interface Measured {
  readonly value: number;
  /** How far the value may be off, as a part of it. */
  readonly noise: number;
}

/** The median. Its noise is half the distance between the quartiles, over the root of the count. */
export function measured(values: readonly number[]): Measured {
  return { value: median(values), noise: noiseOf(values) };
}

/** The mean, for what happens rarely: the median of most looks would be 0. Its noise is the standard error. */
export function averaged(values: readonly number[]): Measured {
  const sum = (all: readonly number[]) => all.reduce((total, value) => total + value, 0);
  const value = sum(values) / values.length;
  const variance = sum(values.map((one) => (one - value) ** 2)) / (values.length - 1);
  return { value, noise: value === 0 ? 0 : Math.sqrt(variance / values.length) / value };
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
