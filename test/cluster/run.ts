/**
 * `npm run test:cluster`: the tests of this folder, on the cluster that KUBECONFIG names or on one that is started here.
 *
 * KUBECONFIG must be an administrator's. At its end nothing of the run is left in that cluster, even after a failure.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { removeLeftovers, startCluster } from './cluster.ts';

const cluster = await startCluster();
const run = randomBytes(4).toString('hex');
try {
  const runner = join(import.meta.dirname, '../run.ts');
  const env = { ...process.env, ...cluster.env, PODSECRETS_TEST_RUN: run };
  const words = ['--no-warnings', runner, '--cluster', ...process.argv.slice(2)];
  const child = spawn(process.execPath, words, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'close')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  if (process.env.KUBECONFIG) removeLeftovers(cluster, run);
  await cluster.stop();
}
