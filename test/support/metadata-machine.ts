/**
 * A machine of AWS for tests: a network namespace where the fake AWS responds at the addresses of the instance metadata service
 * and of the ECS agent, so that programs find them as they do on EC2 and ECS.
 */

import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import type { Seed } from '../fake-aws/seed.ts';
import { isAllowed } from './allowed.ts';
import { binary, type Ended, run } from './program.ts';

export interface MetadataMachine {
  /** Where AWS is, for AWS_ENDPOINT_URL. */
  readonly url: string;
  /** What starts a program on the machine: it becomes the program. */
  readonly enter: readonly [string, ...string[]];
  /** Runs podsecrets there to its end. */
  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended>;
  stop(): Promise<void>;
}

const METADATA = '169.254.169.254';
const ECS_AGENT = '169.254.170.2';
const UNSHARE = ['unshare', '--user', '--map-root-user', '--net', 'sh', '-c'] as const;
const script = `ip link set lo up && ip addr add ${METADATA}/32 dev lo && ip addr add ${ECS_AGENT}/32 dev lo`;

/** Starts the machine; undefined, with a message, if namespaces are not allowed. */
export async function startMetadataMachine(what: string, seed: Seed): Promise<MetadataMachine | undefined> {
  if (!isAllowed(what, [...UNSHARE, script])) return undefined;
  const starter = [...UNSHARE, `${script} && exec "$0" "$@"`];
  const aws: FakeAwsProcess = await startFakeAwsProcess(seed, { host: '0.0.0.0', port: 80, starter });
  const target = ['--target', String(aws.pid), '--user', '--net', '--preserve-credentials'];
  const enter = ['nsenter', ...target] as const;
  return {
    url: `http://${METADATA}`,
    enter,
    run: (args, env) => run(args, env, [...enter, binary]),
    stop: aws.stop,
  };
}
