/** Every exit code and every signal of a command that `podsecrets exec` became, and of one that is its child. */

import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';

const test = suite('the end of the command of exec');

/** These do not end a process by default. */
const HARMLESS: readonly string[] = [
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGWINCH',
];

for (const [what, flags, bySignal] of [
  ['each exit code from 0 to 255, and each signal that ends a process, is that of the process', [], 1000],
  [
    'as a parent it ends with each exit code from 0 to 255, and 128 and the number of each signal',
    ['--on-change', 'restart'],
    128,
  ],
] as const) {
  test(what, () => compareEnds(flags, bySignal));
}

/** `bySignal`: what is added to the number of a signal; 1000: the process is ended by it too. */
async function compareEnds(flags: readonly string[], bySignal: number): Promise<void> {
  const aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: { 'eu-west-1': { parameters: { '/token': 's3cret' } } },
  });
  const box = makeSandbox();
  try {
    const env = podIdentityEnv(box, aws, 'pod-token');
    const ended = async (script: string) => {
      const { code, signal } = await run(
        ['exec', ...flags, '--set', 'T=/token', '--', 'sh', '-c', script],
        env,
      );
      return signal === null ? code : 1000 + constants.signals[signal as NodeJS.Signals];
    };
    const isDeadly = ([name]: readonly [string, number]) => !HARMLESS.includes(name);
    const numbers = new Set(
      Object.entries(constants.signals)
        .filter(isDeadly)
        .map(([, number]) => number),
    );
    const cases: readonly (readonly [script: string, expected: number])[] = [
      ...Array.from({ length: 256 }, (_, code) => [`exit ${code}`, code] as const),
      ...[...numbers].map((number) => [`ulimit -c 0; kill -${number} $$`, bySignal + number] as const),
    ];
    const queue = [...cases];
    const wrong: unknown[] = [];
    const work = async () => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        const [script, expected] = one;
        const found = await ended(script);
        if (found !== expected) wrong.push({ script, expected, found });
      }
    };
    await Promise.all([work(), work(), work()]);
    assert.equal(wrong, []);
  } finally {
    await aws.stop();
    box.remove();
  }
}

test.run();
