/**
 * The peak of the anonymous memory of a sidecar and its worker together, while 200 values of 64 KiB change:
 *
 *   npx node test/bench/peak.ts BINARY [BINARY...]
 *
 * Read every millisecond, for the first sync and for five rotations of all values.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { childrenOf } from '../support/processes.ts';
import { numbered, openPlace, openTlsAws } from './place.ts';

const SECRETS = 200;
const ROTATIONS = 5;

/** MiB of anonymous memory; 0 if the process has ended. */
function anonymousOf(pid: number): number {
  try {
    const [, size] = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(size ?? 0) / 1024;
  } catch {
    return 0;
  }
}

for (const binary of process.argv.slice(2)) {
  const aws = await openTlsAws();
  const rotate = async (letter: string): Promise<void> => {
    for (const at of numbered(SECRETS, (n) => n))
      await aws.putSecret({ region: 'eu-west-1', name: `secret-${at}`, string: letter.repeat(65_536) });
  };
  await rotate('a');
  const place = openPlace(aws, SECRETS, 0);
  const flags = ['--listen', 'off', '--interval', '1h'];
  const child = spawn(binary, place.args('sidecar', ...flags), {
    env: { ...place.env, PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const pid = child.pid ?? 0;
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const count = (event: string) => log.split(event).length - 1;
  /** Until the log has the event so often; the peaks of both together and of each. */
  async function peakUntil(event: string, times: number): Promise<readonly number[]> {
    const peaks = [0, 0, 0];
    while (count(event) < times) {
      const own = anonymousOf(pid);
      const workers = childrenOf(pid).reduce((sum, worker) => sum + anonymousOf(worker), 0);
      for (const [at, size] of [own + workers, own, workers].entries())
        peaks[at] = Math.max(peaks[at] ?? 0, size);
      await pause(1);
    }
    return peaks;
  }
  const print = (what: string, peaks: readonly number[]): void => {
    const [both, own, worker] = peaks.map((size) => size.toFixed(1));
    process.stdout.write(`  ${what.padEnd(12)}${both} MiB together; sidecar ${own}, worker ${worker}\n`);
  };
  process.stdout.write(`${binary}\n`);
  print('first sync', await peakUntil('sidecar.ready', 1));
  // The first publish is a change too.
  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    await rotate(String.fromCharCode(97 + rotation));
    await pause(2000);
    process.kill(pid, 'SIGHUP');
    print(`rotation ${rotation}`, await peakUntil('publish.changed', rotation + 1));
  }
  child.kill();
  await once(child, 'exit');
  place.box.remove();
  await aws.stop();
}
