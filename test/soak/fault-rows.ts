/** The faults of the matrix: how each is made, and what the built program must do at the start and in a refresh. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import type { FakeAwsProcess } from '../fake-aws/client.ts';
import type { Misbehaviour } from '../fake-aws/faults.ts';
import type { Cgroup } from '../support/cgroup.ts';
import { run } from '../support/program.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { hookRows } from './hook-rows.ts';
import { injectRows } from './inject-rows.ts';
import { kubernetesRows } from './kubernetes-rows.ts';
import { machineRows } from './machine-rows.ts';

export interface Scene {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
  /** Of the run that has the fault. */
  readonly env: Record<string, string>;
  readonly args: string[];
  /** Of the sidecar that the refresh is for; undefined before a start. */
  readonly sidecar: Sidecar | undefined;
  /** Runs after the cell. */
  readonly after: (() => unknown)[];
  /** The words before the arguments of the program. Default: the program. */
  command: readonly [string, ...string[]] | undefined;
  /** Of the program, for a limit that a row changes. */
  group: Cgroup | undefined;
}

/** The code at the end of the last line or of the message; undefined: the fault has no effect. 'not applicable': no such cell. */
type Expected = string | undefined | 'not applicable';

/** What a cell needs from the machine. */
export interface Need {
  readonly what: string;
  readonly isThere: () => boolean;
}

export interface FaultRow {
  readonly area: string;
  readonly fault: string;
  /** Before the program starts: sets its command, its variables and its arguments. */
  readonly prepare?: (scene: Scene) => unknown;
  readonly make: (scene: Scene) => unknown;
  /** The problem's code. */
  readonly start: Expected;
  readonly refresh: Expected;
  /** Parts of the config in addition to its object. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Parts of the class in addition to its parameters. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** The size of a tmpfs of its own for everything in the scene. */
  readonly volume?: string;
  /** The secret has a new value in the refresh. */
  readonly rotates?: true;
  /** Of the sidecar of the refresh. */
  readonly sidecarArgs?: readonly string[];
  /** The command that starts. Default: init. */
  readonly starts?: 'sidecar' | 'inject';
  /** The fault itself leads to the refresh; no SIGHUP does. */
  readonly refreshes?: true;
  /** What the sidecar logs after the refresh. */
  readonly then?: string;
  /** How many of the usual limits of a wait the cell needs. Default: 1. */
  readonly waits?: number;
  /** A cell that cannot run is written as not run. */
  readonly needs?: Need;
}

const secrets = { service: 'secretsmanager' } as const;
const agent = { service: 'agent' } as const;

/** A fault of the fake AWS, in the calls for a secret. */
function inResponse(area: string, fault: string, does: Misbehaviour, code: Expected): FaultRow {
  return { area, fault, make: ({ aws }) => aws.addFault({ on: secrets, does }), start: code, refresh: code };
}

/** A fault of the process that starts: of its variables and arguments. */
function starts(area: string, fault: string, make: (scene: Scene) => unknown, code: Expected): FaultRow {
  return { area, fault, make, start: code, refresh: 'not applicable' };
}

/** A fault of the agent: in a refresh the credentials of the start are still valid. */
function ofAgent(fault: string, does: Misbehaviour, code: Expected): FaultRow {
  return {
    area: 'credentials',
    fault,
    make: ({ aws }) => aws.addFault({ on: agent, does }),
    start: code,
    refresh: undefined,
  };
}

const garbage = ['not-json', 'truncated', 'no-value', 'numbers', 'null', 'list', 'empty', 'huge'] as const;
const token = ({ env }: Scene): string => env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE as string;

/** A failing region, with another one to read from. */
function ofRegion(
  fault: string,
  region: string | undefined,
  does: Misbehaviour,
  start: Expected,
  refresh: Expected,
): FaultRow {
  const on = region === undefined ? secrets : { ...secrets, region };
  const parameters = { failoverRegion: 'eu-central-1' };
  return { area: 'region', fault, parameters, make: ({ aws }) => aws.addFault({ on, does }), start, refresh };
}

/** The sidecar has the directory. */
async function asFirstWriter({ box, env, after }: Scene): Promise<void> {
  const first = await startSidecar(['--config', `${box.config}=${box.dir}`], env);
  after.push(async () => {
    process.kill(first.pid, 'SIGTERM');
    await first.ended();
  });
  await first.event('sidecar.ready');
}

async function asSecondWriter({ box, env }: Scene): Promise<void> {
  const { lastLine } = await run(
    ['init', '--config', `${box.config}=${box.dir}`, '--start-timeout', '1s'],
    env,
  );
  if (!lastLine.includes('[publish.locked]')) throw new Error(`expected publish.locked, got ${lastLine}`);
}

