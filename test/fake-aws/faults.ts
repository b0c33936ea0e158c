/**
 * Faults that a test configures: the calls that they affect, how often, and the effect.
 *
 * Every latency that matches a call is added up; of the other faults the first that matches acts. A fault with `times` is
 * used up by the calls that it affects. Random numbers come from the seed's generator. damage.ts applies the effect to the bytes.
 */

import { splitSelector } from './parameters.ts';
import type { ServiceName } from './service.ts';

export interface Fault {
  /** Which calls; all conditions must hold, and a condition left out always does. */
  readonly on?: CallFilter;
  /** The number of calls that it affects. Default: unlimited. */
  readonly times?: number;
  /** The number of matching calls before the first that it affects. */
  readonly after?: number;
  /** Probability from 0 to 1 that it acts on a matching call. */
  readonly chance?: number;
  readonly does: Misbehaviour;
}

export interface CallFilter {
  readonly service?: ServiceName;
  readonly operation?: string;
  readonly region?: string;
  /** A requested id, without its selector. */
  readonly id?: string;
}

export type Misbehaviour =
  | { readonly kind: 'latency'; readonly ms: number }
  /** `retryAfter`: seconds, sent as the header. */
  | { readonly kind: 'throttle'; readonly status?: 400 | 429; readonly retryAfter?: number }
  /** Any error of the service, in its own protocol. Status 400 by default. */
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly message?: string;
      readonly status?: number;
    }
  /** A failing server: its error in JSON or XML, a proxy's HTML page, or nothing at all. */
  | {
      readonly kind: 'server-error';
      readonly status?: number;
      readonly body?: 'error' | 'html' | 'empty';
      readonly retryAfter?: number;
    }
  /** The request is accepted, without a response. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'cut'; readonly at: 'before-headers' | 'mid-body' }
  | { readonly kind: 'garbage'; readonly shape: GarbageShape; readonly bytes?: number }
  /** The caller's credentials count as expired; from the agent and STS come credentials that already are. */
  | { readonly kind: 'expired' }
  /** BatchGetSecretValue reports the id (default: the first) as an error among values. */
  | { readonly kind: 'batch-error'; readonly code: string; readonly message?: string }
  /** The id (default: the first) appears nowhere in the response, neither as a value nor as an error. */
  | { readonly kind: 'absent' };

/**
 * `not-json`: text that begins with a value, where a parser's message would quote it. `truncated`: the first half.
 * `no-value`: the fields that hold values are missing. `numbers`: every string is a number. `null`, `list`: good JSON, wrong
 * kind. `empty`: no body. `huge`: a value of `bytes` characters (default 32 MiB).
 */
export type GarbageShape =
  | 'not-json'
  | 'truncated'
  | 'no-value'
  | 'numbers'
  | 'null'
  | 'list'
  | 'empty'
  | 'huge';

/** The parts of a call that faults depend on. */
export interface FaultyCall {
  readonly service: ServiceName;
  readonly operation: string;
  readonly region: string;
  readonly ids: readonly string[];
}

/** The effect on one call. */
export interface Harm {
  readonly latency: number;
  readonly does: Exclude<Misbehaviour, { kind: 'latency' }> | undefined;
  /** The ids of the call that the fault is about. */
  readonly ids: readonly string[];
}

export interface Faults {
  /** Adds a fault; its number removes it again. */
  add(fault: Fault): number;
  remove(number: number): void;
  clear(): void;
  /** Those not used up, with their numbers. */
  list(): readonly (Fault & { readonly number: number })[];
  /** The effect on this call; counts the call. */
  take(call: FaultyCall): Harm;
}

interface Armed {
  readonly number: number;
  readonly fault: Fault;
  passes: number;
  left: number;
}

const HARMLESS: Harm = { latency: 0, does: undefined, ids: [] };

export function faultList(random: () => number): Faults {
  let armed: Armed[] = [];
  let lastNumber = 0;

  /** Whether the fault acts on a call that it matches; counts the call. */
  function acts(entry: Armed): boolean {
    if (entry.passes > 0) {
      entry.passes -= 1;
      return false;
    }
    if (entry.fault.chance !== undefined && random() >= entry.fault.chance) return false;
    entry.left -= 1;
    return true;
  }

  return {
    add(fault) {
      lastNumber += 1;
      armed.push({ number: lastNumber, fault, passes: fault.after ?? 0, left: fault.times ?? Infinity });
      return lastNumber;
    },

    remove(number) {
      armed = armed.filter((entry) => entry.number !== number);
    },

    clear() {
      armed = [];
    },

    list: () => armed.map(({ number, fault }) => ({ ...fault, number })),

    take(call) {
      if (armed.length === 0) return HARMLESS;
      let harm = HARMLESS;
      for (const entry of armed) {
        const { does, on } = entry.fault;
        const taken = does.kind !== 'latency' && harm.does !== undefined;
        if (taken || !hits(on, call) || !acts(entry)) continue;
        harm =
          does.kind === 'latency'
            ? { ...harm, latency: harm.latency + does.ms }
            : { ...harm, does, ids: concerned(on, call) };
      }
      armed = armed.filter((entry) => entry.left > 0);
      return harm;
    },
  };
}

/** Whether the filter matches a call; the journal counts with it too. */
export function hits(filter: CallFilter | undefined, call: FaultyCall): boolean {
  if (filter === undefined) return true;
  const { service, operation, region, id } = filter;
  return (
    (service === undefined || service === call.service) &&
    (operation === undefined || operation === call.operation) &&
    (region === undefined || region === call.region) &&
    (id === undefined || call.ids.some((requested) => isSame(requested, id)))
  );
}

function concerned(filter: CallFilter | undefined, { ids }: FaultyCall): readonly string[] {
  const { id } = filter ?? {};
  return id === undefined ? ids.slice(0, 1) : ids.filter((requested) => isSame(requested, id));
}

function isSame(requested: string, id: string): boolean {
  return requested === id || splitSelector(requested).base === id;
}
