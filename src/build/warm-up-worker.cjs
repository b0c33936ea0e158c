/**
 * The worker of the sidecar in the warm-up: reports a published config, requests the pages, and ends the sidecar.
 */
'use strict';
const { readFileSync, writeSync } = require('node:fs');

const { parent, settings } = JSON.parse(readFileSync(0, 'utf8'));
const report = (message) => writeSync(3, `${JSON.stringify(message)}\n`);
const { host, port } = settings.listen;

void (async () => {
  report({ kind: 'stage', stage: 'config', config: 0 });
  report({
    kind: 'log',
    event: 'credentials.source',
    message: 'authenticating with EKS Pod Identity',
    fields: {},
  });
  report({ kind: 'credentials', source: 'pod-identity', expiresAt: Date.now() });
  report({
    kind: 'published',
    config: 0,
    result: 'changed',
    generation: '..2026_01_01_00_00_00.aaaaaa',
    added: ['warm'],
    updated: [],
    removed: [],
    pending: [],
    count: 1,
    files: [{ path: 'warm', object: 'warm', service: 'secretsmanager', region: 'eu-west-1', version: '1' }],
    missing: [],
    degraded: [],
    variableWarnings: [],
    appliesSecrets: false,
    pinned: [],
  });
  for (const page of ['livez', 'readyz', 'status', 'metrics']) await requestPage(page);
  process.kill(parent, 'SIGTERM');
})();

/** Requests a page until the server listens and the sidecar is ready. */
async function requestPage(page) {
  for (;;) {
    const response = await fetch(`http://${host}:${port}/${page}`).catch(() => undefined);
    await response?.text();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
