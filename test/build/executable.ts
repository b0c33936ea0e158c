/**
 * A bundle becomes an executable: Node's own `--build-sea` puts it, compiled, into a copy of the Node that runs this.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the executable into the directory `work`; returns its path. */
export function makeExecutable(code: string, work: string): string {
  const output = join(work, 'podsecrets');
  const main = join(work, 'podsecrets.cjs');
  const config = join(work, 'sea.json');
  writeFileSync(main, code);
  writeFileSync(
    config,
    JSON.stringify({
      main,
      output,
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      // NODE_OPTIONS is for another program in the same container, never for this one: a flag unknown here would end it.
      execArgvExtension: 'none',
    }),
  );
  execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  return output;
}
