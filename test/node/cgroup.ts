/** The cgroups of a run are the machine's, so they outlive its namespaces and are removed here. */

import { globSync, mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Makes it in every hierarchy, where the kubelet expects it. */
export function makeCgroup(cgroup: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, cgroup));
}

/** Removes the cgroup and those below it, from every hierarchy (v1) or the one (v2). Their processes have ended. */
export function removeCgroup(cgroup: string): void {
  for (const hierarchy of hierarchies()) {
    const all = globSync(`.${cgroup}{,/**}/cgroup.procs`, { cwd: hierarchy });
    // The deepest first. rm -r would try to remove the kernel's files.
    for (const file of all.sort((a, b) => b.length - a.length)) rmdirSync(join(hierarchy, file, '..'));
  }
}

/** Of version 1 one for each controller, of version 2 the only one. */
function hierarchies(): readonly string[] {
  return globSync(['/sys/fs/cgroup/cgroup.procs', '/sys/fs/cgroup/*/tasks']).map(dirname);
}
