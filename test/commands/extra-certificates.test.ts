import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extraCertificatesWarnings } from '../../src/commands/extra-certificates.ts';

test('warns about NODE_EXTRA_CA_CERTS without certificates', () => {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-ca-'));
  const file = join(directory, 'ca.pem');
  const warning = (path: string) =>
    extraCertificatesWarnings('init', { NODE_EXTRA_CA_CERTS: path })[0]?.message;
  assert.match(warning(file) ?? '', `got ENOENT for ${file}`);
  assert.match(warning(directory) ?? '', 'got a directory');
  assert.equal(extraCertificatesWarnings('check', { NODE_EXTRA_CA_CERTS: file }), []);
  writeFileSync(file, 'PEM');
  assert.match(warning(file) ?? '', 'got a file without one');
  writeFileSync(file, '# ours\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
  assert.is(warning(file), undefined);
  assert.is(warning(''), undefined);
  rmSync(directory, { recursive: true });
});

test.run();
