/**
 * One container as a process: its own root file system, mounts, user and process namespace, made with unshare(1).
 *
 * Needs root. Without it, paths in arguments and environment are rewritten to the folders of the volumes
 * instead: the same processes then run without read-only mounts and as the user of the test.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { isAllowed } from './allowed.ts';
import { childrenOf } from './processes.ts';
import { binary } from './program.ts';
import { until } from './wait.ts';

/** Whether containers are isolated here. */
export const isolated = isAllowed('containers with mounts and users of their own', [
  ...(['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', 'sh', '-c'] as const),
  'mount -t tmpfs tmpfs /dev/shm && mount -t proc proc /proc && setpriv --reuid=65532 --bounding-set=-all true',
]);

export interface Mount {
  /** A folder of the host. */
  readonly from: string;
  readonly to: string;
  readonly readOnly: boolean;
}

export interface ContainerSpec {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** An empty folder to build the root file system in. */
  readonly root: string;
  readonly readOnlyRoot: boolean;
  readonly user: { readonly uid: number; readonly gid: number };
  /** The pid, on the host, of a process in the namespace to join; undefined: a new one. */
  readonly joins: number | undefined;
}

export interface Container {
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  readonly log: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
}

export function startContainer(spec: ContainerSpec): Container {
  const [program = '', ...words] = isolated ? isolatedCommand(spec) : rewritten(spec);
  const child = spawn(program, words, {
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      ...(isolated ? spec.env : rewrittenEnv(spec)),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  }
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return { ended, log: () => log, kill: (signal) => killInside(child, signal) };
}

/** The process that keeps a shared namespace alive; resolves with its pid on the host. */
export async function startPause(): Promise<{ readonly pid: number | undefined; readonly stop: () => void }> {
  if (!isolated) return { pid: undefined, stop: () => {} };
  const child = spawn('unshare', ['--pid', '--fork', '--kill-child', 'sleep', 'infinity'], {
    stdio: 'ignore',
  });
  await until('a process in a PID namespace of its own', () => innerPid(child) !== undefined);
  return { pid: innerPid(child), stop: () => child.kill('SIGKILL') };
}

function isolatedCommand({
  command,
  mounts,
  root,
  readOnlyRoot,
  user,
  joins,
}: ContainerSpec): readonly string[] {
  const script = [
    'set -e; umask 022',
    `mount -t tmpfs -o mode=0755 root ${quoted(root)}; cd ${quoted(root)}`,
    // The programs of the host represent those of an image. podsecrets is mounted as a single file, because its folder may be closed
    // to this user.
    'for folder in /usr /bin /sbin /lib /lib64 /dev; do if [ -e "$folder" ]; then mkdir -p ".$folder"; mount --rbind "$folder" ".$folder"; fi; done',
    `mkdir -p ${quoted(`.${dirname(binary)}`)}; touch ${quoted(`.${binary}`)}; mount --bind ${quoted(binary)} ${quoted(`.${binary}`)}`,
    // The program may itself be below /tmp.
    'mkdir -p tmp proc; chmod 1777 tmp; mount -t proc proc proc',
    ...mounts.map(({ from, to, readOnly }) => {
      const target = quoted(`.${to}`);
      const bind = `mkdir -p ${target}; mount --bind ${quoted(from)} ${target}`;
      return readOnly ? `${bind}; mount -o remount,bind,ro ${target}` : bind;
    }),
    ...(readOnlyRoot ? ['mount -o remount,ro .'] : []),
    `exec chroot . setpriv --reuid=${user.uid} --regid=${user.gid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"`,
  ].join('\n');
  const own = [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    ...(joins === undefined ? ['--pid', '--fork', '--kill-child'] : []),
  ];
  const enter = joins === undefined ? [] : ['nsenter', `--target=${joins}`, '--pid'];
  return [...enter, ...own, 'sh', '-c', script, 'sh', ...command];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function rewritten({ command, mounts }: ContainerSpec): readonly string[] {
  return command.map((word) => rewrittenText(word, mounts));
}

function rewrittenEnv({ env, mounts }: ContainerSpec): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, rewrittenText(value, mounts)]));
}

function rewrittenText(text: string, mounts: readonly Mount[]): string {
  return mounts.reduce(
    (now, { from, to }) => now.replaceAll(new RegExp(`(?<=^|[= ])${to}(?=$|[/= ])`, 'g'), from),
    text,
  );
}

/** The container's process is the child of the program that made its namespace. */
function killInside(child: ChildProcess, signal: NodeJS.Signals): void {
  const pid = isolated ? innerPid(child) : child.pid;
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    // It has exited.
  }
}

function innerPid(child: ChildProcess): number | undefined {
  return childrenOf(child.pid ?? 0)[0];
}
