import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inCluster } from '../../src/kubernetes/in-cluster.ts';

test('reads the token for each use, because the kubelet replaces it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-token-'));
  for (const [file, text] of Object.entries({ token: 'first\n', 'ca.crt': 'ca', namespace: 'shop\n' }))
    writeFileSync(join(directory, file), text);
  const cluster = await inCluster({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, directory);
  assert.equal([cluster.host, cluster.port, cluster.namespace, cluster.ca], ['fd00::1', 443, 'shop', 'ca']);
  assert.is(await cluster.token(), 'first');
  writeFileSync(join(directory, 'token'), 'second');
  assert.is(await cluster.token(), 'second');
  rmSync(directory, { recursive: true });
});

test.run();
