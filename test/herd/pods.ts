/** The pods of a herd: with podsecrets in each pod, or with the provider's DaemonSet. */

import { type FetchPhase, requestsFor } from '../../src/aws/batches.ts';
import type { FetchMode } from '../../src/cli/options.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';
import { refreshDelay, retryDelay } from '../../src/sidecar/backoff.ts';
import type { Account, CallResult, Operation } from './account.ts';
import type { Simulation } from './simulation.ts';

export interface Workload {
  readonly secrets: number;
  readonly parameters: number;
  readonly identity: 'AssumeRoleWithWebIdentity' | 'AssumeRoleForPodIdentity';
}

export interface World {
  readonly simulation: Simulation;
  readonly account: Account;
  readonly random: () => number;
  readonly delays: Delays;
}

/** When a pod syncs again; milliseconds. Of the program, or another choice to compare it with. */
export interface Delays {
  readonly refresh: (interval: number, random: number) => number;
  readonly retry: (phase: 'start' | 'steady', failures: number, interval: number, random: number) => number;
}

export const ownDelays: Delays = {
  refresh: refreshDelay,
  retry: (phase, failures, interval, random) => retryDelay(phase, failures, interval, undefined, random),
};

/** What the SDK's standard retry mode does (src/aws/client.ts): three attempts, a random part of a limit that doubles. */
const ATTEMPTS = 3;
/** Milliseconds: the first limit after a throttled call, and after any other failure. */
const FIRST_LIMIT = { throttled: 1000, unavailable: 50 } as const;

/** Calls of one podsecrets at a time. */
const IN_FLIGHT = 16;

/** Milliseconds for which credentials are used: those of STS are valid for one hour, those of the agent for six. */
const LIFETIME = { AssumeRoleWithWebIdentity: 3_300_000, AssumeRoleForPodIdentity: 21_300_000 } as const;

/** One call of the SDK, with its retries. */
function sdkCall(
  { simulation, account, random }: World,
  operation: Operation,
  done: (result: CallResult) => void,
): void {
  const attempt = (count: number): void =>
    account.call(operation, (result) => {
      if (result === 'ok' || count === ATTEMPTS) return done(result);
      simulation.after(random() * FIRST_LIMIT[result] * 2 ** (count - 1), () => attempt(count + 1));
    });
  attempt(1);
}

/** Calls all at once, at most `concurrency` in flight; `done` gets the indexes of those that failed. */
function sdkCalls(
  world: World,
  operations: readonly Operation[],
  concurrency: number,
  done: (failed: readonly number[]) => void,
): void {
  const failed: number[] = [];
  let next = 0;
  let open = 0;
  if (operations.length === 0) {
    done([]);
    return;
  }
  const more = (): void => {
    while (open < concurrency && next < operations.length) {
      const index = next++;
      open++;
      sdkCall(world, operations[index] as Operation, (result) => {
        open--;
        if (result !== 'ok') failed.push(index);
        if (open === 0 && next === operations.length) done(failed);
        else more();
      });
    }
  };
  more();
}

/** The calls of one sync, as src/aws plans them; for each, the secrets to read singly if it is a batch that fails. */
interface Calls {
  readonly operations: readonly Operation[];
  readonly secrets: readonly number[];
}

const known = new Map<string, Calls>();

