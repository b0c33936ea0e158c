/**
 * Rejects a directory in which the kernel may prevent the application from opening the files.
 *
 * Each file that an application opens is a symbolic link of podsecrets. With the sysctl fs.protected_symlinks, which is on in most
 * distributions, the kernel follows a link in a sticky, world-writable directory only for the owner of the link, or if the
 * directory has the owner of the link. So root is rejected too. A tmpfs that is mounted without options, such as an
 * `emptyDir` of medium Memory, is such a directory, and belongs to root. The sysctl itself is not read: it belongs to the
 * node, and the next node may differ.
 */

import { Problem } from '../core/problem.ts';
import type { FileSystem } from './fs.ts';

const STICKY_AND_WORLD_WRITABLE = 0o1002;

/** Throws the Problem of such a directory, unless `user` owns it. `user`: effective uid of the process. */
export function refuseSticky(
  fs: FileSystem,
  dir: string,
  { user, inKubernetes }: { readonly user: number; readonly inKubernetes: boolean },
): void {
  const { mode, uid, dev } = fs.statSync(dir);
  if ((mode & STICKY_AND_WORLD_WRITABLE) !== STICKY_AND_WORLD_WRITABLE || uid === user) return;
  // A mount point is on another device than its parent. Not dirname: `dir` may be a link.
  const isBelowVolume = dev === fs.statSync(`${dir}/..`).dev;
  throw new Problem({
    code: 'publish.sticky',
    subject: dir,
    message: `the directory is sticky, world-writable and owned by uid ${uid}: with fs.protected_symlinks the kernel does not let the application follow the links of uid ${user} in it`,
    remedy: remedy(dir, user, inKubernetes, uid === 0 && isBelowVolume),
  });
}

function remedy(dir: string, user: number, inKubernetes: boolean, isMadeForSubPath: boolean): string {
  if (!inKubernetes)
    return `With docker-compose, give the volume ${composeVolume(user)} and recreate it; elsewhere, publish to a directory below, which podsecrets creates: --dir ${dir}/files.`;
  if (isMadeForSubPath)
    return 'podsecrets must be first in initContainers: the kubelet created this directory for the subPath mount of a container that started earlier. Move podsecrets there and recreate the pod.';
  return `Publish to a directory below the volume: ${SUBPATH_MOUNTS}.`;
}

/** How the containers of a pod mount the volume. */
export const SUBPATH_MOUNTS =
  'mount it whole at /mnt/podsecrets in this container, publish to /mnt/podsecrets/files (--dir, or --config FILE=DIR), which podsecrets creates, and mount it in the application with subPath: files';

/** The options of a volume in docker-compose.yaml, for this user. */
export function composeVolume(user: number): string {
  return `driver_opts { type: tmpfs, device: tmpfs, o: "size=16m,mode=0755,uid=${user},gid=${user}" }`;
}
