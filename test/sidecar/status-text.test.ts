import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SidecarStatus } from '../../src/sidecar/status.ts';
import { statusText } from '../../src/sidecar/status-text.ts';
import { exampleStatus } from '../support/status.ts';

const test = suite('the status for a person');
const now = Date.UTC(2026, 0, 1, 12);

test('shows every field, with ages and remedies', () => {
  assert.is(
    statusText(exampleStatus(), now),
    `podsecrets 1.2.3: ready, up 3h
  next sync in 10m, after 2 failed syncs in a row
  credentials of EKS Pod Identity expire in 3h

/etc/podsecrets/config.yaml -> /mnt/secrets-store (eu-west-1, eu-central-1)
  synced 10m ago, changed 2h ago
  failed 0s ago:
    prod/db: expected a response, got ThrottlingException.
    Wait. [fetch.throttled]
  invalid configuration, still using the previous version:
    /etc/podsecrets/config.yaml: expected YAML, got a tab.
    Indent with spaces. [config.yaml]
  missing optional objects: prod/extra
  FILE         OBJECT     SERVICE         REGION        VERSION                               ROTATED
  db/password  prod/db    secretsmanager  eu-west-1     EXAMPLE1-90ab-cdef-fedc-ba987SECRET1  2h ago
  url          /prod/url  ssmparameter    eu-central-1  7
  VARIABLE     OBJECT   SERVICE         REGION     VERSION
  DB_PASSWORD  prod/db  secretsmanager  eu-west-1  EXAMPLE1-90ab-cdef-fedc-ba987SECRET1

notifications
  signal: notified 2h ago
  url: not notified yet, pending, 2 files, after 4 failed attempts:
    http://localhost:9000/reload: expected a connection, got ECONNREFUSED.
    Start it. [notify.url]
`,
  );
});

test('shows a sidecar that has just started as not ready', () => {
  const status: SidecarStatus = {
    version: '1.2.3',
    startedAt: '2026-01-01T11:59:59.000Z',
    ready: false,
    phase: 'start',
    consecutiveFailures: 0,
    configs: [
      {
        file: '/c.yaml',
        directory: '/d',
        region: 'eu-west-1',
        ready: false,
        lastErrors: [],
        configProblems: [],
        files: [],
        variables: [],
        missingOptional: [],
      },
    ],
    notifiers: [],
  };
  assert.is(
    statusText(status, now),
    'podsecrets 1.2.3: not ready, up 1s\n  syncing now\n\n/c.yaml -> /d (eu-west-1)\n  never synced\n',
  );
});

test('does not show a failure after recovery', () => {
  const { configs, ...rest } = exampleStatus();
  const text = statusText(
    { ...rest, configs: configs.map((config) => ({ ...config, lastSuccess: '2026-01-01T12:00:01.000Z' })) },
    now,
  );
  assert.not.match(text, 'Throttling');
});

test('escapes texts that came over the socket', () => {
  const evil = (value: unknown): unknown =>
    typeof value === 'string' && !/^2026/.test(value)
      ? `${value}\x1b[2J\n`
      : Array.isArray(value)
        ? value.map(evil)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, evil(inner)]))
          : value;
  const text = statusText(evil(exampleStatus()) as SidecarStatus, now);
  assert.not.match(text, '\x1b');
  assert.is(text.split('\n').length, statusText(exampleStatus(), now).split('\n').length);
});

test.run();
