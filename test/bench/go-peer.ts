/** The Go program of test/bench/peers/go, built where Go is installed. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The executable, in a directory of its own below the temporary files; undefined without Go or its module proxy. */
export function buildGoPeer(): string | undefined {
  const output = join(mkdtempSync(join(tmpdir(), 'podsecrets-go-peer-')), 'peer');
  const PATH = `${process.env.PATH}:/usr/local/go/bin`;
  const { status } = spawnSync('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', output, '.'], {
    cwd: join(import.meta.dirname, 'peers/go'),
    env: { ...process.env, PATH, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return status === 0 ? output : undefined;
}
