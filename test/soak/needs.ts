/** What cells of the fault matrix need from the machine. */

import { spawnSync } from 'node:child_process';
import { openCgroup } from '../support/cgroup.ts';
import { canStepClock } from '../support/stepped-clock.ts';
import type { Need } from './fault-rows.ts';

/** To mount. */
export const root: Need = { what: 'root', isThere: () => process.getuid?.() === 0 };

export const pidsCgroup: Need = {
  what: 'the right to make a pids cgroup',
  isThere() {
    const group = openCgroup('pids', '');
    void group?.remove();
    return group !== undefined;
  },
};

export const compiler: Need = { what: 'a C compiler', isThere: canStepClock };

export const timeNamespace: Need = {
  what: 'a time namespace',
  isThere: () =>
    spawnSync('unshare', ['-Tf', '--boottime', '86400', 'true'], { stdio: 'ignore' }).status === 0,
};
