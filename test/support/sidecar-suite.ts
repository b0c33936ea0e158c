/** A suite of tests on built sidecars: one fake AWS for all of them, and for each test a sandbox and the sidecars that it starts. */

import { suite, type Test } from 'uvu';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import type { SecretSeed } from '../fake-aws/seed.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from './sandbox.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';

export interface SidecarFixture {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
  /** The started sidecars, which are killed at the end of the test. */
  readonly sidecars: Sidecar[];
}

export const region = 'eu-west-1';

/** `secrets`: those of the region at the start of each test. */
export function sidecarSuite(
  name: string,
  secrets: Readonly<Record<string, string | SecretSeed>>,
): Test<SidecarFixture> {
  const test = suite<{ -readonly [Name in keyof SidecarFixture]: SidecarFixture[Name] }>(name);
  test.before(async (context) => {
    context.aws = await startFakeAwsProcess({
      identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
      regions: { [region]: { secrets } },
    });
  });
  test.after(({ aws }) => aws.stop());
  test.before.each(async (context) => {
    await context.aws.reset();
    context.box = makeSandbox();
    context.sidecars = [];
  });
  test.after.each(async ({ box, sidecars }) => {
    for (const { child } of sidecars) child.kill('SIGKILL');
    await Promise.all(sidecars.map(({ ended }) => ended()));
    box.remove();
  });
  return test;
}

export interface SidecarCommand {
  /** Variables in addition to those of a pod. */
  readonly env?: Readonly<Record<string, string>>;
  /** Starts the program: see `start` of program.ts. */
  readonly command?: readonly [string, ...string[]];
}

/** A sidecar with the config and the directory of the sandbox, after its first publish. */
export async function startReady(
  fixture: SidecarFixture,
  flags: readonly string[] = [],
  command: SidecarCommand = {},
): Promise<Sidecar> {
  const started = await startUnready(fixture, flags, command);
  await started.event('sidecar.ready');
  return started;
}

/** The same, right after its start. */
export async function startUnready(
  { aws, box, sidecars }: SidecarFixture,
  flags: readonly string[] = [],
  { env = {}, command }: SidecarCommand = {},
): Promise<Sidecar> {
  // No timeout that only a slow machine reaches.
  const args = ['--config', box.config, '--dir', box.dir, '--aws-timeout', '1m', ...flags];
  const started = await startSidecar(args, { ...podIdentityEnv(box, aws, 'pod-token'), ...env }, command);
  sidecars.push(started);
  return started;
}
