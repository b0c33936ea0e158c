import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import { inCluster } from '../../src/kubernetes/in-cluster.ts';

test('reads the token for each use, because the kubelet replaces it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-token-'));
  for (const [file, text] of Object.entries({ token: 'first\n', 'ca.crt': 'ca', namespace: 'shop\n' }))
    writeFileSync(join(directory, file), text);
  const cluster = inCluster({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, directory);
  assert.equal([cluster.host, cluster.port, cluster.namespace, cluster.ca], ['fd00::1', 443, 'shop', 'ca']);
  assert.is(cluster.token(), 'first');
  writeFileSync(join(directory, 'token'), 'second');
  assert.is(cluster.token(), 'second');
  rmSync(directory, { recursive: true });
});

test('a file of the service account that is missing or no file is reported at once', () => {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-token-'));
  const message = () => {
    try {
      inCluster({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, directory);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.is(message(), 'cannot read the service account volume: ENOENT');
  execFileSync('mkfifo', [join(directory, 'namespace')]);
  assert.is(message(), 'cannot read the service account volume: a named pipe');
  rmSync(directory, { recursive: true });
});

test('a port that is none is named, and not the host', () => {
  for (const port of ['https', '1.5', '0', '65536', '-1', ' 443']) {
    try {
      inCluster({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: port });
      assert.unreachable();
    } catch (error) {
      const { subject, message } = error as Problem;
      assert.equal([subject, message], ['KUBERNETES_SERVICE_PORT', `expected a port, got "${port}"`]);
    }
  }
});

test.run();
