/** The status of a sidecar with every field, for the tests of the pages. */

import type { SidecarStatus } from '../../src/sidecar/status.ts';

export function exampleStatus(): SidecarStatus {
  return {
    version: '1.2.3',
    startedAt: '2026-01-01T09:00:00.000Z',
    ready: true,
    phase: 'steady',
    nextSync: '2026-01-01T12:10:00.000Z',
    consecutiveFailures: 2,
    credentials: { source: 'pod-identity', expiresAt: '2026-01-01T15:00:00.000Z' },
    configs: [
      {
        file: '/etc/podsecrets/config.yaml',
        directory: '/mnt/secrets-store',
        region: 'eu-west-1',
        failoverRegion: 'eu-central-1',
        ready: true,
        lastSuccess: '2026-01-01T11:50:00.000Z',
        lastChange: '2026-01-01T10:00:00.000Z',
        lastFailure: '2026-01-01T12:00:00.000Z',
        lastErrors: [
          {
            code: 'fetch.throttled',
            subject: 'prod/db',
            message: 'expected a response, got ThrottlingException',
            remedy: 'Wait.',
          },
        ],
        configProblems: [
          {
            code: 'config.yaml',
            subject: '/etc/podsecrets/config.yaml',
            message: 'expected YAML, got a tab',
            remedy: 'Indent with spaces.',
          },
        ],
        files: [
          {
            path: 'db/password',
            object: 'prod/db',
            service: 'secretsmanager',
            region: 'eu-west-1',
            version: 'EXAMPLE1-90ab-cdef-fedc-ba987SECRET1',
            changedAt: '2026-01-01T10:00:00.000Z',
          },
          { path: 'url', object: '/prod/url', service: 'ssmparameter', region: 'eu-central-1', version: '7' },
        ],
        variables: [
          {
            name: 'DB_PASSWORD',
            object: 'prod/db',
            service: 'secretsmanager',
            region: 'eu-west-1',
            version: 'EXAMPLE1-90ab-cdef-fedc-ba987SECRET1',
          },
        ],
        missingOptional: ['prod/extra'],
      },
    ],
    notifiers: [
      {
        kind: 'signal',
        state: 'idle',
        pending: 0,
        lastNotified: '2026-01-01T10:00:01.000Z',
        consecutiveFailures: 0,
      },
      {
        kind: 'url',
        state: 'waiting',
        pending: 2,
        consecutiveFailures: 4,
        lastFailure: '2026-01-01T11:59:30.000Z',
        lastError: {
          code: 'notify.url',
          subject: 'http://localhost:9000/reload',
          message: 'expected a connection, got ECONNREFUSED',
          remedy: 'Start it.',
        },
      },
    ],
  };
}
