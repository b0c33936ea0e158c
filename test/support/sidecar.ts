/** A sidecar as a process: its log events and its HTTP endpoints. */

import type { SidecarStatus } from '../../src/sidecar/status.ts';
import { freePort } from './free-port.ts';
import { type Running, start } from './program.ts';
import { until, WAIT_LIMIT } from './wait.ts';

export interface LoggedLine {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Sidecar extends Running {
  readonly address: string;
  /** The lines of this event so far. */
  events(event: string): readonly LoggedLine[];
  /** Resolves with the `count`th line of this event (default: the first); rejects if it is not logged. */
  event(event: string, count?: number): Promise<LoggedLine>;
  page(path: string, method?: 'GET' | 'POST'): Promise<{ readonly status: number; readonly body: string }>;
  status(): Promise<SidecarStatus>;
  /** Resolves when it waits for the next refresh. It can be ready earlier, before the first sync has ended. */
  rests(): Promise<void>;
  /** A value of /metrics, by its name and labels as they are printed. */
  metric(line: string): Promise<number | undefined>;
  /** Triggers a sync while none is running, and waits for its end. */
  refresh(): Promise<void>;
}

/** Starts `podsecrets sidecar` on a free port, at log level debug. */
export async function startSidecar(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  command?: readonly [string, ...string[]],
): Promise<Sidecar> {
  const address = `127.0.0.1:${await freePort()}`;
  const running = start(['sidecar', '--listen', address, '--log-level', 'debug', ...args], env, command);

  const lines = (): readonly LoggedLine[] =>
    running
      .stderr()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LoggedLine);
  const events = (event: string) => lines().filter((line) => line.event === event);

  async function event(name: string, count = 1): Promise<LoggedLine> {
    await happens(`${name} ${count} times`, () => events(name).length >= count);
    return events(name)[count - 1] as LoggedLine;
  }

  async function happens(what: string, isSo: () => boolean): Promise<void> {
    await until(
      () => `${what} in:\n${running.stderr()}`,
      () => running.hasEnded() || isSo(),
    );
    if (!isSo()) throw new Error(`expected ${what}, and it ended:\n${running.stderr()}`);
  }

  async function status(): Promise<SidecarStatus> {
    return JSON.parse((await page('/status')).body) as SidecarStatus;
  }

  async function page(path: string, method = 'GET') {
    const response = await fetch(`http://${address}${path}`, {
      method,
      signal: AbortSignal.timeout(WAIT_LIMIT),
    });
    return { status: response.status, body: await response.text() };
  }

  return {
    ...running,
    address,
    events,
    event,
    page,
    status,
    rests: () =>
      until(
        () => `the wait for the next refresh in:\n${running.stderr()}`,
        async () => Date.parse((await status()).nextSync ?? '') > Date.now(),
      ),
    async metric(line) {
      const found = (await page('/metrics')).body.split('\n').find((one) => one.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length + 1));
    },
    async refresh() {
      const syncs = () =>
        events('publish.changed').length +
        events('publish.unchanged').length +
        events('publish.verified').length;
      const before = syncs();
      // Unlike POST /refresh it is never delayed.
      process.kill(running.pid, 'SIGHUP');
      await happens('a sync', () => syncs() > before);
    },
  };
}
