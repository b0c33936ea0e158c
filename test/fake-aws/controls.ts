/**
 * Everything that a test can read from the fake AWS, or change in it. The same verbs work in the process and, through the control API,
 * from another one: each takes at most one plain object and returns plain data.
 */

import { type Account, accountOf, storeParameter, storeSecret } from './account.ts';
import { type Fault, type Faults, faultList } from './faults.ts';
import type { Identity } from './identities.ts';
import { type Journal, type JournalEntry, type JournalFilter, journal } from './journal.ts';
import { seededRandom } from './random.ts';
import { versionAt } from './secrets.ts';
import type { ParameterSeed, SecretSeed, Seed } from './seed.ts';

interface InRegion {
  readonly region: string;
  readonly name: string;
}

export interface Controls {
  /** The journal, oldest first, or the entries that the filter leaves. */
  calls(filter?: JournalFilter): readonly JournalEntry[];
  count(filter?: JournalFilter): number;
  clearCalls(): void;
  /** Arms a fault; the number removes it again. */
  addFault(fault: Fault): number;
  removeFault(which: { readonly number: number }): void;
  clearFaults(): void;
  /** The faults that are not used up. */
  faults(): readonly (Fault & { readonly number: number })[];
  /** Creates a secret or adds a version to it: a rotation. Returns the id of the current version, if there is one. */
  putSecret(secret: InRegion & SecretSeed): { readonly arn: string; readonly versionId: string | undefined };
  /** Deletes at once; `putSecret` with `deleted` schedules the deletion. */
  removeSecret(secret: InRegion): void;
  putParameter(parameter: InRegion & ParameterSeed): { readonly arn: string; readonly version: number };
  removeParameter(parameter: InRegion): void;
  /** Adds an identity or changes the given fields: other tokens, a denial, a lifetime. */
  changeIdentity(change: { readonly name: string } & Identity): void;
  /** Expires all temporary credentials (of one identity) now; returns their number. */
  expireCredentials(of?: { readonly identity?: string }): number;
  /** Moves the fake AWS's clock, and with it the Date header of its responses, forwards or backwards. */
  advanceClock(by: { readonly ms: number }): void;
  /** Replaces all data, issued credentials included, by this seed. */
  load(seed: Seed): void;
  /** Back to the seed it started with. */
  reset(): void;
}

/** The state of the server; `load` and `reset` replace its parts. */
export interface State {
  account: Account;
  faults: Faults;
  readonly journal: Journal;
  now(): number;
}

/** The state that a seed describes, and the controls over it. */
export function controlled(
  seed: Seed,
  clock: () => number,
): { readonly state: State; readonly controls: Controls } {
  let offset = 0;
  const now = () => clock() + offset;
  const state: State = { ...held(seed, now), journal: journal(), now };

  function load(next: Seed): void {
    offset = 0;
    Object.assign(state, held(next, now));
    state.journal.clear();
  }

  const controls: Controls = {
    calls: (filter) => state.journal.calls(filter),
    count: (filter) => state.journal.count(filter),
    clearCalls: () => state.journal.clear(),
    addFault: (fault) => state.faults.add(fault),
    removeFault: ({ number }) => state.faults.remove(number),
    clearFaults: () => state.faults.clear(),
    faults: () => state.faults.list(),

    putSecret({ region, name, ...given }) {
      const secret = storeSecret(state.account, region, name, given);
      return { arn: secret.arn, versionId: versionAt(secret, 'AWSCURRENT')?.id };
    },

    removeSecret({ region, name }) {
      const secrets = state.account.secrets(region);
      const secret = secrets.find(name);
      if (secret !== undefined) secrets.remove(secret);
    },

    putParameter({ region, name, ...given }) {
      const version = storeParameter(state.account, region, name, given);
      return { arn: state.account.parameters(region).arn(name), version };
    },

    removeParameter({ region, name }) {
      const parameters = state.account.parameters(region);
      const lookup = parameters.find(name);
      if (typeof lookup !== 'string') parameters.remove(lookup.parameter);
    },

    changeIdentity: ({ name, ...changes }) => state.account.identities.change(name, changes),
    expireCredentials: ({ identity } = {}) => state.account.identities.expire(identity),

    advanceClock({ ms }) {
      offset += ms;
    },

    load,
    reset: () => load(seed),
  };
  return { state, controls };
}

function held(seed: Seed, now: () => number): Pick<State, 'account' | 'faults'> {
  const faults = faultList(seededRandom(seed.chance ?? 1));
  for (const fault of seed.faults ?? []) faults.add(fault);
  return { account: accountOf(seed, now), faults };
}
