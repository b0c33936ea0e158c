/**
 * The controls of a fake AWS that runs in another process, and the start of such a process.
 *
 *   const aws = await startFakeAwsProcess(seed);     // a separate process; { url, agentUrl, pid, stop() } and all the verbs
 *   await aws.addFault({ does: { kind: 'latency', ms: 50 } });
 *   await aws.stop();
 *
 * The verbs are those of controls.ts, each with a promise of its result.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { within } from '../support/wait.ts';
import { CONTROL_PATH, controlVerbs } from './control-api.ts';
import type { Controls } from './controls.ts';
import type { Seed } from './seed.ts';

export type RemoteControls = {
  readonly [V in keyof Controls]: (...args: Parameters<Controls[V]>) => Promise<ReturnType<Controls[V]>>;
};

export interface FakeAwsProcess extends RemoteControls {
  readonly url: string;
  readonly agentUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface LaunchOptions {
  readonly host?: string;
  readonly port?: number;
  /** `ca`: the certificate to trust; default: `cert`, which is self-signed then. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
  /** What starts the process, for another namespace; it must become the process. Default: nothing. */
  readonly starter?: readonly string[];
}

/** The controls of the fake AWS at this URL. `ca`: the certificate to trust, if it serves TLS. */
export function remoteControls(url: string, ca?: string): RemoteControls {
  const entries = controlVerbs.map((verb) => [
    verb,
    (argument?: unknown) => ask(new URL(CONTROL_PATH + verb, url), argument, ca),
  ]);
  return Object.fromEntries(entries) as RemoteControls;
}

/** Starts the fake AWS as a process that ends with this one. */
export async function startFakeAwsProcess(seed: Seed, options: LaunchOptions = {}): Promise<FakeAwsProcess> {
  const { host = '127.0.0.1', port = 0, tls, starter = [] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'fake-aws-'));
  const file = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const args = ['--seed', file('seed.yaml', stringify(seed)), '--host', host, '--port', String(port)];
  if (tls !== undefined) args.push('--tls-key', file('key', tls.key), '--tls-cert', file('cert', tls.cert));
  const main = join(import.meta.dirname, 'main.ts');
  const [command = '', ...words] = [...starter, process.execPath, '--no-warnings', main];
  const child = spawn(command, [...words, '--stop-with-stdin', ...args], { stdio: 'pipe' });
  const exited = once(child, 'close');
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const lines = createInterface(child.stdout);
  const [first] = await within(
    'the fake AWS to listen',
    Promise.race([once(lines, 'line'), exited.then(() => [undefined])]),
  );
  rmSync(directory, { recursive: true });
  if (typeof first !== 'string') throw new Error(`the fake AWS ended before it listened: ${complaint}`);
  const started = JSON.parse(first) as {
    readonly url: string;
    readonly agentUrl: string;
    readonly pid: number;
  };
  return {
    ...remoteControls(started.url, tls?.ca ?? tls?.cert),
    ...started,
    async stop() {
      child.kill();
      await within('the end of the fake AWS', exited);
    },
  };
}

async function ask(url: URL, argument: unknown, ca: string | undefined): Promise<unknown> {
  // On a new connection, because a kept-alive one may be closed unnoticed while the caller is busy.
  const options = { method: 'POST', agent: false, ...(ca === undefined ? {} : { ca }) };
  const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
  request.end(argument === undefined ? '' : JSON.stringify(argument));
  const [response] = await within(`a response of the fake AWS to ${url}`, once(request, 'response'));
  const { result, error } = JSON.parse(await text(response)) as { result?: unknown; error?: string };
  if (error !== undefined) throw new Error(error);
  return result ?? undefined;
}
