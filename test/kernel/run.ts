/**
 * `npm run test:kernel`: runs the tests of this folder on a kernel of their own with fs.protected_symlinks=1, as on ordinary
 * nodes. The sysctl applies to the whole machine, so the tests must not change it here. Exits with 3 and names what is
 * missing when nothing could be tested.
 */

import { join } from 'node:path';
import { NOT_TESTED } from '../support/allowed.ts';
import { boot, missingForBoot } from './boot.ts';

const MISSING = 3;
const SYSCTL = '/proc/sys/fs/protected_symlinks';
/** Printed last, with the exit code of the tests. */
const ENDED = 'tests ended with';

const missing = missingForBoot();
if (missing.length > 0) {
  process.stderr.write(
    `!! NOT RUN: the tests on a kernel with fs.protected_symlinks on. ${missing.join('; ')}.\n`,
  );
  process.exitCode = MISSING;
} else {
  const output = await boot(
    [
      `echo 1 > ${SYSCTL}; echo "fs.protected_symlinks is $(cat ${SYSCTL}) in Linux $(uname -r)"`,
      `cd '${join(import.meta.dirname, '../..')}'`,
      `'${process.execPath}' --no-warnings test/run.ts --kernel`,
      `echo "${ENDED} $?"`,
    ],
    '1G',
  );
  const hasPassed =
    output.includes('fs.protected_symlinks is 1 in ') &&
    output.includes(`${ENDED} 0`) &&
    !output.includes(NOT_TESTED);
  process.exitCode = hasPassed ? 0 : 1;
}
