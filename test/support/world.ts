/**
 * A whole sidecar in a fake environment: `runSidecar` as the command composes it, with a fake clock, a scripted
 * source of values, a real directory on a tmpfs, and a scripted application.
 *
 *   const world = await openWorld({ secrets: { a: '1' } });
 *   await play(world, [
 *     { happens: start, holds: { files: { a: '1' }, ready: true } },
 *     { happens: (w) => w.put('a', '2'), holds: {} },
 *     { happens: minutes(10), holds: { files: { a: '2' }, notified: ['a'] } },
 *   ]);
 *
 * A step is what happens, and what is true afterwards. Notifications, log events and fetches are counted from step to step.
 */

import assert from 'node:assert/strict';
import type { SecretSource } from '../../src/aws/fetcher.ts';
import { parsePlan } from '../../src/config/parse.ts';
import type { FetchResult, SecretRef } from '../../src/config/secret-ref.ts';
import type { Log } from '../../src/core/log.ts';
import { type EventName, events } from '../../src/core/log-events.ts';
import { Problem, type ProblemFields } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Endpoints } from '../../src/http/routes.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import { openDirectory } from '../../src/publish/directory.ts';
import { holdDirectory } from '../../src/publish/held-directory.ts';
import { keptFiles } from '../../src/publish/kept-files.ts';
import { createMetrics } from '../../src/sidecar/metrics.ts';
import { runSidecar } from '../../src/sidecar/run.ts';
import type { SidecarStatus } from '../../src/sidecar/status.ts';
import { createSyncTarget } from '../../src/sidecar/target.ts';
import { createTriggers } from '../../src/sidecar/triggers.ts';
import { readMessage } from '../../src/worker/report.ts';
import type { RunSync } from '../../src/worker/request.ts';
import { createSyncWorker } from '../../src/worker/sync.ts';
import { type FakeClock, fakeClock } from './clock.ts';
import { config } from './config.ts';
import { shown } from './directory.ts';
import { scratch } from './scratch.ts';
import { until } from './wait.ts';

export interface WorldOptions {
  /** The secrets of AWS: `name`, or `name@region` for another region than eu-west-1. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The config; default: one object for each secret. */
  readonly config?: string;
  /** A directory that an earlier world has left. */
  readonly dir?: string;
  /** Milliseconds. */
  readonly interval?: number;
  readonly splay?: number;
  readonly notifyOnStart?: boolean;
  /** Wall clock at the start, milliseconds since 1970. */
  readonly now?: number;
  /** Instead of the scripted application. */
  readonly notifier?: Notifier;
  /** Instead of the scripted source. */
  readonly source?: (world: { readonly clock: FakeClock; readonly log: Log }) => SecretSource;
}

/** How AWS handles a request: it succeeds, hangs until its behaviour changes, or fails with a Problem. */
type AwsBehaviour = 'succeeds' | 'hangs' | Problem;
/** The reaction of the application to a notification. */
type AppBehaviour = 'succeeds' | 'fails' | 'hangs';

export interface World {
  readonly clock: FakeClock;
  readonly dir: string;
  /** What SIGTERM aborts. */
  readonly stop: AbortSignal;
  /** Starts the sidecar. */
  start(): Promise<void>;
  /** Sets another value in AWS. */
  put(name: string, value: string): void;
  /** Removes the secret from AWS. */
  remove(name: string): void;
  /** The behaviour of AWS from now on; with a name, only for that secret. */
  aws(behaviour: AwsBehaviour, name?: string): void;
  application(appBehaviour: AppBehaviour): void;
  /** Edits the config; without `watched`, the edit is not reported because the watch has not begun. */
  edit(text: string, watched?: boolean): void;
  /** SIGHUP. */
  hangup(): void;
  /** `POST /refresh`. */
  refresh(): void;
  /** SIGTERM. */
  terminate(): void;
  /** kill -9: no part of this sidecar runs any more. */
  kill(): Promise<void>;
  status(): SidecarStatus;
  /** A sync is running. */
  isBusy(): boolean;
  /** Resolves when no sync and no notification is running; for sources and notifiers that really wait. */
  idle(): Promise<void>;
  /** The end, if it has come: its reason, and milliseconds from the start. */
  ended(): { readonly reason: unknown; readonly at: number } | undefined;
  /** The changes since the last call. */
  news(): News;
}

