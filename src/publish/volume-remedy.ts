/**
 * The volume of a remedy, as declared in a pod spec or docker-compose.yaml.
 */

/** How the containers of a pod mount the volume. */
export const SUBPATH_MOUNTS =
  'mount it whole at /mnt/podsecrets in this container, publish to /mnt/podsecrets/files (--dir, or --config FILE=DIR), which podsecrets creates, and mount it in the application with subPath: files';

/** The options of a volume in docker-compose.yaml, for this user. */
export function composeVolume(user: number): string {
  return `driver_opts { type: tmpfs, device: tmpfs, o: "size=16m,mode=0755,uid=${user},gid=${user}" }`;
}
