/**
 * `npm run test:cluster`: the tests of this folder, on the cluster that KUBECONFIG names or on one that is started here.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startCluster } from './cluster.ts';

const cluster = await startCluster();
try {
  const runner = join(import.meta.dirname, '..', 'run.ts');
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig, KUBECTL: cluster.binary };
  const words = ['--no-warnings', runner, '--cluster', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, words, { stdio: 'inherit', env }).status ?? 1;
} finally {
  await cluster.stop();
}