interface News {
  /** The names that the application was notified of, one entry for each notification. */
  readonly notified: readonly string[];
  /** Events of the log from `info` up, without the publishes. */
  readonly logged: readonly string[];
  /** How many values were fetched. */
  readonly fetched: number;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { dir = scratch(), interval = 600_000, splay = 0, notifyOnStart = false } = options;
  const clock = fakeClock(options.now === undefined ? {} : { now: options.now });
  const secrets = new Map<string, readonly [value: string, version: number]>(
    Object.entries(options.secrets).map(([name, value]) => [name, [value, 1]]),
  );
  const behaviours = new Map<string, AwsBehaviour>();
  let appBehaviour: AppBehaviour = 'succeeds';
  let text = options.config ?? config(Object.keys(options.secrets).map(objectOf).join('\n'));
  let notified: string[] = [];
  let logged: string[] = [];
  let fetched = 0;
  let busy = false;
  let end: { readonly reason: unknown; readonly at: number } | undefined;
  const stop = new AbortController();

  const write = (event: EventName): void => {
    if (event === 'start.retrying') busy = false;
    if (events[event].level !== 'debug' && !event.startsWith('publish.')) logged.push(event);
  };
  const log: Log = { write, problem: write };

  async function outcomeOf(read: SecretRef, signal: AbortSignal): Promise<FetchResult> {
    const name = read.region === 'eu-west-1' ? read.id : `${read.id}@${read.region}`;
    const behaviourNow = (): AwsBehaviour => behaviours.get(name) ?? behaviours.get('*') ?? 'succeeds';
    while (behaviourNow() === 'hangs') await clock.sleep(100, signal);
    const behaviour = behaviourNow();
    if (behaviour instanceof Problem) return failed(behaviour);
    const held = secrets.get(name);
    if (held === undefined) return failed(problem('fetch.notFound', { subject: name }));
    return { kind: 'found', value: new Secret(held[0]), version: String(held[1]) };
  }

  const source: SecretSource = options.source?.({ clock, log }) ?? {
    async read(reads, signal) {
      fetched += reads.length;
      return new Map(
        await Promise.all(reads.map(async (read) => [read.key, await outcomeOf(read, signal)] as const)),
      );
    },
  };

  const notifier: Notifier = options.notifier ?? {
    kind: 'url',
    async notify(names, signal) {
      notified.push(names.join());
      if (appBehaviour === 'hangs') await clock.sleep(Number.MAX_SAFE_INTEGER, signal);
      if (appBehaviour === 'fails') throw problem('notify.url', { retry: true });
    },
  };

  const lock = { lockTimeout: 0, clock, stop: stop.signal };
  const held = await holdDirectory({
    dir,
    allowDisk: false,
    user: process.geteuid?.() ?? 0,
    inKubernetes: true,
    ...lock,
  });
  const targets = [
    createSyncTarget({
      file: 'config.yaml',
      held,
      read: () => ({ kind: 'text', text }),
      clock,
      log,
    }),
  ];

  /** A sync in this process, and its report as it arrives from another one. */
  const runSync: RunSync = async (request, report, signal) => {
    busy = true;
    const worker = createSyncWorker({
      parse: (content, { file }) =>
        parsePlan(content, { file, defaultMode: 0o644, environmentRegion: undefined }),
      sourceOf: () => source,
      credentials: () => undefined,
      openDirectory: (directory) => ({
        ...openDirectory({ directory, owner: undefined, keepReplaced: true, ...lock }),
        keptFiles: keptFiles(directory.path),
      }),
      hasNotifiers: true,
      notifyOnStart,
      applySecrets: undefined,
      areSecretsStale: async () => false,
      log,
    });
    try {
      await worker(copyOf(request), (message) => report(readMessage(copyOf(message))), signal);
    } catch (error) {
      busy = false;
      throw error;
    }
  };

  const triggers = createTriggers(clock);
  let endpoints: Endpoints | undefined;
  const openEndpoints = (): Endpoints => {
    assert.ok(endpoints, 'the sidecar has started');
    return endpoints;
  };

