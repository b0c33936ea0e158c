/** The cgroups of a run are the machine's: they outlive its namespaces, and are removed here. */

import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Creates it in every hierarchy, with every controller, as the kubelet requires. */
export function makeCgroup(cgroup: string): void {
  for (const hierarchy of hierarchies()) {
    mkdirSync(join(hierarchy, cgroup));
    // In version 2 controllers must be enabled.
    const controllers = join(hierarchy, 'cgroup.controllers');
    if (!existsSync(controllers)) continue;
    const wanted =
      readFileSync(controllers, 'utf8')
        .match(/\w+/g)
        ?.map((name) => `+${name}`) ?? [];
    for (const parent of [hierarchy, join(hierarchy, cgroup)])
      writeFileSync(join(parent, 'cgroup.subtree_control'), wanted.join(' '));
  }
}

/** Removes the cgroup and those below it, whose processes have ended. */
export function removeCgroup(cgroup: string): void {
  for (const hierarchy of hierarchies()) {
    const all = globSync(`.${cgroup}{,/**}/cgroup.procs`, { cwd: hierarchy });
    // The deepest first. rm -r would try to remove the kernel's files.
    for (const file of all.sort((a, b) => b.length - a.length)) rmdirSync(join(hierarchy, file, '..'));
  }
}

/** Where they are mounted: of version 1 one for each controller, of version 2 one. */
function hierarchies(): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').matchAll(/^\S+ (\S+) cgroup2? /gm);
  return [...mounts].map(([, path = '']) => path);
}
