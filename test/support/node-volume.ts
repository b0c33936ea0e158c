/**
 * The volume of a pod as the kubelet mounts it: a real tmpfs, sticky, world-writable and owned by root, at /mnt/podsecrets in a
 * separate mount namespace. Needs root.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isAllowed } from './allowed.ts';
import { binary } from './program.ts';
import { scratch } from './scratch.ts';
import { within } from './wait.ts';

/** Where podsecrets has the volume, where it publishes by default, and where the application finds the files. */
export const VOLUME = '/mnt/podsecrets';
export const FILES = '/mnt/podsecrets/files';
export const APPLICATION = '/mnt/secrets-store';

export interface User {
  readonly uid: number;
  /** Of fsGroup. */
  readonly groups?: readonly number[];
}

export interface NodeVolume {
  /** How the test's own process reaches a path of the namespace. */
  path(inside: string): string;
  /** The command that runs the program as this user in the namespace, or other words, in which `binary` is the program. */
  command(user: User, words?: readonly string[]): readonly [string, ...string[]];
  /** Runs a script there as root; throws when it fails. */
  script(text: string): void;
  /** The output of `cat` as this user; if it fails, its error. */
  read(path: string, user: User): string;
  /** Ends the namespace, and the volume with it. */
  end(): void;
}

export const canMountAsNode = isAllowed('a volume as a node mounts it', [
  ...(['unshare', '--mount', '--propagation', 'private', 'sh', '-c'] as const),
  'mount -t tmpfs tmpfs /mnt && setpriv --reuid=65532 --regid=65532 --clear-groups nsenter --version && nsenter --mount=/proc/$$/ns/mnt true',
]);

/** Mounts it. `fsGroup`: the group that the kubelet sets. */
export async function mountVolume({ fsGroup }: { readonly fsGroup?: number } = {}): Promise<NodeVolume> {
  // The checkout may be in a folder that only its owner can enter.
  const program = join(scratch(), 'program');
  const script = [
    'set -e; umask 022',
    ': > "$1"; mount --bind "$2" "$1"',
    `mount -t tmpfs -o mode=0755 tmpfs /mnt; mkdir ${VOLUME} ${APPLICATION}; mount -t tmpfs tmpfs ${VOLUME}`,
    ...(fsGroup === undefined ? [] : [`chgrp ${fsGroup} ${VOLUME}; chmod g+s ${VOLUME}`]),
    'echo mounted; exec sleep infinity',
  ].join('\n');
  const words = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', program, binary];
  const holder: ChildProcess = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => holder.kill('SIGKILL'));
  const [output] = await within(
    'the volume to be mounted',
    Promise.race([once(holder.stdout as NodeJS.ReadableStream, 'data'), once(holder, 'close')]),
  );
  if (String(output) !== 'mounted\n') throw new Error('expected the volume to be mounted');

  const inside = ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`] as const;
  const command: NodeVolume['command'] = ({ uid, groups = [] }, words = [program]) => [
    ...inside,
    ...['setpriv', `--reuid=${uid}`, `--regid=${uid}`],
    groups.length === 0 ? '--clear-groups' : `--groups=${groups.join()}`,
    ...words.map((word) => (word === binary ? program : word)),
  ];
  return {
    path: (path) => `/proc/${holder.pid}/root${path}`,
    command,
    script(text) {
      const { status, stderr } = spawnSync(inside[0], [inside[1], 'sh', '-ec', text], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${text}: ${stderr}`);
    },
    read(path, user) {
      const [first, ...others] = command(user, ['cat', path]);
      const { status, stdout, stderr } = spawnSync(first, others, { encoding: 'utf8' });
      return status === 0 ? stdout : stderr;
    },
    end: () => void holder.kill('SIGKILL'),
  };
}