  async function run(): Promise<void> {
    try {
      await runSidecar(
        {
          clock,
          interval,
          startTimeout: 60_000,
          targets,
          notifiers: [notifier],
          splay,
          runSync,
          triggers,
          log,
          metrics: createMetrics([notifier.kind]),
          watch: async () => {},
          async openServer(served) {
            endpoints = served;
            return { address: 'test', close: async () => {} };
          },
          processFigures: () => ({ residentMemory: 0, cpuTime: 0, droppedLines: 0 }),
          onIdle() {
            busy = false;
          },
          close: () => held.close(),
        },
        stop.signal,
      );
    } catch (reason) {
      busy = false;
      end = { reason, at: clock.elapsed() };
    }
  }

  const status = (): SidecarStatus => JSON.parse(JSON.stringify(openEndpoints().status()));

  return {
    clock,
    dir,
    stop: stop.signal,
    async start() {
      void run();
      await clock.settle();
    },
    put(name, value) {
      secrets.set(name, [value, (secrets.get(name)?.[1] ?? 0) + 1]);
    },
    remove: (name) => void secrets.delete(name),
    aws: (behaviour, name = '*') => void behaviours.set(name, behaviour),
    application(next) {
      appBehaviour = next;
    },
    edit(next, watched = true) {
      text = next;
      if (watched) triggers.trigger('config');
    },
    hangup: () => triggers.trigger('signal'),
    refresh: () => openEndpoints().refresh(),
    terminate: () => stop.abort(new Error('SIGTERM')),
    async kill() {
      // The kernel releases the lock of a killed process; here the end does that, and no notification is delivered.
      appBehaviour = 'hangs';
      stop.abort(new Error('SIGKILL'));
      await clock.advance(5000);
    },
    status,
    isBusy: () => busy,
    async idle() {
      const isNotifying = () => status().notifiers.some(({ state }) => state === 'notifying');
      await until('the end of a sync and of all notifications', () => !busy && !isNotifying());
      await clock.settle();
    },
    ended: () => end,
    news() {
      const news = { notified, logged, fetched };
      notified = [];
      logged = [];
      fetched = 0;
      return news;
    },
  };
}

/** The copy that arrives through a pipe. */
function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

function failed(problem: Problem): FetchResult {
  const awsCode = problem.code === 'fetch.notFound' ? 'ResourceNotFound' : undefined;
  return { kind: 'failed', problem, awsCode };
}

/** One object as YAML: its file has the name of the secret. */
export function objectOf(name: string): string {
  return `- {objectName: ${name}, objectType: secretsmanager}`;
}

/** A problem of this code; transient by default. */
export function problem(code: ProblemFields['code'], fields: Partial<ProblemFields> = {}): Problem {
  const retry = !/notFound|denied|client/.test(code);
  return new Problem({ code, subject: 's', message: 'm', remedy: 'r', retry, ...fields });
}

/** What must be true; a missing field may have any value. */
export interface Truth extends Partial<News> {
  readonly files?: Readonly<Record<string, string>>;
  readonly ready?: boolean;
  readonly phase?: SidecarStatus['phase'];
  readonly failures?: number;
  /** Anything else. */
  readonly also?: (world: World) => void;
}

export interface Step {
  readonly happens: (world: World) => unknown;
  readonly holds: Truth;
}

/** Plays the steps, and compares the world with each truth. */
export async function play(world: World, steps: readonly Step[]): Promise<void> {
  for (const [index, { happens, holds }] of steps.entries()) {
    await happens(world);
    await world.clock.settle();
    const { ready, phase, consecutiveFailures: failures } = world.status();
    const { also, ...expected } = holds;
    const files = expected.files === undefined ? undefined : shown(world.dir);
    const truth: Record<string, unknown> = { ...world.news(), files, ready, phase, failures };
    const found = Object.fromEntries(Object.keys(expected).map((key) => [key, truth[key]]));
    assert.deepEqual(found, expected, `step ${index + 1} of ${steps.length}`);
    also?.(world);
  }
}

export const start = (world: World) => world.start();
export const seconds = (count: number) => (world: World) => world.clock.advance(count * 1000);
export const minutes = (count: number) => seconds(count * 60);
