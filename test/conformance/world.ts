/**
 * One fetch: an account in the fake AWS, a config, and `podsecrets init` in this process.
 *
 *   const world = await openWorld();
 *   const { code, files } = await world.fetch({ regions: {…}, objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
 *
 * Each fetch has its own account, and its own directory unless it gets that of an earlier one.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Context } from '../../src/commands/context.ts';
import { init } from '../../src/commands/init.ts';
import { exitCodeOf } from '../../src/core/problem.ts';
import type { Fault } from '../fake-aws/faults.ts';
import type { Identity } from '../fake-aws/identities.ts';
import type { Seed } from '../fake-aws/seed.ts';
import { type FakeAws, startFakeAws } from '../fake-aws/server.ts';
import { realClock } from '../support/real-clock.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

export interface Fetch {
  readonly regions: NonNullable<Seed['regions']>;
  /** The actions that the role is denied. */
  readonly deny?: NonNullable<Identity['deny']>;
  readonly faults?: readonly Fault[];
  /** In addition to `usePodIdentity: "true"`; AWS_REGION is eu-west-1. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The text of `objects`, or a list that becomes it. */
  readonly objects: string | readonly object[];
  readonly flags?: readonly string[];
}

interface Fetched {
  readonly code: number;
  /** The thrown error, if the code is not 0. */
  readonly thrown: unknown;
  /** Path to content, as Latin-1: one character for each byte. */
  readonly files: Readonly<Record<string, string>>;
  readonly modes: Readonly<Record<string, string>>;
}

export interface World {
  readonly aws: FakeAws;
  fetch(options: Fetch, box?: Sandbox): Promise<Fetched>;
  close(): Promise<void>;
}

const TOKEN = 'pod-token';

export async function openWorld(): Promise<World> {
  const aws = await startFakeAws();

  async function fetchInto(box: Sandbox, options: Fetch): Promise<Fetched> {
    const { regions, faults = [], deny = [], parameters, objects, flags = [] } = options;
    const app = { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: [TOKEN], deny };
    aws.load({ identities: { app }, regions, faults });
    box.writeConfig({ usePodIdentity: 'true', ...parameters, objects });
    const env = podIdentityEnv(box, aws, TOKEN);
    const outcome = await runInit(['--config', box.config, '--dir', box.dir, ...flags], env);
    const paths = Object.keys(box.files());
    const files = paths.map((path) => [path, readFileSync(join(box.dir, path), 'latin1')]);
    return { ...outcome, files: Object.fromEntries(files), modes: box.modes() };
  }

  return {
    aws,
    async fetch(options, box) {
      const own = box ?? makeSandbox();
      try {
        return await fetchInto(own, options);
      } finally {
        if (box === undefined) own.remove();
      }
    },
    close: () => aws.close(),
  };
}

async function runInit(
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Pick<Fetched, 'code' | 'thrown'>> {
  // No limit for a machine that is only slow.
  const timeout = flags.includes('--aws-timeout') ? [] : ['--aws-timeout', '1m'];
  const command = parseCommand(
    ['init', '--start-timeout', '0s', '--log-level', 'error', ...timeout, ...flags],
    env,
  );
  if (command.kind !== 'run') throw new Error('expected a command that runs');
  const context = {
    ...command.invocation,
    command: 'init',
    env,
    clock: realClock,
    process: { user: process.geteuid?.() ?? 0 },
    start: { problems: [], isDone: () => false },
    stop: new AbortController().signal,
    stdout: { write() {} },
    stderr: { write() {} },
  };
  try {
    return { code: await init(context as unknown as Context), thrown: undefined };
  } catch (thrown) {
    return { code: exitCodeOf(thrown), thrown };
  }
}
