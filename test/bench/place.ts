/** The environment of the bench: fake AWS servers in separate processes, a config and a tmpfs directory for each run. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { authorityWithServer } from '../fake-aws/certificate.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { irsaEnv, makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import type { Traffic } from './delay.ts';

/** The variables that the image sets. */
const imageEnv = Object.fromEntries(
  [...readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8').matchAll(/^ENV (.+)$/gm)].flatMap(
    ([, line = '']) => line.split(' ').map((assignment) => assignment.split('=')),
  ),
) as Readonly<Record<string, string>>;

/** The fake AWS has the second core to itself, so that it and what is measured do not wait for each other. */
export const twoCores = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** The command, on the first core where that can be had. */
export function pinned(command: readonly string[]): readonly string[] {
  return twoCores ? ['taskset', '-c', '0', ...command] : command;
}

function moveToSecondCore(pid: number | undefined): void {
  if (twoCores) execFileSync('taskset', ['-a', '-c', '-p', '1', String(pid)], { stdio: 'ignore' });
}

/** AWS over TLS 1.3 by host name, and the Pod Identity agent over plain HTTP, as on a node of EKS. */
export interface TlsAws extends FakeAwsProcess {
  /** The authority to trust, in PEM. */
  readonly ca: string;
}

const role = 'arn:aws:iam::111122223333:role/app';

/** So many secrets and parameters; `secretOf`: the value of each secret. */
export async function openTlsAws(
  count = 200,
  secretOf: (n: number) => string = (n) => `value of secret ${n}`,
): Promise<TlsAws> {
  const { authority, ...tls } = authorityWithServer();
  const aws = await startFakeAwsProcess(
    {
      identities: {
        app: { role, podIdentityTokens: ['pod-token'], webIdentityTokens: ['web-token'] },
      },
      regions: {
        'eu-west-1': {
          secrets: Object.fromEntries(numbered(count, (n) => [`secret-${n}`, secretOf(n)])),
          parameters: Object.fromEntries(
            numbered(count, (n) => [`/parameter-${n}`, `value of parameter ${n}`]),
          ),
        },
      },
    },
    { tls: { ...tls, ca: authority } },
  );
  moveToSecondCore(aws.pid);
  const url = aws.url.replace('127.0.0.1', 'localhost');
  await checkTls(new URL(url), authority);
  return { ...aws, ca: authority, url };
}

/** Throws unless the connection is that of production. */
async function checkTls({ hostname, port }: URL, ca: string): Promise<void> {
  const socket = connect({ host: hostname, port: Number(port), servername: hostname, ca });
  await once(socket, 'secureConnect');
  const protocol = socket.getProtocol();
  socket.destroy();
  if (protocol !== 'TLSv1.3') throw new Error(`expected TLSv1.3, got ${protocol}`);
}

/** AWS behind a network. */
export interface DistantAws extends TlsAws {
  /** Ends the network, AWS does not end; returns what went over it. */
  disconnect(): Promise<Traffic>;
}

/** The same AWS, `rtt` milliseconds away; the Pod Identity agent stays on the node. */
export async function atDistance(aws: TlsAws, rtt: number): Promise<DistantAws> {
  const port = new URL(aws.url).port;
  const script = join(import.meta.dirname, 'delay.ts');
  const child = spawn(process.execPath, ['--no-warnings', script, port, String(rtt)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  moveToSecondCore(child.pid);
  const [delayed] = await once(child.stdout, 'data');
  return {
    ...aws,
    url: aws.url.replace(port, String(delayed).trim()),
    async disconnect() {
      child.stdin.end();
      return JSON.parse(await text(child.stdout)) as Traffic;
    },
  };
}

export interface Place {
  readonly box: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  /** The arguments of a command over this place. */
  args(command: 'init' | 'sidecar' | 'exec', ...flags: readonly string[]): readonly string[];
  /** Removes what was published. */
  empty(): void;
}

/** A config of so many secrets and parameters, and the environment of a pod. */
export function openPlace(
  aws: TlsAws,
  secrets: number,
  parameters: number,
  identity: 'pod' | 'irsa' = 'pod',
): Place {
  const box = makeSandbox();
  const objects = [
    ...numbered(secrets, (n) => ({ objectName: `secret-${n}`, objectType: 'secretsmanager' })),
    ...numbered(parameters, (n) => ({
      objectName: `/parameter-${n}`,
      objectType: 'ssmparameter',
      objectAlias: `parameter-${n}`,
    })),
  ];
  box.writeConfig({ usePodIdentity: String(identity === 'pod'), objects });
  return {
    box,
    env: {
      ...imageEnv,
      ...(identity === 'pod' ? podIdentityEnv(box, aws, 'pod-token') : irsa(box, aws)),
      AWS_CA_BUNDLE: box.write('ca.pem', aws.ca),
    },
    args: (command, ...flags) => [command, '--config', box.config, '--dir', box.dir, ...flags],
    empty() {
      rmSync(box.dir, { recursive: true });
      mkdirSync(box.dir);
    },
  };
}

/** STS has another host name than the services, so that it needs a separate connection, as in AWS. */
function irsa(box: Sandbox, aws: TlsAws): Record<string, string> {
  return {
    ...irsaEnv(box, aws, role, 'web-token'),
    AWS_ENDPOINT_URL_STS: aws.url.replace('localhost', '127.0.0.1'),
  };
}

export function numbered<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
