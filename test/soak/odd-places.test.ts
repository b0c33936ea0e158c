/** The built sidecar where its program file, its descriptors, its folder or /proc is not as usual: it starts, and it rotates. */

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isAllowed } from '../support/allowed.ts';
import { binary, run } from '../support/program.ts';
import { podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
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

/** The end of a script: starts the program as another user, to whom the directory belongs. */
function asUser(box: Sandbox): string {
  for (const folder of [box.root, box.dir]) chmodSync(folder, 0o777);
  return 'exec setpriv --reuid 65532 --regid 65532 --clear-groups "$@"';
}

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
  'whose standard input is a directory': { command: () => after('exec </') },
  'with a umask that takes its own permissions away': {
    command: (box) => ['sh', '-c', `umask 0777 && ${asUser(box)}`, 'sh', binary],
    needs: ['setpriv', '--reuid', '65532', '--clear-groups', 'true'],
  },
  'whose working directory cannot be read': {
    command(box) {
      const folder = join(box.root, 'closed');
      mkdirSync(folder);
      return ['sh', '-c', `cd ${folder} && chmod 0 . && ${asUser(box)}`, 'sh', binary];
    },
    needs: ['setpriv', '--reuid', '65532', '--clear-groups', 'true'],
  },
  'that does not see the processes of others (hidepid=2)': {
    command: (box) => [
      'unshare',
      '--mount',
      ...['sh', '-c', `mount -t proc -o hidepid=2 proc /proc && ${asUser(box)}`, 'sh', binary],
    ],
    needs: ['unshare', '--mount', 'mount', '-t', 'proc', '-o', 'hidepid=2', 'proc', '/proc'],
  },
  'on a read-only root': {
    command: () => ['unshare', '--mount', ...after('mount --bind / / && mount -o remount,bind,ro /')],
    needs: ['unshare', '--mount', 'mount', '--bind', '/', '/'],
  },
  'without HOME, and with an option that Node does not have': {
    command: () => after('export NODE_OPTIONS=--no-such-option; unset HOME'),
  },
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
      () => running.hasEnded() || box.text('a') === 'two',
    );
    assert.equal(box.files(), { a: 'two' });
    process.kill(running.pid, 'SIGTERM');
    assert.is((await running.ended()).code, 0);
  });
}

places(
  'a log line goes nowhere but to standard error if that is closed, and to no file',
  async ({ aws, box }) => {
    const env = podIdentityEnv(box, aws, 'pod-token');
    const words = ['init', '--config', `${box.config}=${box.dir}`];
    const { code } = await run(words, env, after('exec <&- >&- 2>&-'));
    assert.is(code, 0);
    const texts = readdirSync(box.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    assert.ok(texts.length > 2);
    assert.equal(
      texts.filter((text) => text.includes('publish.changed')),
      [],
    );
    assert.equal(box.files(), { a: 'one' });
  },
);

places.run();
