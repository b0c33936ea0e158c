/**
 * The memory limits with which the program starts, with a cold page cache:
 *
 *   npx node test/bench/floor.ts [COMMAND SECRETS LIMIT...]
 *
 * Prints a line for each limit in MiB: the seconds of three starts, or why one failed. Default: the table in
 * examples/reference/cost-and-speed.md.
 *
 * A sidecar is measured until it has published a change of all secrets, so with its worker, and with two sets of files.
 */

import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { openColdStarts } from '../support/cold-start.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';

const TURNS = 3;
const LONGEST = 30_000;
const region = 'eu-west-1';

/** Seconds until the pattern, or the last words of the program. */
async function once(command: 'init' | 'sidecar', count: number, limit: number): Promise<string> {
  const names = Array.from({ length: count }, (_, at) => `secret-${at}`);
  const value = (letter: string) => letter.repeat(count === 1 ? 20 : 65_536);
  const seed = {
    identities: { app: { podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: Object.fromEntries(names.map((name) => [name, value('x')])) } },
  };
  const [box, aws] = [makeSandbox(), await startFakeAwsProcess(seed)];
  const cold = openColdStarts('the floor', limit);
  if (cold === undefined) process.exit(3);
  try {
    const objects = names.map((objectName) => ({ objectName, objectType: 'secretsmanager' }));
    box.writeConfig({ usePodIdentity: 'true', objects });
    const args = ['--config', box.config, '--dir', box.dir];
    const flags = command === 'sidecar' ? ['--interval', '1h', '--listen', '127.0.0.1:0'] : [];
    const startedAt = performance.now();
    const running = await cold.start([command, ...args, ...flags], podIdentityEnv(box, aws, 'pod-token'));
    const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
    /** Polls the log, so that a program that hangs is given up. */
    const says = async (pattern: RegExp): Promise<boolean> => {
      const limitAt = performance.now() + LONGEST;
      while (!pattern.test(running.stderr())) {
        if (running.hasEnded() || performance.now() > limitAt) return pattern.test(running.stderr());
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return true;
    };
    if (command === 'init') {
      if (!(await says(/publish\.(changed|created|verified)|files? published/)))
        return `no (${running.stderr().trim().split('\n').at(-1)?.slice(0, 160)})`;
      return seconds();
    }
    if (!(await says(/sidecar\.ready/)))
      return `no start (${running.stderr().trim().split('\n').at(-1)?.slice(0, 160)})`;
    const start = seconds();
    for (const name of names) await aws.putSecret({ region, name, string: value('y') });
    process.kill(running.pid, 'SIGHUP');
    if (!(await says(/publish\.changed|sync\.failed/))) return `${start}, no rotation`;
    return /sync\.failed/.test(running.stderr())
      ? `${start}, rotation failed (${/"message":"(.*?)"/.exec(running.stderr().split('sync.failed')[1] ?? '')?.[1]})`
      : start;
  } finally {
    await cold.close();
    await aws.stop();
    box.remove();
  }
}

const given = process.argv[2] === undefined ? undefined : process.argv.slice(2);
const rows: readonly (readonly ['init' | 'sidecar', number, readonly number[]])[] =
  given === undefined
    ? [
        ['init', 1, [128, 96, 80, 72, 64, 56]],
        ['sidecar', 1, [128, 96, 80, 72, 64, 56]],
        ['init', 200, [128, 112, 96]],
        ['sidecar', 200, [144, 128, 112]],
      ]
    : [[given[0] === 'init' ? 'init' : 'sidecar', Number(given[1]), given.slice(2).map(Number)]];

for (const [command, count, limits] of rows) {
  for (const limit of limits) {
    const turns: string[] = [];
    for (let turn = 0; turn < TURNS; turn++) turns.push(await once(command, count, limit));
    process.stdout.write(`${command}, ${count} secrets, ${limit} MiB: ${turns.join(' | ')}\n`);
  }
}
