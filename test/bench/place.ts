/** The environment of the bench: fake AWS servers in separate processes, a config and a tmpfs directory for each run. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Certificate, selfSigned } from '../fake-aws/certificate.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { irsaEnv, makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

const MOST = 200;
const seed = {
  identities: {
    app: {
      role: 'arn:aws:iam::111122223333:role/app',
      podIdentityTokens: ['pod-token'],
      webIdentityTokens: ['web-token'],
    },
  },
  regions: {
    'eu-west-1': {
      secrets: Object.fromEntries(numbered(MOST, (n) => [`secret-${n}`, `value of secret ${n}`])),
      parameters: Object.fromEntries(numbered(MOST, (n) => [`/parameter-${n}`, `value of parameter ${n}`])),
    },
  },
};

/** The fake AWS runs on the second core alone, so that it does not compete with the measured program. */
export const twoCores = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** The command, on the first core if taskset allows it. */
export function pinned(command: readonly string[]): readonly string[] {
  return twoCores ? ['taskset', '-c', '0', ...command] : command;
}

/** A fake AWS over http, or with a certificate over TLS. */
export async function openFakeAws(tls?: Certificate): Promise<FakeAwsProcess> {
  const aws = await startFakeAwsProcess(seed, tls === undefined ? {} : { tls });
  if (twoCores) execFileSync('taskset', ['-a', '-c', '-p', '1', String(aws.pid)], { stdio: 'ignore' });
  return aws;
}

/** AWS over TLS by host name, and the Pod Identity agent over plain HTTP, as on a node of EKS. */
export interface TlsAws extends FakeAwsProcess {
  /** The certificate to trust, in PEM. */
  readonly ca: string;
}

export async function openTlsAws(): Promise<TlsAws> {
  const certificate = selfSigned();
  const aws = await openFakeAws(certificate);
  return { ...aws, ca: certificate.cert, url: aws.url.replace('127.0.0.1', 'localhost') };
}

/** The same AWS, `rtt` milliseconds away; the Pod Identity agent stays on the node. */
export async function withRoundTrip(aws: TlsAws, rtt: number): Promise<TlsAws> {
  if (rtt === 0) return { ...aws, stop: async () => {} };
  const port = new URL(aws.url).port;
  const script = join(import.meta.dirname, 'delay.ts');
  const child = spawn(process.execPath, ['--no-warnings', script, port, String(rtt)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [delayed] = await once(child.stdout, 'data');
  return {
    ...aws,
    url: aws.url.replace(port, String(delayed).trim()),
    stop: async () => {
      child.kill();
    },
  };
}

export interface Place {
  readonly box: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  /** The arguments of a command in this place. */
  args(command: 'init' | 'sidecar', ...flags: readonly string[]): readonly string[];
}

/** A config with this number of secrets and parameters, and the environment of a pod. */
export function openPlace(
  aws: FakeAwsProcess | TlsAws,
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
      ...(identity === 'pod' ? podIdentityEnv(box, aws, 'pod-token') : irsa(box, aws)),
      ...('ca' in aws ? { AWS_CA_BUNDLE: box.write('ca.pem', aws.ca) } : {}),
    },
    args: (command, ...flags) => [command, '--config', box.config, '--dir', box.dir, ...flags],
  };
}

/** STS has another host name than the services, so that it needs a separate connection, as in AWS. */
function irsa(box: Sandbox, aws: FakeAwsProcess): Record<string, string> {
  return {
    ...irsaEnv(box, aws, seed.identities.app.role, 'web-token'),
    AWS_ENDPOINT_URL_STS: aws.url.replace('localhost', '127.0.0.1'),
  };
}

export function numbered<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
