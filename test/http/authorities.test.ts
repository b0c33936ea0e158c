import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { amazonAmong, isAmazonHost } from '../../src/http/authorities.ts';
import { authorityWithServer } from '../fake-aws/certificate.ts';
import { makeSandbox } from '../support/sandbox.ts';

const test = suite('authorities');

const nameOf = (pem: string): string =>
  new X509Certificate(pem).subject.split('\n').find((line) => line.startsWith('CN=')) ?? '';

test('the authorities of Amazon are among those of Node', () => {
  assert.equal(amazonAmong(rootCertificates).map(nameOf).sort(), [
    'CN=Amazon Root CA 1',
    'CN=Amazon Root CA 2',
    'CN=Amazon Root CA 3',
    'CN=Amazon Root CA 4',
    'CN=Starfield Services Root Certificate Authority - G2',
  ]);
});

test('an authority that Node does not have is not trusted', () => {
  const [first = '', ...others] = amazonAmong(rootCertificates);
  const without = rootCertificates.filter((pem) => pem !== first);
  assert.equal(amazonAmong(without), others);
});

test('NODE_EXTRA_CA_CERTS adds authorities, and then those of Amazon are not enough', () => {
  const script = `import { authorities } from ${JSON.stringify(join(import.meta.dirname, '../../src/http/authorities.ts'))};
    console.log(authorities.amazon().length, authorities.all().length);`;
  const counts = (env: Readonly<Record<string, string>>): string =>
    execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      encoding: 'utf8',
      env,
    }).trim();
  const box = makeSandbox();
  const extra = { NODE_EXTRA_CA_CERTS: box.write('ca.pem', authorityWithServer().authority) };
  assert.is(counts({}), `5 ${rootCertificates.length}`);
  assert.is(counts(extra), `0 ${rootCertificates.length + 1}`);
  box.remove();
});

test('Amazon issues the certificates of endpoints of AWS, but not in China, and not of other hosts', () => {
  for (const host of [
    'secretsmanager.eu-west-1.amazonaws.com',
    'ssm-fips.us-gov-west-1.amazonaws.com',
    'secretsmanager.eu-west-1.api.aws',
    'sts.amazonaws.com',
    'vpce-0a1b.secretsmanager.eu-west-1.vpce.amazonaws.com',
  ])
    assert.ok(isAmazonHost(host), host);
  for (const host of [
    'secretsmanager.cn-north-1.amazonaws.com.cn',
    'ssm.eusc-de-east-1.amazonaws.eu',
    'amazonaws.com.example',
    'notamazonaws.com',
    'localhost',
  ])
    assert.not(isAmazonHost(host), host);
});

test.run();
