/** Computes every figure of the simulation. The same on every machine. */

import type { FetchMode } from '../../src/cli/options.ts';
import { defaultQuotas, type Quotas } from './account.ts';
import { ownDelays, type Workload } from './pods.ts';
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
  readonly quotas: QuotaName;
  /** How many pods were computed. */
  readonly pods: number;
  readonly result: Result;
}

export interface IdentityRow {
  readonly identity: Workload['identity'];
  /** Of the whole fleet, per second. */
  readonly rate: number;
  readonly pods: number;
  readonly result: StartResult;
}

export interface JitterRow {
  /** Part of the interval, both ways; undefined: that of the program. */
  readonly jitter: number | undefined;
  readonly secrets: number;
  readonly pods: number;
  /** `peak`: of the whole fleet. */
  readonly result: RefreshResult;
}

export interface HerdResults {
  readonly starts: readonly Row<StartResult>[];
  readonly identities: readonly IdentityRow[];
  readonly refreshes: readonly Row<RefreshResult, FetchMode>[];
  readonly jitters: readonly JitterRow[];
  readonly outages: readonly Row<OutageResult, FetchMode>[];
}

const quotaSets = {
  default: defaultQuotas,
  half: times(defaultQuotas, 0.5),
  double: times(defaultQuotas, 2),
  'higher throughput': { ...defaultQuotas, GetParameters: 1000 },
} as const satisfies Record<string, Quotas>;
export type QuotaName = keyof typeof quotaSets;

function times(quotas: Quotas, factor: number): Quotas {
  return Object.fromEntries(
    Object.entries(quotas).map(([name, rate]) => [name, rate * factor]),
  ) as unknown as Quotas;
}

const MODES: readonly FetchMode[] = ['single', 'batch', 'auto'];
const READERS: readonly Reader[] = [...MODES, 'provider'];

export interface StartSize {
  readonly secrets: number;
  readonly parameters?: number;
  readonly quotas?: QuotaName;
  readonly readers?: readonly Reader[];
}

export function computeStarts(sizes: readonly StartSize[]): readonly Row<StartResult>[] {
  return sizes.flatMap(({ secrets, parameters = 0, quotas = 'default', readers = READERS }) =>
    readers.map((reader) => ({
      secrets,
      parameters,
      reader,
      quotas,
      pods: PODS / SCALE,
      result: start({
        pods: PODS / SCALE,
        workload: { secrets, parameters, identity },
        reader,
        quotas: times(quotaSets[quotas], 1 / SCALE),
      }),
    })),
  );
}

const WITH_PARAMETERS: readonly Reader[] = ['auto', 'provider'];
const RATES = {
  AssumeRoleForPodIdentity: [50, 125, 250, 500, 1000],
  AssumeRoleWithWebIdentity: [60, 300, 600, 1200],
} as const;
const JITTERS = [0, 0.05, 0.1, 0.2, 0.3, 0.5];

export function computeHerd(): HerdResults {
  const pods = PODS / SCALE;
  const quotas = times(defaultQuotas, 1 / SCALE);
  const herd = <R extends Reader>(secrets: number, reader: R) => ({
    pods,
    quotas,
    workload: { secrets, parameters: 0, identity } as const,
    reader,
  });
  const each = <Result>(
    sizes: readonly number[],
    compute: (secrets: number, reader: FetchMode) => Result,
  ): readonly Row<Result, FetchMode>[] =>
    sizes.flatMap((secrets) =>
      MODES.map((reader) => ({
        secrets,
        parameters: 0,
        reader,
        quotas: 'default' as const,
        pods,
        result: compute(secrets, reader),
      })),
    );
  return {
    starts: [
      ...computeStarts([1, 5, 20, 40].map((secrets) => ({ secrets }))),
      ...computeStarts([
        { secrets: 20, quotas: 'half' },
        { secrets: 20, quotas: 'double' },
        { secrets: 20, parameters: 10, readers: WITH_PARAMETERS },
        { secrets: 20, parameters: 20, readers: WITH_PARAMETERS },
        { secrets: 20, parameters: 20, quotas: 'higher throughput', readers: WITH_PARAMETERS },
      ]),
    ],
    identities: Object.entries(RATES).flatMap(([name, rates]) =>
      rates.map((rate) => {
        const operation = name as Workload['identity'];
        return {
          identity: operation,
          rate,
          pods,
          result: start({
            ...herd(20, 'auto'),
            workload: { secrets: 20, parameters: 0, identity: operation },
            quotas: { ...quotas, [operation]: rate / SCALE },
          }),
        };
      }),
    ),
    refreshes: each([5, 10, 20], (secrets, reader) => refresh(herd(secrets, reader), INTERVAL)),
    jitters: [5, 20].flatMap((secrets) =>
      [undefined, ...JITTERS].map((jitter) => {
        const spread = (interval: number, random: number) =>
          interval * (1 + (jitter ?? 0) * (2 * random - 1));
        const delays = jitter === undefined ? ownDelays : { ...ownDelays, refresh: spread };
        const result = refresh({ ...herd(secrets, 'auto'), delays }, INTERVAL);
        return { jitter, secrets, pods, result: { ...result, peak: result.peak * SCALE } };
      }),
    ),
    outages: each([5, 20], (secrets, reader) => outage(herd(secrets, reader), INTERVAL)),
  };
}
