/**
 * Connections over TLS for which Node, not the program, chooses what to trust. Node runs with --use-openssl-ca, with which it would
 * trust what OpenSSL does: the file of SSL_CERT_FILE, else the directory of the system. They trust what Node contains, the file of
 * NODE_EXTRA_CA_CERTS and, if they lead to a proxy, that of AWS_CA_BUNDLE.
 */

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { authorityWithServer, selfSigned } from '../fake-aws/certificate.ts';
import { run } from '../support/program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

const test = suite<{ box: Sandbox; port: number; received: string[] }>('trusted authorities');

const { authority, ...certificate } = authorityWithServer();

test.before.each(async (context) => {
  context.box = makeSandbox();
  context.box.writeConfig({
    region: 'eu-west-1',
    objects: [{ objectName: 'db', objectType: 'secretsmanager' }],
  });
  const received: string[] = [];
  const server = createServer(certificate, ({ url = '' }, response) => {
    received.push(url);
    response.writeHead(403).end();
  });
  server.on('connect', ({ url = '' }, socket) => {
    received.push(`CONNECT ${url}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  Object.assign(context, { port: (server.address() as AddressInfo).port, received });
});
test.after.each(({ box }) => box.remove());

const args = (box: Sandbox): readonly string[] =>
  `init --config ${box.config} --dir ${box.dir} --auth default --start-timeout 1s`.split(' ');

const CONNECTIONS: readonly {
  readonly what: string;
  readonly env: (address: string, box: Sandbox) => Readonly<Record<string, string>>;
  readonly request: string;
}[] = [
  {
    what: 'a proxy over TLS',
    env: (address) => ({
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'key',
      HTTPS_PROXY: address,
    }),
    request: 'CONNECT secretsmanager.eu-west-1.amazonaws.com:443',
  },
  {
    what: "the endpoint of a container's credentials",
    env: (address) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${address}/credentials` }),
    request: '/credentials',
  },
  {
    what: "the endpoint of a container's credentials, with its protocol in capitals",
    env: (address) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${address.replace('https', 'HTTPS')}/credentials`,
    }),
    request: '/credentials',
  },
  {
    what: "the endpoint of a container's credentials, for a profile",
    env: (address, box) => ({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${address}/credentials`,
      AWS_CONFIG_FILE: box.write(
        'aws-config',
        '[profile app]\nrole_arn = arn:aws:iam::111122223333:role/app\ncredential_source = EcsContainer\n',
      ),
      AWS_PROFILE: 'app',
    }),
    request: '/credentials',
  },
];

for (const { what, env, request } of CONNECTIONS)
  test(`${what} is trusted with NODE_EXTRA_CA_CERTS, and not with the file that OpenSSL reads`, async ({
    box,
    port,
    received,
  }) => {
    const file = box.write('ca.pem', authority);
    const common = {
      ...env(`https://localhost:${port}`, box),
      AWS_EC2_METADATA_DISABLED: 'true',
      // Else podsecrets itself reads SSL_CERT_FILE.
      AWS_CA_BUNDLE: box.write('other.pem', selfSigned().cert),
    };
    await run(args(box), { ...common, SSL_CERT_FILE: file });
    assert.equal(received, []);
    await run(args(box), { ...common, NODE_EXTRA_CA_CERTS: file });
    assert.equal([...new Set(received)], [request]);
  });

test('a proxy over TLS is trusted with AWS_CA_BUNDLE, even if the file has more certificates', async ({
  box,
  port,
  received,
}) => {
  const env = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'key',
    HTTPS_PROXY: `https://localhost:${port}`,
    AWS_CA_BUNDLE: box.write('bundle.pem', `${selfSigned().cert}${authority}`),
  };
  await run(args(box), env);
  assert.equal([...new Set(received)], ['CONNECT secretsmanager.eu-west-1.amazonaws.com:443']);
});

test.run();
