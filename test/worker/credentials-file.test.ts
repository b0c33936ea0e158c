import { closeSync, fstatSync, readdirSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openCredentialsFile, readCredentials, writeCredentials } from '../../src/worker/credentials-file.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('the file of credentials');

const expiring = {
  credentials: {
    accessKeyId: 'ASIA',
    secretAccessKey: 'key',
    sessionToken: 'token',
    expiration: new Date(2_000_000_000_000),
    link: { name: 'ECS task role', nodeRole: false },
  },
  renewAt: 1_999_999_000_000,
  expiresAt: 2_000_000_000_000,
};

function open(): { file: number; dir: string } {
  const dir = scratch();
  const file = openCredentialsFile([dir]);
  assert.ok(file);
  return { file, dir };
}

test('a worker reads the credentials of the previous worker, the newest ones only', () => {
  const { file } = open();
  writeCredentials(new Map([['a', expiring]]), file);
  assert.equal(readCredentials(file), new Map([['a', expiring]]));
  writeCredentials(new Map(), file);
  assert.equal(readCredentials(file), new Map());
  closeSync(file);
});

test('the file has no name, and only its owner may read it', () => {
  const { file, dir } = open();
  assert.equal(readdirSync(dir), []);
  assert.is(fstatSync(file).nlink, 0);
  assert.is(fstatSync(file).mode & 0o777, 0o600);
  closeSync(file);
});

test('credentials without an expiry are not passed to the next worker', () => {
  const { file } = open();
  writeCredentials(new Map([['a', { ...expiring, expiresAt: Number.POSITIVE_INFINITY }]]), file);
  assert.equal(readCredentials(file), new Map());
  closeSync(file);
});

test('incomplete credentials of a killed worker are ignored', () => {
  const { file } = open();
  writeSync(file, '{"a":{"credentials":{"accessKeyId":"AS');
  assert.equal(readCredentials(file), new Map());
  closeSync(file);
});

test('creates no file on a disk, or in a missing directory', () => {
  assert.is(openCredentialsFile(['/proc', '/nonexistent', import.meta.dirname]), undefined);
});

test.run();
