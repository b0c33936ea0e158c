/** A sidecar as a process: its log as events, and its pages. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { AgentStatus } from '../../src/core/status/status.ts';
import { PATIENCE } from './patience.ts';
import { type Running, start } from './program.ts';

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
  /** Resolves with the line in which the event comes for the `count`th time (default: the first); rejects when it does not come. */
  event(event: string, count?: number): Promise<LoggedLine>;
  page(path: string, method?: 'GET' | 'POST'): Promise<{ readonly status: number; readonly body: string }>;
  status(): Promise<AgentStatus>;
  /** A value of the metrics page, by its name and labels as they stand there. */
  metric(line: string): Promise<number | undefined>;
  /** Asks for a sync, and waits for its end. */
  refresh(): Promise<void>;
}

/** Starts `podsecrets sidecar` with a port of its own, at log level debug. */
export async function startSidecar(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Sidecar> {
  const address = `127.0.0.1:${await freePort()}`;
  const running = start(['sidecar', '--listen', address, '--log-level', 'debug', ...args], env);

  const lines = (): readonly LoggedLine[] =>
    running
      .stderr()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LoggedLine);
  const events = (event: string) => lines().filter((line) => line.event === event);

  async function event(name: string, count = 1): Promise<LoggedLine> {
    const deadline = performance.now() + PATIENCE;
    let over = false;
    void running.ended.then(() => {
      over = true;
    });
    for (;;) {
      const line = events(name)[count - 1];
      if (line !== undefined) return line;
      const left = deadline - performance.now();
      if (over || left <= 0) throw new Error(`expected ${name} ${count} times in:\n${running.stderr()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        const look = (): void => {
          clearTimeout(timer);
          resolve();
        };
        running.child.stderr?.once('data', look);
        void running.ended.then(look);
      });
    }
  }

  async function page(path: string, method = 'GET') {
    const response = await fetch(`http://${address}${path}`, {
      method,
      signal: AbortSignal.timeout(PATIENCE),
    });
    return { status: response.status, body: await response.text() };
  }

  return {
    ...running,
    address,
    events,
    event,
    page,
    status: async () => JSON.parse((await page('/status')).body) as AgentStatus,
    async metric(line) {
      const found = (await page('/metrics')).body.split('\n').find((one) => one.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length + 1));
    },
    async refresh() {
      const syncs = () =>
        events('publish.changed').length + events('publish.unchanged').length + events('publish.same').length;
      const before = syncs();
      // Unlike POST /refresh it is never put off.
      process.kill(running.pid, 'SIGHUP');
      const deadline = performance.now() + PATIENCE;
      while (syncs() === before) {
        if (performance.now() > deadline) throw new Error(`expected a sync in:\n${running.stderr()}`);
        await Promise.race([once(running.child.stderr as NodeJS.ReadableStream, 'data'), running.ended]);
      }
    },
  };
}

/** A port that nobody listens on just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
