/** The faults of the matrix: how each is made, and what the built program must do at the start and in a refresh. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { FakeAwsProcess } from '../fake-aws/client.ts';
import type { Misbehaviour } from '../fake-aws/faults.ts';
import type { Sandbox } from '../support/sandbox.ts';

export interface Scene {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
  /** Of the run that has the fault. */
  readonly env: Record<string, string>;
  readonly args: string[];
}

/** The end of the last line or of the message; undefined: the fault does no harm. 'not applicable': no such cell. */
type Expected = string | undefined | 'not applicable';

export interface FaultRow {
  readonly area: string;
  readonly fault: string;
  readonly make: (scene: Scene) => unknown;
  /** The problem's code. */
  readonly start: Expected;
  readonly refresh: Expected;
}

const secrets = { service: 'secretsmanager' } as const;
const agent = { service: 'agent' } as const;

/** A fault of the fake AWS, in the calls for a secret. */
function answers(area: string, fault: string, does: Misbehaviour, code: Expected): FaultRow {
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

export const faultRows: readonly FaultRow[] = [
  starts('DNS', 'no such host', ({ env }) => (env.AWS_ENDPOINT_URL = 'http://none.invalid'), 'fetch.network'),
  starts('TCP', 'refused', ({ env }) => (env.AWS_ENDPOINT_URL = 'http://127.0.0.1:1'), 'fetch.network'),
  answers('TCP', 'closed before the response', { kind: 'cut', at: 'before-headers' }, 'fetch.network'),
  answers('TCP', 'closed in the response', { kind: 'cut', at: 'mid-body' }, 'fetch.network'),
  starts(
    'TLS',
    'the server has no TLS',
    ({ env }) => (env.AWS_ENDPOINT_URL = (env.AWS_ENDPOINT_URL as string).replace('http:', 'https:')),
    'fetch.network',
  ),
  answers('HTTP', 'no response', { kind: 'hang' }, 'fetch.network'),
  answers('HTTP', '500', { kind: 'server-error' }, 'fetch.server'),
  answers('HTTP', '503', { kind: 'server-error', status: 503 }, 'fetch.server'),
  answers('HTTP', 'a page of a proxy', { kind: 'server-error', body: 'html' }, 'fetch.server'),
  answers('HTTP', 'throttled', { kind: 'throttle' }, 'fetch.throttled'),
  ...garbage.map((shape) => answers('bodies', shape, { kind: 'garbage', shape }, 'fetch.')),
  answers('credentials', 'denied', { kind: 'error', code: 'AccessDeniedException' }, 'fetch.denied'),
  answers('credentials', 'expired', { kind: 'expired' }, 'credentials.expired'),
  ofAgent('the agent refuses', { kind: 'error', code: 'AccessDeniedException' }, 'credentials.agent'),
  ofAgent('the agent does not respond', { kind: 'hang' }, 'credentials.agent'),
  {
    area: 'clock',
    fault: 'ten minutes behind AWS',
    make: ({ aws }) => aws.advanceClock({ ms: 600_000 }),
    start: undefined,
    refresh: undefined,
  },
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
];
