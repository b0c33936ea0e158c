/**
 * The runs of the program whose compiled code is stored: a sidecar, `init` of a secret and `init` of a parameter, against a server
 * with fixed responses over plain HTTP on the loopback. Only the code is kept, none of the values.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** One run of the program. */
export interface Run {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The script that the program starts as its worker. */
  readonly worker?: string;
}

export interface WarmUp {
  readonly runs: readonly Run[];
  close(): void;
}

/** Starts the server; configs and files go into the directory `work`. */
export async function openWarmUp(work: string): Promise<WarmUp> {
  const server = createServer(async (request, response) => {
    const body = JSON.stringify(responseTo(request, await textOf(request)));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = join(work, 'token');
  writeFileSync(token, 'token');
  const env = {
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: address,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${address}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
  };
  return {
    // The sidecar first: it is ended by a signal, which the handlers that an `init` leaves in this process would handle too.
    runs: [
      {
        ...run('sidecar', 'sidecar', SECRET, '--listen', `127.0.0.1:${await freePort()}`),
        worker: join(import.meta.dirname, 'warm-up-worker.cjs'),
      },
      run('secrets', 'init', SECRET),
      run('parameters', 'init', PARAMETER),
    ],
    close: () => server.close().closeAllConnections(),
  };

  function run(name: string, command: string, objects: string, ...flags: readonly string[]): Run {
    const config = join(work, `${name}.yaml`);
    const directory = join(work, name);
    writeFileSync(config, `${CONFIG}${objects}`);
    mkdirSync(directory);
    return { name, args: [command, '--config', `${config}=${directory}`, '--allow-disk', ...flags], env };
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const CONFIG = `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: warm-up
spec:
  provider: aws
  parameters:
    usePodIdentity: "true"
    objects: |
`;

const SECRET = `
      - objectName: "secret"
        objectType: "secretsmanager"
        objectAlias: "alias"
`;

const PARAMETER = `
      - objectName: "/parameter"
        objectType: "ssmparameter"
`;

function responseTo({ headers }: IncomingMessage, body: string): object {
  const operation = String(headers['x-amz-target']).split('.')[1];
  const version = { VersionId: '00000000-0000-4000-8000-000000000000', VersionStages: ['AWSCURRENT'] };
  const secret = (name: string) => ({
    ARN: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`,
    Name: name,
    SecretString: '{"user":"warm"}',
    CreatedDate: 1,
    ...version,
  });
  switch (operation) {
    case 'GetSecretValue':
      return secret(JSON.parse(body).SecretId);
    case 'BatchGetSecretValue':
      return { SecretValues: JSON.parse(body).SecretIdList.map(secret), Errors: [] };
    case 'GetParameters':
      return {
        Parameters: JSON.parse(body).Names.map((Name: string) => ({
          ARN: `arn:aws:ssm:eu-west-1:123456789012:parameter${Name}`,
          Name,
          Type: 'SecureString',
          Value: 'warm',
          Version: 1,
          LastModifiedDate: 1,
          DataType: 'text',
        })),
        InvalidParameters: [],
      };
    default:
      return {
        AccessKeyId: 'warm',
        SecretAccessKey: 'warm',
        Token: 'warm',
        Expiration: new Date(Date.now() + 6 * 3600_000).toISOString(),
      };
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
