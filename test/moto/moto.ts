/**
 * moto as a separate process: an AWS mock by other authors, which reveals a mistake that both the client and the fake AWS have.
 *
 * It listens on a port that the system chose and ends with the test that started it. It is filled and changed by the AWS
 * SDK's own clients. It does not check signatures, but uses the region in them, and the account of credentials
 * that it issued itself; all others belong to its default account.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { within } from '../support/wait.ts';
import { motoPackages } from './packages.ts';

/** The default account of moto. */
export const MOTO_ACCOUNT = '123456789012';

export interface Moto {
  readonly url: string;
  /** Removes everything: secrets, parameters and issued credentials. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    env: { PATH, HOME, PYTHONPATH: motoPackages(), PYTHONNOUSERSITE: '1', PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit');
  process.once('exit', () => child.kill());
  const log: string[] = [];
  const address = new Promise<string>((resolve) => {
    // Read to the end: moto logs each request, and would block on a full pipe.
    createInterface(child.stderr).on('line', (line) => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
      else log.push(line);
    });
  });
  const url = await within('moto to listen', Promise.race([address, exited.then(() => undefined)]));
  if (url === undefined) throw new Error(`moto ended before it listened:\n${log.join('\n')}`);
  return {
    url,
    async reset() {
      const { status } = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
      if (status !== 200) throw new Error(`expected moto to reset itself, got HTTP status ${status}`);
    },
    async stop() {
      child.kill();
      await within('the end of moto', exited);
    },
  };
}

export interface Clients {
  readonly secrets: SecretsManagerClient;
  readonly parameters: SSMClient;
  readonly sts: STSClient;
}

interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const anySigner: Signer = { accessKeyId: 'AKIAANYSIGNER', secretAccessKey: 'anything' };

/** The SDK's clients, with the credentials of an administrator. */
export function clientsAt(endpoint: string, region: string, credentials: Signer = anySigner): Clients {
  const settings = { endpoint, region, credentials };
  return {
    secrets: new SecretsManagerClient(settings),
    parameters: new SSMClient(settings),
    sts: new STSClient(settings),
  };
}
