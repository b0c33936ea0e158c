/** Faults of the machine: clocks, suspension, limits of processes, the volume. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { openCgroup } from '../support/cgroup.ts';
import { binary } from '../support/program.ts';
import { type SteppedClock, steppedClock } from '../support/stepped-clock.ts';
import { until } from '../support/wait.ts';
import type { FaultRow, Scene } from './fault-rows.ts';
import { compiler, pidsCgroup, root, timeNamespace } from './needs.ts';

const DAY = 86_400;

/** The clock of AWS is ahead. */
const behind = (fault: string, seconds: number): FaultRow => ({
  area: 'clock',
  fault,
  make: ({ aws }) => aws.advanceClock({ ms: seconds * 1000 }),
  start: undefined,
  refresh: undefined,
});

const clocks = new WeakMap<object, SteppedClock>();

/** The wall clock of the program is wrong at its start, and steps before a refresh; credentials last six hours. */
function stepped(fault: string, seconds: number, code: string | undefined): FaultRow {
  return {
    area: 'clock',
    fault,
    needs: compiler,
    prepare({ env }) {
      const clock = steppedClock();
      Object.assign(env, clock.env);
      clocks.set(env, clock);
    },
    make: ({ env }) => clocks.get(env)?.step(seconds),
    start: code,
    refresh: code,
  };
}

/** The state of a process is the letter after its name. */
const isStopped = (pid: number): boolean => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

async function stop(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until("the end of the sidecar's work", () => isStopped(pid));
}

const suspensions: readonly FaultRow[] = [
  {
    area: 'signals',
    fault: 'suspended (SIGSTOP), and a request meanwhile',
    async make({ sidecar }) {
      if (sidecar === undefined) return;
      await stop(sidecar.pid);
      process.kill(sidecar.pid, 'SIGHUP');
      process.kill(sidecar.pid, 'SIGCONT');
    },
    start: 'not applicable',
    refresh: undefined,
    refreshes: true,
  },
  {
    area: 'signals',
    fault: 'suspended (SIGSTOP) for longer than the interval and the credentials',
    sidecarArgs: ['--interval', '3s'],
    async make({ aws, sidecar }) {
      if (sidecar === undefined) return;
      await stop(sidecar.pid);
      const due = uptime() + 4;
      await aws.expireCredentials();
      await until('the end of the interval', () => uptime() > due);
      process.kill(sidecar.pid, 'SIGCONT');
    },
    start: 'not applicable',
    refresh: undefined,
    refreshes: true,
  },
  {
    // Timers stop with the machine, and the boot-time clock goes on. Node reads it from this file.
    area: 'clock',
    fault: 'the machine was suspended for a day',
    needs: root,
    prepare(scene) {
      const command = 'mount --bind "$0" /proc/uptime && exec "$@"';
      scene.command = ['unshare', '-m', 'sh', '-c', command, bootTime(scene, 0), binary];
    },
    async make(scene) {
      if (scene.sidecar === undefined) return;
      await scene.sidecar.rests();
      await stop(scene.sidecar.pid);
      bootTime(scene, DAY);
      process.kill(scene.sidecar.pid, 'SIGCONT');
    },
    start: 'not applicable',
    refresh: undefined,
    refreshes: true,
    waits: 3,
  },
  {
    area: 'clock',
    fault: 'a time namespace, booted a day ago',
    needs: timeNamespace,
    make(scene) {
      const day = String(DAY);
      scene.command = ['unshare', '-Tf', '--boottime', day, '--monotonic', day, binary];
    },
    start: undefined,
    refresh: 'not applicable',
  },
];

function bootTime({ box }: Scene, ahead: number): string {
  return box.write('uptime', `${(uptime() + ahead).toFixed(2)} 0.00\n`);
}

const PIDS = 'pids.max';

const limits: readonly FaultRow[] = [
  {
    area: 'limits',
    fault: 'no further process or thread (pids cgroup)',
    needs: pidsCgroup,
    prepare(scene) {
      const group = openCgroup('pids', binary);
      if (group === undefined) throw new Error('expected a cgroup');
      scene.group = group;
      scene.command = group.command;
      scene.after.push(group.remove);
    },
    make({ group, sidecar }) {
      group?.write(PIDS, sidecar === undefined ? '1' : group.read('pids.current'));
    },
    // V8 needs threads before the program begins.
    start: 'SIGABRT',
    refresh: 'sync.killed',
  },
  {
    area: 'limits',
    fault: 'files of 1 byte (RLIMIT_FSIZE)',
    make(scene) {
      scene.command = ['prlimit', '--fsize=1', binary];
    },
    start: 'publish.write',
    refresh: 'not applicable',
  },
];

/** A volume of its own, which is changed before the sync. */
function ofVolume(fault: string, make: (scene: Scene) => unknown): FaultRow {
  const code = 'publish.write';
  return {
    area: 'tmpfs',
    fault,
    volume: '256k',
    rotates: true,
    needs: root,
    make,
    start: code,
    refresh: code,
  };
}

const mount = (...words: string[]): void => void spawnSync('mount', words, { stdio: 'inherit' });

const volumes: readonly FaultRow[] = [
  ofVolume('mounted again, read-only', ({ box, sidecar, after }) => {
    if (sidecar === undefined) {
      mount('-o', 'remount,ro', box.root);
      return;
    }
    // The kernel does not remount a volume with a file that is open for writing, as the lock of a sidecar is: mounted over it.
    mount('--bind', box.root, box.root);
    mount('-o', 'remount,bind,ro', box.root);
    after.push(() => spawnSync('umount', [box.root], { stdio: 'inherit' }));
  }),
  ofVolume('full', ({ box }) => fill(box.root)),
];

/** No space is left, of any size. */
function fill(directory: string): void {
  for (const size of [4096, 1]) {
    try {
      for (let at = 0; ; at++) writeFileSync(join(directory, `filler-${size}-${at}`), Buffer.alloc(size));
    } catch {}
  }
}

export const machineRows: readonly FaultRow[] = [
  behind('ten minutes behind AWS', 600),
  behind('a day behind AWS', DAY),
  { ...behind('a day ahead of AWS', -DAY), start: 'credentials.expired' },
  stepped('a day forwards, while AWS is right', DAY, 'credentials.expired'),
  stepped('a day backwards, while AWS is right', -DAY, undefined),
  ...suspensions,
  ...limits,
  ...volumes,
];