async function takePort({ args, after }: Scene): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after.push(() => server.close());
  args.push('--listen', `127.0.0.1:${(server.address() as AddressInfo).port}`);
}

export const faultRows: readonly FaultRow[] = [
  starts('DNS', 'no such host', ({ env }) => (env.AWS_ENDPOINT_URL = 'http://none.invalid'), 'fetch.network'),
  starts('TCP', 'refused', ({ env }) => (env.AWS_ENDPOINT_URL = 'http://127.0.0.1:1'), 'fetch.network'),
  inResponse('TCP', 'closed before the response', { kind: 'cut', at: 'before-headers' }, 'fetch.network'),
  inResponse('TCP', 'closed in the response', { kind: 'cut', at: 'mid-body' }, 'fetch.network'),
  starts(
    'TLS',
    'the server has no TLS',
    ({ env }) => (env.AWS_ENDPOINT_URL = (env.AWS_ENDPOINT_URL as string).replace('http:', 'https:')),
    'fetch.network',
  ),
  inResponse('HTTP', 'no response', { kind: 'hang' }, 'fetch.network'),
  inResponse('HTTP', '500', { kind: 'server-error' }, 'fetch.server'),
  inResponse('HTTP', '503', { kind: 'server-error', status: 503 }, 'fetch.server'),
  inResponse('HTTP', 'a page of a proxy', { kind: 'server-error', body: 'html' }, 'fetch.server'),
  inResponse('HTTP', 'throttled', { kind: 'throttle' }, 'fetch.throttled'),
  ...garbage.map((shape) => inResponse('bodies', shape, { kind: 'garbage', shape }, 'fetch.')),
  inResponse('credentials', 'denied', { kind: 'error', code: 'AccessDeniedException' }, 'fetch.denied'),
  inResponse('credentials', 'expired', { kind: 'expired' }, 'credentials.expired'),
  ofAgent('the agent denies access', { kind: 'error', code: 'AccessDeniedException' }, 'credentials.agent'),
  ofAgent('the agent does not respond', { kind: 'hang' }, 'credentials.agent'),
  starts('tokens', 'missing', (scene) => rmSync(token(scene)), 'credentials.token'),
  starts('tokens', 'empty', (scene) => writeFileSync(token(scene), ''), 'credentials.token'),
  starts(
    'tokens',
    'of another cluster',
    (scene) => writeFileSync(token(scene), 'other'),
    'credentials.agent',
  ),
  starts(
    'tokens',
    'a named pipe',
    (scene) => {
      rmSync(token(scene));
      spawnSync('mkfifo', [token(scene)]);
    },
    'credentials.token',
  ),
  starts(
    'tmpfs',
    'a disk',
    ({ box, args }) => args.push('--config', `${box.config}=/var/tmp/podsecrets-test-${process.pid}`),
    'publish.',
  ),
  {
    area: 'directory',
    fault: 'replaced by another',
    make({ box }) {
      renameSync(box.dir, `${box.dir}-old`);
      mkdirSync(box.dir);
    },
    start: undefined,
    refresh: 'publish.directory',
  },
  {
    area: 'directory',
    fault: 'a file in its place',
    make({ box }) {
      renameSync(box.dir, `${box.dir}-old`);
      writeFileSync(box.dir, '');
    },
    start: 'publish.directory',
    refresh: 'publish.',
  },
  starts('config', 'not YAML', ({ box }) => writeFileSync(box.config, '{'), 'config.'),
  starts('config', 'missing', ({ box }) => rmSync(box.config), 'config.'),
  ofRegion('the primary fails', 'eu-west-1', { kind: 'server-error' }, undefined, undefined),
  ofRegion('the primary does not respond', 'eu-west-1', { kind: 'hang' }, undefined, undefined),
  ofRegion('the failover region fails', 'eu-central-1', { kind: 'server-error' }, undefined, undefined),
  ofRegion(
    'the failover region lacks the secret',
    'eu-central-1',
    { kind: 'error', code: 'ResourceNotFoundException' },
    'fetch.notFound',
    undefined,
  ),
  ofRegion('both fail', undefined, { kind: 'server-error' }, 'fetch.server', 'fetch.server'),
  {
    area: 'directory',
    fault: 'a second writer',
    make: (scene) => (scene.sidecar === undefined ? asFirstWriter(scene) : asSecondWriter(scene)),
    start: 'publish.locked',
    refresh: undefined,
  },
  { ...starts('listener', 'the port is in use', takePort, 'usage.value'), starts: 'sidecar' },
  ...machineRows,
  ...hookRows,
  ...kubernetesRows,
  ...injectRows,
];
