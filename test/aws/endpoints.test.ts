/** The hosts of requests without a configured endpoint, recorded by a proxy that rejects all of them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WAIT_LIMIT } from '../support/wait.ts';
import { openedFiles } from './opened-files.ts';

const { readAwsEnvironment } = await import('../../src/aws/environment.ts');
const { secretRef: readOf } = await import('../../src/config/secret-ref.ts');
const { openSecretSource } = await import('../../src/aws/secret-source.ts');
const { createTransport } = await import('../../src/aws/transport.ts');
const { outcomeText, realClock, recordingLog, ROLE } = await import('./world.ts');

const test = suite('endpoints');

const directory = mkdtempSync(join(tmpdir(), 'podsecrets-endpoints-'));
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'a.b.c');
const hosts: string[] = [];
const proxy = createServer();
proxy.on('connect', (request, socket) => {
  hosts.push(String(request.url));
  socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
});
const agent = createServer((_, response) =>
  response.end(
    JSON.stringify({
      AccessKeyId: 'key',
      SecretAccessKey: 'secret',
      Token: 'token',
      Expiration: '2040-01-01T00:00:00Z',
    }),
  ),
);
for (const server of [proxy, agent])
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = (server: typeof proxy): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
test.after(() => {
  rmSync(directory, { recursive: true });
  proxy.close();
  agent.close().closeAllConnections();
});

async function fetchAll(region: string, env: Record<string, string> = {}, irsa = false): Promise<string[]> {
  const environment = readAwsEnvironment({ HTTPS_PROXY: address(proxy), ...env });
  const source = openSecretSource({
    authentication: irsa
      ? { kind: 'irsa', roleArn: ROLE, tokenFile, sessionName: 'test' }
      : { kind: 'pod-identity', addresses: [address(agent)], tokenFile, injected: true },
    environment,
    transport: createTransport({ environment, awsTimeout: WAIT_LIMIT, clock: realClock }),
    fetch: 'auto',
    awsTimeout: WAIT_LIMIT,
    clock: realClock,
    log: recordingLog([]),
    meter: { apiCall() {} },
  });
  const reads = [
    readOf({ service: 'secretsmanager', region, id: 'a' }),
    readOf({ service: 'ssmparameter', region, id: '/a' }),
  ];
  const outcomes = await source.read(reads, new AbortController().signal);
  return reads.map((read) => outcomeText(outcomes.get(read.key)));
}

const contacted = (): string[] => [...new Set(hosts.splice(0))].sort();

for (const [region, env, expected] of [
  ['eu-west-1', {}, ['secretsmanager.eu-west-1.amazonaws.com:443', 'ssm.eu-west-1.amazonaws.com:443']],
  [
    'cn-north-1',
    {},
    ['secretsmanager.cn-north-1.amazonaws.com.cn:443', 'ssm.cn-north-1.amazonaws.com.cn:443'],
  ],
  [
    'us-east-1',
    { AWS_USE_FIPS_ENDPOINT: 'true' },
    ['secretsmanager-fips.us-east-1.amazonaws.com:443', 'ssm-fips.us-east-1.amazonaws.com:443'],
  ],
  [
    'eu-west-1',
    { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
    // The SDK's rules know one name of Secrets Manager, which has both kinds of address.
    ['secretsmanager.eu-west-1.amazonaws.com:443', 'ssm.eu-west-1.api.aws:443'],
  ],
] as const) {
  test(`uses the endpoints of ${region} with ${Object.keys(env)[0] ?? 'no variables'}`, async () => {
    openedFiles();
    for (const text of await fetchAll(region, env))
      assert.match(text, /\(ERR_PROXY_TUNNEL, HTTP status 403\).*\[fetch\.network\]$/);
    assert.equal(contacted(), expected);
    assert.equal(openedFiles(), [tokenFile]);
  });
}

test('IRSA uses STS of the region, or global STS with the legacy setting', async () => {
  await fetchAll('eu-west-1', {}, true);
  assert.equal(contacted(), ['sts.eu-west-1.amazonaws.com:443']);
  const [text] = await fetchAll('us-east-1', { AWS_STS_REGIONAL_ENDPOINTS: 'legacy' }, true);
  assert.match(text ?? '', /ERR_PROXY_TUNNEL.*\[credentials\.sts\]$/);
  assert.equal(contacted(), ['sts.amazonaws.com:443']);
});

test('never sends requests to the agent through the proxy', async () => {
  await fetchAll('eu-west-1');
  assert.equal(
    contacted().filter((host) => host.startsWith('127.')),
    [],
  );
});

test.run();
