import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bypassesProxy, proxyUrl } from '../../src/aws/proxy.ts';

const test = suite('proxy rules');

const AWS = 'secretsmanager.eu-west-1.amazonaws.com';

for (const [noProxy, host, bypasses] of [
  [undefined, AWS, false],
  ['', AWS, false],
  ['*', AWS, true],
  ['amazonaws.com', AWS, true],
  ['amazonaws.com', 'amazonaws.com', true],
  ['amazonaws.com', 'notamazonaws.com', false],
  ['.amazonaws.com', AWS, true],
  ['.amazonaws.com', 'amazonaws.com', false],
  ['*.amazonaws.com', AWS, true],
  ['other.com, AMAZONAWS.COM', AWS, true],
  ['amazonaws.com:443', AWS, true],
  ['amazonaws.com:8443', AWS, false],
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '11.1.2.3', false],
  ['10.0.0.0/8', AWS, false],
  ['10.0.0.0/99', '10.1.2.3', false],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3:443', '10.1.2.3', true],
  ['10.1.2.3:80', '10.1.2.3', false],
  ['fd00::/8', '[fd00:ec2::1]', true],
  ['fd00:ec2::1', '[fd00:ec2:0::1]', true],
  ['[fd00:ec2::1]:443', '[fd00:ec2::1]', true],
  ['[fd00:ec2::1]:80', '[fd00:ec2::1]', false],
  [undefined, 'localhost', true],
  [undefined, '127.0.0.1', true],
  [undefined, '[::1]', true],
] as const) {
  test(`NO_PROXY=${noProxy}: ${host} ${bypasses ? 'is requested directly' : 'goes through the proxy'}`, () => {
    assert.is(bypassesProxy(noProxy, host, 443), bypasses);
  });
}

for (const [text, url] of [
  ['proxy.corp:3128', 'http://proxy.corp:3128/'],
  ['http://user:pass@proxy.corp:3128', 'http://user:pass@proxy.corp:3128/'],
  ['https://proxy.corp', 'https://proxy.corp/'],
  ['socks5://proxy.corp', undefined],
  ['http://', undefined],
] as const) {
  test(`HTTPS_PROXY=${text} ${url === undefined ? 'is rejected' : `means ${url}`}`, () => {
    assert.is(proxyUrl(text)?.href, url);
  });
}

test.run();
