/** Commands of `podsecrets exec --on-change`, each in a sandbox with a secret `db` that is the variable DB_PASSWORD and the file password. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { canary } from './canary.ts';
import { type Running, start } from './program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from './sandbox.ts';

export const region = 'eu-west-1';
export const password = {
  objectName: 'db',
  objectType: 'secretsmanager',
  objectAlias: 'password',
  env: 'DB_PASSWORD',
};

export interface OnChange {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
  readonly started: Running[];
}

/** A suite whose tests start commands, which do not outlive the test. */
export function onChangeSuite(name: string) {
  const exec = suite<{ aws: FakeAwsProcess; box: Sandbox; started: Running[] }>(name);
  exec.before(async (context) => {
    context.aws = await startFakeAwsProcess({
      identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
      regions: { [region]: { secrets: { db: canary('one'), other: 'x' } } },
    });
  });
  exec.after(({ aws }) => aws.stop());
  exec.before.each(async (context) => {
    await context.aws.reset();
    context.box = makeSandbox();
    context.box.writeConfig({ objects: [password] });
    context.started = [];
  });
  exec.after.each(async ({ box, started }) => {
    for (const running of started) {
      // The command of a killed podsecrets would stay.
      const pid = commandPid(box);
      if (pid !== undefined && !running.hasEnded()) process.kill(pid, 'SIGKILL');
      await running.ended();
    }
    box.remove();
  });
  return exec;
}

/** The words after `podsecrets`. The script runs in the sandbox, and first writes its pid. */
export function wordsOf(
  { box }: Pick<OnChange, 'box'>,
  onChange: string,
  script: string,
  flags: readonly string[] = [],
): readonly string[] {
  const defaults = {
    '--interval': '1s',
    '--start-timeout': '0s',
    '--aws-timeout': '1m',
    '--log-level': 'debug',
  };
  const times = Object.entries(defaults)
    .filter(([flag]) => !flags.includes(flag))
    .flat();
  const command = ['sh', '-c', `cd ${box.root}; echo $$ > pid; ${script}`];
  return ['exec', '--config', box.config, '--on-change', onChange, ...times, ...flags, '--', ...command];
}

/** Starts it. */
export function running(
  fixture: OnChange,
  onChange: string,
  script: string,
  flags: readonly string[] = [],
): Running {
  const { aws, box, started } = fixture;
  const one = start(wordsOf(fixture, onChange, script, flags), podIdentityEnv(box, aws, 'pod-token'));
  started.push(one);
  return one;
}

export function commandPid({ root }: Sandbox): number | undefined {
  const text = textOf(root, 'pid');
  return text === '' ? undefined : Number(text);
}

/** The text of a file in the sandbox; empty without one. */
export function textOf(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}

/** A script that does not end. */
export const waits = 'while :; do sleep 0.05; done';

export function change(aws: FakeAwsProcess): Promise<unknown> {
  return aws.putSecret({ region, name: 'db', string: canary('two') });
}
