/** The built sidecar where its program file, its descriptors, its folder or /proc is not as usual: it starts, and it rotates. */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { binary } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';

const region = 'eu-west-1';

interface Fixture {
  aws: FakeAwsProcess;
  box: Sandbox;
  running: Sidecar | undefined;
}

const places = suite<Fixture>('a sidecar in an odd place');
places.before.each(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { a: 'one' } } },
  });
  context.box = makeSandbox();
  context.box.writeConfig({ objects: [{ objectName: 'a', objectType: 'secretsmanager' }] });
  context.running = undefined;
});
places.after.each(async ({ aws, box, running }) => {
  running?.child.kill('SIGKILL');
  await running?.ended();
  await aws.stop();
  box.remove();
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
    const args = ['--config', box.config, '--dir', box.dir];
    const running = await startSidecar(args, podIdentityEnv(box, aws, 'pod-token'), command(box));
    context.running = running;
    await running.event('sidecar.ready');
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
