/** Runs reloader.ts, an application that reloads a file, with its own name and process group. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { until, within } from './wait.ts';

export interface Application {
  readonly pid: number;
  /** Every text that it has read, in order. */
  readonly received: readonly string[];
  /** Resolves as soon as it has read this text; rejects when it does not come. */
  receives(text: string): Promise<void>;
  end(): Promise<void>;
}

export interface ApplicationOptions {
  /** The file that it reads at each SIGHUP. */
  readonly file: string;
  readonly pidFile: string;
  /** argv[0], as `ps` shows it. */
  readonly name: string;
}

/** Starts it; resolves when it can be signalled. */
export async function startApplication({ file, pidFile, name }: ApplicationOptions): Promise<Application> {
  const program = join(import.meta.dirname, 'reloader.ts');
  const child = spawn(process.execPath, ['--no-warnings', program, file, pidFile], {
    argv0: name,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });

  const receives = (text: string) =>
    until(
      () => `the application to read ${text}, got ${JSON.stringify(lines)}`,
      () => lines.includes(text),
    );

  await receives('up');
  return {
    pid: child.pid ?? 0,
    get received() {
      return lines.slice(1);
    },
    receives,
    async end() {
      child.stdin.end();
      await within(`the end of ${name}`, closed);
    },
  };
}
