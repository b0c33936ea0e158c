/** `supervise` with real processes and a clock that runs faster, so that a hundred restarts take minutes. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../src/cli/parse.ts';
import type { ExecWorkerRequest } from '../../src/commands/exec-worker.ts';
import type { Clock } from '../../src/core/clock.ts';
import { createCommandFetcher } from '../../src/exec/fetch-worker.ts';
import { supervise } from '../../src/exec/supervise.ts';
import { createTriggers } from '../../src/sidecar/triggers.ts';
import type { ConfigRequest } from '../../src/worker/request.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { binary } from './program.ts';
import { realClock } from './real-clock.ts';
import { makeSandbox, podIdentityEnv } from './sandbox.ts';
import { until, within } from './wait.ts';

/** How many times faster. */
const FASTER = 50;

const fast: Clock = {
  ...realClock,
  elapsed: () => realClock.elapsed() * FASTER,
  sleep: (ms, signal) => realClock.sleep(ms / FASTER, signal),
};

/** Logs an overlap with the process before it, its start with the value, and ends as `body` does. */
const started = `
old=$(cat pid 2>/dev/null)
[ -z "$old" ] || ! kill -0 "$old" 2>/dev/null || echo overlap >> log
echo $$ > pid
`;

const children = {
  'ignores SIGTERM': `trap '' TERM; echo "$V" >> log; exec sleep 1000`,
  'exits with 3 at SIGTERM': `trap 'kill $!; exit 3' TERM; sleep 1000 & echo "$V" >> log; wait $!; wait $!`,
  forks: `sleep 1000 & echo $! >> forks; echo "$V" >> log; exec sleep 1000`,
} as const;

/** `--set`. */
const ofSet: ConfigRequest = {
  file: '--set',
  directory: { path: '', identity: '' },
  content: { kind: 'text', text: '--set' },
  inUse: undefined,
  region: undefined,
  isVerified: false,
  publishedFiles: undefined,
  pinned: [],
};

/**
 * Rotates the secret `name` as often, and returns what the commands logged: their values, in order. Each rotation waits for the
 * command with its value.
 */
async function rotations(
  aws: FakeAwsProcess,
  name: string,
  kind: keyof typeof children,
  count: number,
): Promise<readonly string[]> {
  const box = makeSandbox();
  const arn = `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}`;
  const script = `cd ${box.root}${started}${children[kind]}`;
  Object.assign(process.env, podIdentityEnv(box, aws, 'pod-token'));
  const words = ['exec', '--on-change', 'restart', '--interval', '1s', '--set', `V=${arn}`];
  const command = parseCommand([...words, '--', 'sh', '-c', script], {});
  if (command.kind !== 'run') throw new Error('no command');
  const { settings } = command.invocation;
  const request = { parent: process.pid, settings, args: command.invocation.args };
  const host = {
    program: { file: binary, args: [] },
    clock: fast,
    kill: process.kill,
    memory: () => () => ({ used: 0, limit: 1 }),
  };
  const fetcher = createCommandFetcher({
    host: () => host,
    shared: undefined,
    timeouts: { progress: () => 1e9, total: 1e9 },
  });
  let forward: (signal: NodeJS.Signals) => void = () => {};
  const read = (file: string): readonly string[] => {
    try {
      return readFileSync(join(box.root, file), 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  };
  const failed: string[] = [];
  const code = supervise(
    {
      onChange: 'restart',
      stopSignal: 'SIGTERM',
      stopTimeout: 10_000,
      interval: 1000,
      splay: 0,
      startTimeout: 0,
      hasTerminal: false,
      clock: fast,
      log: { write() {}, problem: (event, { message }) => void failed.push(`${event}: ${message}`) },
      triggers: createTriggers(fast),
      fetch(known, phase, stop) {
        const sync = { work: 'sync', phase, configs: [ofSet], renderLast: [], batchesDisabled: {} } as const;
        const all: ExecWorkerRequest = { ...request, sync, known };
        return fetcher.fetch({ request: all, receive() {} }, stop);
      },
      onReady() {},
      onSuccess() {},
      onFailure: (problems) => void failed.push(...problems.map(({ message }) => message)),
      countRestart() {},
      handleSignals(listener) {
        forward = listener;
      },
      onRetry() {},
      exitCodeOf: () => 143,
    },
    new AbortController().signal,
  );
  try {
    const hasLast = (value: string) => () => {
      if (failed.length > 0) throw new Error(failed.join('\n'));
      return read('log').at(-1) === value;
    };
    await Promise.race([until(`the start of ${kind}`, hasLast('value-0')), code]);
    for (let index = 1; index <= count; index++) {
      await aws.putSecret({ region: 'eu-west-1', name, string: `value-${index}` });
      await until(`value-${index} of ${kind}`, hasLast(`value-${index}`));
    }
    return read('log');
  } finally {
    forward('SIGTERM');
    const pid = Number(read('pid')[0]);
    // The one that ignores SIGTERM.
    if (kind === 'ignores SIGTERM' && pid > 0) process.kill(pid, 'SIGKILL');
    await within('the end of the command', code);
    for (const fork of read('forks')) if (fork !== '') process.kill(Number(fork), 'SIGKILL');
    box.remove();
  }
}

/** Registers a test for each kind of command, with this number of rotations. */
export function testRestarts(count: number): void {
  for (const kind of Object.keys(children) as (keyof typeof children)[]) {
    test(`a command that ${kind} is restarted at each rotation, and gone before the next one starts`, async () => {
      const aws = await startFakeAwsProcess({
        identities: {
          app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] },
        },
        regions: { 'eu-west-1': { secrets: { db: 'value-0' } } },
      });
      try {
        const expected = Array.from({ length: count + 1 }, (_, index) => `value-${index}`);
        assert.equal(await rotations(aws, 'db', kind, count), expected);
      } finally {
        await aws.stop();
      }
    });
  }
}
