/** The part of a run that is inside of the node's namespaces: starts the node, and runs the tests on it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setUpNamespaces } from './namespace.ts';
import { type NodeParts, startNode } from './node.ts';

// The namespaces end with the process outside.
process.stdin.resume().once('end', () => process.exit(1));

const [parts = '{}', ...words] = process.argv.slice(2);
const start = performance.now();
setUpNamespaces();
const env = { ...process.env, ...(await startNode(JSON.parse(parts) as NodeParts)) };
process.stdout.write(`the node is ready after ${((performance.now() - start) / 1000).toFixed(1)} s\n`);

const timesOnly = words.includes('start-times');
const startTimes = join(import.meta.dirname, 'start-times.ts');
const failed = timesOnly ? 0 : await node([join(import.meta.dirname, '..', 'run.ts'), '--node', ...words]);
const timed = timesOnly
  ? await node([startTimes, '--record'])
  : words.length > 0
    ? 0
    : await node([startTimes]);
process.exit(failed || timed);

async function node(script: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--no-warnings', ...script], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}
