/** What a start and a refresh cost by the number of objects, as counts and as memory: for tests that it grows no faster. */

import * as assert from 'uvu/assert';
import type { FakeAwsProcess } from '../fake-aws/client.ts';
import type { Seed } from '../fake-aws/seed.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
import { type Recording, recordRun } from './recording.ts';

export interface Cost {
  readonly calls: number;
  readonly connections: number;
  /** Bytes of requests and responses, without headers. */
  readonly bytes: number;
  /** Peak of resident memory, in KiB. */
  readonly peak: number;
}

const small = (n: number): string => `value ${n}`;

/** So many secrets and parameters; `secretOf`: the value of each secret. */
export function seedOf(count: number, secretOf: (n: number) => string = small): Seed {
  const named = (prefix: string, textOf: (n: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, textOf(n)]));
  return {
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: {
      'eu-west-1': { secrets: named('secret-', secretOf), parameters: named('/parameter-', small) },
    },
  };
}

/** Half of the objects are secrets, half are parameters; of one object, a secret. */
export function objectsOf(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) =>
    n % 2 === 0
      ? { objectName: `secret-${n}`, objectType: 'secretsmanager' }
      : { objectName: `/parameter-${n}`, objectType: 'ssmparameter' },
  );
}

/** The cost of a start by `init`, and of a refresh that finds no change. */
export async function costsOf(
  aws: FakeAwsProcess,
  objects: readonly object[],
): Promise<{ readonly start: Cost; readonly refresh: Cost }> {
  const box = makeSandbox();
  try {
    box.writeConfig({ usePodIdentity: 'true', objects });
    const env = podIdentityEnv(box, aws, 'pod-token');
    const place = ['--config', box.config, '--dir', box.dir];
    await aws.clearCalls();
    const start = await costOf(aws, await recordRun(['init', ...place], env));

    const args = ['sidecar', ...place, '--log-level', 'debug', '--listen', '127.0.0.1:0'];
    let refreshing = false;
    const { worker, code, stderr } = await recordRun(args, env, (stderr, kill) => {
      if (stderr.includes('"publish.unchanged"')) kill();
      if (refreshing || !stderr.includes('"publish.verified"')) return;
      refreshing = true;
      void aws.clearCalls().then(() => kill('SIGHUP'));
    });
    assert.is(code, 0, stderr);
    assert.ok(worker);
    return { start, refresh: await costOf(aws, { ...worker, code, stderr }) };
  } finally {
    box.remove();
  }
}

async function costOf(aws: FakeAwsProcess, { code, stderr, peak }: Recording): Promise<Cost> {
  assert.is(code, 0, stderr);
  const calls = (await aws.calls()).filter(({ service }) => service !== 'agent');
  return {
    calls: calls.length,
    connections: new Set(calls.map(({ connection }) => connection)).size,
    bytes: calls.reduce((sum, { received, sent }) => sum + received + sent, 0),
    peak,
  };
}
