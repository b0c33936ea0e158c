/** The connection to the API server: trust, and responses that are not used. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import { type KubernetesApi, openApi } from '../../src/kubernetes/api.ts';
import { type Certificate, selfSigned } from '../fake-aws/certificate.ts';
import { rejects } from '../support/rejects.ts';

const DAY = 24 * 60 * 60_000;

/** Runs with an API server that has this certificate, and responds to everything with `body`. */
async function withApi(
  { key, cert }: Certificate,
  run: (api: KubernetesApi) => Promise<void>,
  { host = '127.0.0.1', body = '{}', status = 200, ca = cert } = {},
): Promise<void> {
  const server = createServer({ key, cert }, (_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-api-'));
  for (const [name, text] of Object.entries({ token: 't', namespace: 'shop', 'ca.crt': ca }))
    writeFileSync(join(directory, name), text);
  const { port } = server.address() as AddressInfo;
  const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: String(port) };
  const signal = new AbortController().signal;
  const api = await openApi({ env, signal, serviceAccountDirectory: directory });
  try {
    await run(api);
  } finally {
    api.close();
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  }
}

for (const [what, certificate, host, text] of [
  ['has expired', selfSigned(Date.now() - 800 * DAY), '127.0.0.1', /CERT_HAS_EXPIRED.*clock.*renew/],
  ['is not valid yet', selfSigned(Date.now() + 800 * DAY), '127.0.0.1', /CERT_NOT_YET_VALID.*clock/],
  ['is for another host', selfSigned(), '127.0.0.2', /ALTNAME_INVALID.*KUBERNETES_SERVICE_HOST/],
] as const) {
  test(`the remedy for a certificate that ${what} does not blame the CA`, async () => {
    await withApi(
      certificate,
      async (api) => {
        const { message, remedy, retry } = (await rejects(api.version())) as Problem;
        assert.match(`${message}. ${remedy}`, text);
        assert.not.match(remedy, 'ca.crt');
        assert.not(retry);
      },
      { host },
    );
  });
}

test('a response of too many elements is not parsed, because it could need more memory than the pod has', async () => {
  const body = `{"gitVersion":"v1.36","a":[${'{},'.repeat(70_000)}{}]}`;
  const read = async (api: KubernetesApi) => assert.is((await api.version()).body, undefined);
  await withApi(selfSigned(), read, { body });
  const least = async (api: KubernetesApi) => assert.equal((await api.version()).body, { a: [] });
  await withApi(selfSigned(), least, { body: '{"a":[]}' });
});

test('an error may have 64 KiB', async () => {
  const body = JSON.stringify({ message: 'a'.repeat(70_000) });
  const read = async (api: KubernetesApi) =>
    assert.match(((await rejects(api.version())) as Problem).message, 'ERR_RESPONSE_TOO_LARGE');
  await withApi(selfSigned(), read, { body, status: 500 });
});

test('an empty ca.crt trusts no authority, instead of the default ones', async () => {
  const certificate = selfSigned();
  const before = getCACertificates('default');
  setDefaultCACertificates([certificate.cert]);
  const read = async (api: KubernetesApi) =>
    assert.match(((await rejects(api.version())) as Problem).message, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await withApi(certificate, read, { ca: '' });
  setDefaultCACertificates(before);
});

test.run();
