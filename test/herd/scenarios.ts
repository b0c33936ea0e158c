/** The simulated scenarios: all pods start, refresh for an hour, or get their region back after an hour. */

import type { FetchMode } from '../../src/cli/options.ts';
import { seededRandom } from '../fake-aws/random.ts';
import { createAccount, defaultQuotas, isOfSecretsManager, type Quotas } from './account.ts';
import { type Delays, mountByProvider, ownDelays, startPod, type Workload, type World } from './pods.ts';
import { createSimulation } from './simulation.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A mode of podsecrets, or the provider's DaemonSet. */
export type Reader = FetchMode | 'provider';

export interface HerdOptions {
  readonly pods: number;
  readonly workload: Workload;
  readonly reader: Reader;
  readonly quotas?: Quotas;
  readonly seed?: number;
  /** Default: those of the program. */
  readonly delays?: Delays;
}

export interface StartResult {
  /** Milliseconds from the creation of a pod to its files: median, 99th of 100, and the last pod. */
  readonly median: number;
  readonly p99: number;
  readonly last: number;
  readonly throttled: number;
  readonly calls: number;
}

function world(
  { quotas = defaultQuotas, seed = 1, delays = ownDelays }: HerdOptions,
  isAvailable?: (now: number) => boolean,
): World {
  const simulation = createSimulation();
  const account = createAccount(simulation, quotas, isAvailable);
  return { simulation, account, random: seededRandom(seed), delays };
}

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);

/** All pods are created within one minute. */
export function start(options: HerdOptions): StartResult {
  const herd = world(options);
  const { simulation, account, random } = herd;
  const { reader, workload } = options;
  const times: number[] = [];
  const served = (ms: number): void => void times.push(ms);
  for (let pod = 0; pod < options.pods; pod++) {
    simulation.after(random() * MINUTE, () =>
      reader === 'provider'
        ? mountByProvider(herd, workload, { served })
        : startPod(herd, workload, reader, { served }),
    );
  }
  simulation.run(10 * MINUTE);
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    times[Math.min(options.pods - 1, Math.floor(share * options.pods))] ?? Number.POSITIVE_INFINITY;
  return {
    median: at(0.5),
    p99: at(0.99),
    last: at(1),
    throttled: account.counts.throttled,
    calls: sum(account.counts.calls.values()),
  };
}

export interface RefreshResult {
  /** Refused calls of the hour, and all calls. */
  readonly throttled: number;
  readonly calls: number;
  /** The most calls of Secrets Manager in a second. */
  readonly peak: number;
  /** US dollars per pod and month of 30 days: 0.05 for 10,000 calls of Secrets Manager. */
  readonly monthly: number;
}

/** The pods start within one minute, and refresh for an hour from then on: their refreshes begin together, ten minutes later. */
export function refresh(
  options: HerdOptions & { readonly reader: FetchMode },
  interval: number,
): RefreshResult {
  const herd = world(options);
  const { simulation, account, random } = herd;
  const events = { served: () => {} };
  for (let pod = 0; pod < options.pods; pod++)
    simulation.after(random() * MINUTE, () =>
      startPod(herd, options.workload, options.reader, events, interval),
    );
  // After the starts, and before the first refresh.
  simulation.run(4 * MINUTE);
  const paid = (): number =>
    sum([...account.counts.calls].map(([operation, count]) => (isOfSecretsManager(operation) ? count : 0)));
  const before = {
    calls: sum(account.counts.calls.values()),
    throttled: account.counts.throttled,
    paid: paid(),
  };
  account.counts.seconds.clear();
  simulation.run(4 * MINUTE + HOUR);
  return {
    peak: Math.max(...account.counts.seconds.values()),
    throttled: account.counts.throttled - before.throttled,
    calls: sum(account.counts.calls.values()) - before.calls,
    monthly: ((paid() - before.paid) * 24 * 30 * 0.05) / 10_000 / options.pods,
  };
}

export interface OutageResult {
  /** Milliseconds from the return of the region until every pod has refreshed. */
  readonly recovered: number;
  /** Calls of the hour without the region, per pod. */
  readonly calls: number;
  /** Calls after its return that were rejected for their rate. */
  readonly throttled: number;
}

/** Pods that run lose their region for an hour. */
export function outage(
  options: HerdOptions & { readonly reader: FetchMode },
  interval: number,
): OutageResult {
  const [from, to] = [15 * MINUTE, 15 * MINUTE + HOUR];
  const herd = world(options, (now) => now < from || now >= to);
  const { simulation, account, random } = herd;
  const pending = new Set<number>();
  let recovered = Number.POSITIVE_INFINITY;
  for (let pod = 0; pod < options.pods; pod++) {
    pending.add(pod);
    const refreshed = (): void => {
      if (simulation.now() < to || !pending.delete(pod) || pending.size > 0) return;
      recovered = simulation.now() - to;
    };
    simulation.after(random() * MINUTE, () =>
      startPod(herd, options.workload, options.reader, { served: () => {}, refreshed }, interval),
    );
  }
  const calls = (): number => sum(account.counts.calls.values());
  simulation.run(from);
  const before = calls();
  simulation.run(to);
  const during = calls() - before;
  const { throttled } = account.counts;
  simulation.run(to + HOUR);
  return { recovered, calls: during / options.pods, throttled: account.counts.throttled - throttled };
}
