/** Computes every figure of the simulation. The same on every machine. */

import type { FetchMode } from '../../src/cli/options.ts';
import { defaultQuotas, type Quotas } from './account.ts';
import {
  type OutageResult,
  outage,
  type Reader,
  type RefreshResult,
  refresh,
  type StartResult,
  start,
} from './scenarios.ts';

const PODS = 10_000;
const INTERVAL = 600_000;
/** A tenth of the pods is computed, with a tenth of each quota. */
const SCALE = 10;

const identity = 'AssumeRoleForPodIdentity';

export interface Row<Result, Name extends string = Reader> {
  readonly secrets: number;
  readonly parameters: number;
  readonly reader: Name;
  /** Factor of all quotas. */
  readonly quotas: number;
  /** How many pods were computed. */
  readonly pods: number;
  readonly result: Result;
}

export interface HerdResults {
  readonly starts: readonly Row<StartResult>[];
  readonly refreshes: readonly Row<RefreshResult, FetchMode>[];
  readonly outages: readonly Row<OutageResult, FetchMode>[];
}

const READERS: readonly Reader[] = ['single', 'batch', 'auto', 'provider'];
const MODES: readonly FetchMode[] = ['single', 'batch', 'auto'];

function scaled(factor: number): Quotas {
  return Object.fromEntries(
    Object.entries(defaultQuotas).map(([name, rate]) => [name, rate * factor]),
  ) as unknown as Quotas;
}

export function computeStarts(
  sizes: readonly (readonly [secrets: number, parameters: number, quotas?: number])[],
): readonly Row<StartResult>[] {
  return sizes.flatMap(([secrets, parameters, quotas = 1]) =>
    READERS.map((reader) => ({
      secrets,
      parameters,
      reader,
      quotas,
      pods: PODS / SCALE,
      result: start({
        pods: PODS / SCALE,
        workload: { secrets, parameters, identity },
        reader,
        quotas: scaled(quotas / SCALE),
      }),
    })),
  );
}

export function computeHerd(): HerdResults {
  const small = { pods: PODS / SCALE, quotas: scaled(1 / SCALE) };
  const each = <Result>(
    sizes: readonly number[],
    compute: (secrets: number, reader: FetchMode) => Result,
  ): readonly Row<Result, FetchMode>[] =>
    sizes.flatMap((secrets) =>
      MODES.map((reader) => ({
        secrets,
        parameters: 0,
        reader,
        quotas: 1,
        pods: small.pods,
        result: compute(secrets, reader),
      })),
    );
  const herd = (secrets: number, reader: FetchMode) => ({
    ...small,
    workload: { secrets, parameters: 0, identity } as const,
    reader,
  });
  return {
    starts: [
      ...computeStarts([1, 5, 20, 40].map((secrets) => [secrets, 0] as const)),
      ...computeStarts([
        [20, 20],
        [20, 0, 0.5],
        [20, 0, 2],
      ]),
    ],
    refreshes: each([5, 10, 20], (secrets, reader) => refresh(herd(secrets, reader), INTERVAL)),
    outages: each([5, 20], (secrets, reader) => outage(herd(secrets, reader), INTERVAL)),
  };
}