function callsOf({ secrets, parameters }: Workload, mode: FetchMode, phase: FetchPhase): Calls {
  const key = `${secrets} ${parameters} ${mode} ${phase}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const refs = (service: SecretRef['service'], count: number) =>
    Array.from({ length: count }, (_, index) => secretRef({ service, region: 'eu-west-1', id: `${index}` }));
  const all = [...refs('secretsmanager', secrets), ...refs('ssmparameter', parameters)];
  const requests = requestsFor(all, mode, phase);
  const calls = {
    operations: requests.map(({ kind }) => kind),
    secrets: requests.map((request) => (request.kind === 'BatchGetSecretValue' ? request.refs.length : 0)),
  };
  known.set(key, calls);
  return calls;
}

/** One sync of podsecrets: every call that its own plan makes, at once. In `auto` the secrets of a batch that fails are read singly. */
function sync(
  world: World,
  workload: Workload,
  mode: FetchMode,
  phase: FetchPhase,
  done: (ok: boolean) => void,
): void {
  const calls = callsOf(workload, mode, phase);
  sdkCalls(world, calls.operations, IN_FLIGHT, (failed) => {
    const batched = failed.filter((index) => (calls.secrets[index] ?? 0) > 0);
    const count = batched.reduce((sum, index) => sum + (calls.secrets[index] ?? 0), 0);
    if (mode !== 'auto' || count === 0) return done(failed.length === 0);
    sdkCalls(world, Array<Operation>(count).fill('GetSecretValue'), IN_FLIGHT, (again) =>
      done(again.length === 0 && failed.length === batched.length),
    );
  });
}

export interface PodEvents {
  /** The files are there: milliseconds from the start of the pod. */
  readonly served: (ms: number) => void;
  readonly refreshed?: () => void;
}

/** A pod that starts now: syncs until one succeeds, each time only what is missing; then, with an interval, refreshes. */
export function startPod(
  world: World,
  workload: Workload,
  mode: FetchMode,
  { served, refreshed }: PodEvents,
  interval?: number,
): void {
  const { simulation, random, delays } = world;
  const began = simulation.now();
  let expiry = 0;
  const withCredentials = (
    work: (done: (ok: boolean) => void) => void,
    done: (ok: boolean) => void,
  ): void => {
    if (simulation.now() < expiry) {
      work(done);
      return;
    }
    sdkCall(world, workload.identity, (result) => {
      if (result !== 'ok') return done(false);
      expiry = simulation.now() + LIFETIME[workload.identity];
      work(done);
    });
  };
  const refresh = (failures: number): void =>
    withCredentials(
      (done) => sync(world, workload, mode, 'refresh', done),
      (ok) => {
        if (ok) refreshed?.();
        const limit = interval ?? Number.POSITIVE_INFINITY;
        const delay = ok
          ? delays.refresh(limit, random())
          : delays.retry('steady', failures + 1, limit, random());
        simulation.after(delay, () => refresh(ok ? 0 : failures + 1));
      },
    );
  let missing = callsOf(workload, mode, 'start').operations;
  const readMissing = (done: (ok: boolean) => void): void =>
    sdkCalls(world, missing, IN_FLIGHT, (failed) => {
      missing = failed.map((index) => missing[index] as Operation);
      done(failed.length === 0);
    });
  const start = (failures: number): void =>
    withCredentials(readMissing, (ok) => {
      if (!ok) {
        const delay = delays.retry('start', failures + 1, Number.POSITIVE_INFINITY, random());
        simulation.after(delay, () => start(failures + 1));
        return;
      }
      served(simulation.now() - began);
      if (interval !== undefined) simulation.after(delays.refresh(interval, random()), () => refresh(0));
    });
  start(0);
}

/**
 * The provider's mount: one call after another, and the kubelet tries a failed mount again after 0.5 s, doubled up to 122 s
 * (the kubelet's volume manager). No jitter there.
 */
export function mountByProvider(world: World, workload: Workload, { served }: PodEvents): void {
  const began = world.simulation.now();
  const calls: readonly Operation[] = [
    workload.identity,
    ...Array<Operation>(workload.secrets).fill('GetSecretValue'),
    ...Array<Operation>(Math.ceil(workload.parameters / 10)).fill('GetParameters'),
  ];
  const attempt = (failures: number): void =>
    sdkCalls(world, calls, 1, (failed) => {
      if (failed.length === 0) return served(world.simulation.now() - began);
      world.simulation.after(Math.min(500 * 2 ** failures, 122_000), () => attempt(failures + 1));
    });
  attempt(0);
}
