/** A directory for one test, on a real tmpfs, removed when the test's process ends. */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';

const made: string[] = [];

process.on('exit', () => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** An empty directory that any user may pass through. */
export function scratch(): string {
  const dir = mkdtempSync('/dev/shm/podsecrets-test-');
  made.push(dir);
  chmodSync(dir, 0o755);
  return dir;
}
