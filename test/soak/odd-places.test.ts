/** The built sidecar where its program file, its descriptors, its folder or /proc is not as usual: it starts, and it rotates. */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isAllowed } from '../support/allowed.ts';
import { binary } from '../support/program.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { region, sidecarSuite, startReady } from '../support/sidecar-suite.ts';
import { until } from '../support/wait.ts';

const places = sidecarSuite('a sidecar in an odd place', { a: 'one' });
places.before.each(({ box }) => {
  box.writeConfig({ objects: [{ objectName: 'a', objectType: 'secretsmanager' }] });
});

interface Place {
  /** The words before the arguments of the program. */
  readonly command: (box: Sandbox) => readonly [string, ...string[]];
  /** Happens between the first publish and the change. */
  readonly change?: (box: Sandbox) => void;
  /** What the test needs, if it is not always allowed. */
  readonly needs?: readonly [string, ...string[]];
}

/** A copy of the program, which the test may change. */
const copy = (box: Sandbox) => join(box.root, 'podsecrets');

/** Starts the program after a script of the shell. */
const after = (script: string, ...more: readonly string[]): readonly [string, ...string[]] => [
  'sh',
  '-c',
  `${script} && exec "$@"`,
  'sh',
  ...more,
  binary,
];

const PLACES: Readonly<Record<string, Place>> = {
  'whose program file was deleted': {
    command: (box) => [copied(box)],
    change: (box) => rmSync(copy(box)),
  },
  'whose program file was replaced by another version': {
    command: (box) => [copied(box)],
    change(box) {
      rmSync(copy(box));
      writeFileSync(copy(box), '#!/bin/sh\nexit 9\n', { mode: 0o755 });
    },
  },
  'whose standard input is closed': { command: () => after('exec <&-') },
  'whose standard input and output are closed': { command: () => after('exec <&- >&-') },
  'with open descriptors of other programs': {
    command: () => after('exec 3</dev/null 4</dev/null 9</dev/null'),
  },
  'whose working directory was removed': {
    command(box) {
      const folder = join(box.root, 'gone');
      mkdirSync(folder);
      return after(`cd ${folder} && rmdir ${folder}`);
    },
  },
  'with an empty PATH': { command: () => after('PATH=') },
  'whose argv[0] is empty': { command: () => ['bash', '--norc', '-c', 'exec -a "" "$0" "$@"', binary] },
  'where /proc is not mounted': {
    command: () => ['unshare', '--mount', '--propagation', 'private', ...after('umount -l /proc')],
    needs: ['unshare', '--mount', '--propagation', 'private', 'umount', '-l', '/proc'],
  },
};

function copied(box: Sandbox): string {
  copyFileSync(binary, copy(box));
  return copy(box);
}

for (const [what, { command, change, needs }] of Object.entries(PLACES)) {
  places(`a sidecar ${what} publishes a change`, async (context) => {
    const { aws, box } = context;
    if (needs !== undefined && !isAllowed(`a sidecar ${what}`, needs)) return;
    const running = await startReady(context, [], { command: command(box) });
    change?.(box);
    await aws.putSecret({ region, name: 'a', string: 'two' });
    process.kill(running.pid, 'SIGHUP');
    await until(
      () => `the new value, got:\n${running.stderr()}`,
      () => running.hasEnded() || box.files().a === 'two',
    );
    assert.equal(box.files(), { a: 'two' });
    process.kill(running.pid, 'SIGTERM');
    assert.is((await running.ended()).code, 0);
  });
}

places.run();
