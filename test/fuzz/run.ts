/**
 * `npm run fuzz`: a long run of all targets. Prints a line for each, and the input of a fault; exits with 1 if there was one.
 *
 *   npm run fuzz -- [EXECUTIONS] [TARGET…]    default: 1000000 over all targets. FUZZ_SEED repeats a run.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

const [executions = 1_000_000, ...names] = process.argv.slice(2).map((word) => Number(word) || word);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1e9);
const chosen = targets.filter(({ name }) => names.length === 0 || names.includes(name));
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
// The library that reads manifests warns about keys that are objects.
process.removeAllListeners('warning');

for (const target of chosen) {
  const started = performance.now();
  const count = Math.ceil((Number(executions) * target.share) / shares);
  const result = await fuzz(target, { seed, executions: count });
  await target.close?.();
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    `${target.name}: ${result.executions} executions, ${result.outcomes.size} outcomes, ${seconds} s (FUZZ_SEED=${seed})\n`,
  );
  if (result.finding === undefined) continue;
  // The next short run executes it too.
  const folder = join(import.meta.dirname, 'corpus', target.name);
  const file = join(folder, `fault-${seed}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, result.finding.input, 'latin1');
  process.stdout.write(`FAULT: ${file}\n${(result.finding.error as Error).stack}\n`);
  process.exitCode = 1;
}
process.exit();
