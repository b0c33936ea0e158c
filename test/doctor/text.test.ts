import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretRef } from '../../src/config/secret-ref.ts';
import { Problem } from '../../src/core/problem.ts';
import type { ConfigReport, DoctorReport } from '../../src/doctor/report.ts';
import { doctorExitCode } from '../../src/doctor/report.ts';
import { doctorJson, doctorText } from '../../src/doctor/text.ts';
import { optionalObject } from '../support/secret-plan.ts';

const denied = new Problem({
  code: 'fetch.denied',
  subject: 'locked',
  message: 'expected secretsmanager:GetSecretValue in eu-west-1 to be allowed, got AccessDeniedException',
  remedy: 'Allow it.',
  access: { action: 'secretsmanager:GetSecretValue', resource: 'locked' },
});
const unknownKey = new Problem({
  code: 'config.unknownKey',
  subject: 'objects[1]',
  line: 12,
  message: 'expected a known key, got "colour"',
  remedy: 'Remove it: it is ignored.',
});
const onDisk = new Problem({
  code: 'publish.filesystem',
  subject: '/data',
  message: 'expected a tmpfs',
  remedy: 'Add it.',
});

const read = (id: string) => secretRef({ service: 'secretsmanager', region: 'eu-west-1', id });
const config: ConfigReport = {
  file: 'config.yaml',
  directory: '/data',
  checks: [
    { subject: 'config', status: 'warning', text: '2 objects, 2 files', problems: [unknownKey] },
    { subject: 'region', status: 'ok', text: 'eu-west-1, from AWS_REGION', problems: [] },
    { subject: 'directory', status: 'failed', text: '', problems: [onDisk] },
  ],
  objects: [
    {
      object: optionalObject('db/password'),
      status: 'ok',
      reads: [{ read: read('db/password'), status: 'ok', version: 'v1', problem: undefined }],
      contents: [],
    },
    {
      object: optionalObject('locked'),
      status: 'failed',
      reads: [{ read: read('locked'), status: 'failed', version: undefined, problem: denied }],
      contents: [],
    },
  ],
};
const skipped = { status: 'skipped', version: undefined, problem: undefined } as const;
const report: DoctorReport = { configs: [config] };

test('prints each check on a line, its remedy below, and a summary at the end', () => {
  assert.is(
    doctorText(report),
    `config.yaml -> /data
  warn  config     2 objects, 2 files
        objects[1] (line 12): expected a known key, got "colour" [config.unknownKey]
        fix: Remove it: it is ignored.
  ok    region     eu-west-1, from AWS_REGION
  FAIL  directory
        /data: expected a tmpfs [publish.filesystem]
        fix: Add it.
  ok    db/password  secretsmanager eu-west-1  version v1
  FAIL  locked       secretsmanager eu-west-1
        expected secretsmanager:GetSecretValue in eu-west-1 to be allowed, got AccessDeniedException [fetch.denied]
        fix: Allow it.

Add to the role's policy:
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReadSecrets",
      "Effect": "Allow",
      "Action": "secretsmanager:GetSecretValue",
      "Resource": [
        "arn:aws:secretsmanager:eu-west-1:*:secret:locked-??????"
      ]
    }
  ]
}

2 problems; exit code 5.
`,
  );
});

test('escapes control characters of a config, also in a region', () => {
  const foreign = secretRef({ service: 'secretsmanager', region: 'eu\u001b[2J', id: 'db\u001b[2J' });
  const [object] = config.objects;
  const objects = object === undefined ? [] : [{ ...object, reads: [{ ...skipped, read: foreign }] }];
  assert.not.match(doctorText({ configs: [{ ...config, objects }] }), '\u001b');
});

test('the exit code is that of the earliest stage that failed, and warnings do not count', () => {
  assert.is(doctorExitCode(report), 5);
  assert.is(doctorExitCode({ configs: [{ ...config, objects: [] }] }), 6);
  const checks = config.checks.filter(({ status }) => status !== 'failed');
  assert.is(doctorExitCode({ configs: [{ ...config, checks, objects: [] }] }), 0);
  assert.match(doctorText({ configs: [{ ...config, checks, objects: [] }] }), 'All checks passed.\n');
});

test('counts a problem of many objects once', () => {
  const [, locked] = config.objects;
  assert.ok(locked);
  assert.match(
    doctorText({ configs: [{ ...config, checks: [], objects: [locked, locked] }] }),
    '1 problem; exit code 5.',
  );
});

test('prints a cause of many objects once, below the first, and the others refer to it', () => {
  const objects = ['a', 'b', 'c'].map((id) => ({
    object: optionalObject(id),
    status: 'failed' as const,
    reads: [
      {
        read: read(id),
        status: 'failed' as const,
        version: undefined,
        problem: new Problem({
          code: 'fetch.server',
          subject: id,
          message: `expected a response, got HTTP status 500, request id r-${id}`,
          remedy: 'Wait.',
        }),
      },
    ],
    contents: [],
  }));
  assert.is(
    doctorText({ configs: [{ ...config, checks: [], objects }] }),
    `config.yaml -> /data
  FAIL  a  secretsmanager eu-west-1
        expected a response, got HTTP status 500, request id r-a [fetch.server]
        fix: Wait.
  FAIL  b  secretsmanager eu-west-1  same as a
  FAIL  c  secretsmanager eu-west-1  same as a

1 problem; exit code 5.
`,
  );
});

test('a ref that is only a warning is not a failure of its object', () => {
  const object = {
    object: optionalObject('locked'),
    status: 'failed',
    reads: [{ read: read('locked'), status: 'warning', version: undefined, problem: denied }],
    contents: [onDisk],
  } as const;
  assert.is(doctorExitCode({ configs: [{ ...config, checks: [], objects: [object] }] }), 6);
});

test('the JSON has the same content, and the line of a config only if there is one', () => {
  const { ok, exitCode, configs, missing } = JSON.parse(doctorJson(report));
  assert.equal([ok, exitCode, missing.Statement.length], [false, 5, 1]);
  const [{ checks, objects }] = configs;
  assert.equal(checks[0], {
    check: 'config',
    result: 'warning',
    detail: '2 objects, 2 files',
    problems: [
      {
        code: 'config.unknownKey',
        subject: 'objects[1]',
        line: 12,
        message: 'expected a known key, got "colour"',
        remedy: 'Remove it: it is ignored.',
        retry: false,
      },
    ],
  });
  assert.equal(objects[0], {
    object: 'db/password',
    result: 'ok',
    reads: [
      { service: 'secretsmanager', region: 'eu-west-1', id: 'db/password', result: 'ok', version: 'v1' },
    ],
  });
});

test.run();
