/** `--set NAME=REF`, with the references that a task definition of ECS takes. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readVariable } from '../../src/cli/values.ts';

const test = suite('the references of --set');

const secret = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf';
const parameter = 'arn:aws:ssm:eu-west-1:111122223333:parameter/shop/token';
const whole = { name: 'V', key: undefined, stage: undefined, version: undefined };
const ofSecret = { ...whole, service: 'secretsmanager', id: secret, region: 'eu-west-1' };

for (const [ref, expected] of [
  [secret, ofSecret],
  [`${secret}:password`, { ...ofSecret, key: 'password' }],
  [`${secret}:password::`, { ...ofSecret, key: 'password' }],
  [`${secret}::AWSPREVIOUS`, { ...ofSecret, stage: 'AWSPREVIOUS' }],
  [
    `${secret}:::9d4cb84b-ad69-40c0-a0ab-cead3EXAMPLE`,
    { ...ofSecret, version: '9d4cb84b-ad69-40c0-a0ab-cead3EXAMPLE' },
  ],
  [`${secret}:pass word`, { ...ofSecret, key: 'pass word' }],
  [`${secret}:a:b:c`, { ...ofSecret, key: 'a', stage: 'b', version: 'c' }],
  [parameter, { ...whole, service: 'ssmparameter', id: parameter, region: 'eu-west-1' }],
  ['/shop/token', { ...whole, service: 'ssmparameter', id: '/shop/token', region: undefined }],
] as const) {
  test(`reads ${ref}`, () => assert.equal(readVariable(`V=${ref}`), expected));
}

for (const text of [
  'V',
  'V=',
  '=/a',
  '1V=/a',
  'V-W=/a',
  'V=shop/token',
  'V=/a b',
  `V=${secret}:a:b:c:d`,
  `V=${secret} x`,
  `V=${secret}:a:b c`,
  'V=arn:aws:secretsmanager::111122223333:secret:shop',
  'V=arn:aws:secretsmanager:eu-west-1:111122223333:secret:',
  'V=arn:aws:secretsmanager:eu-west-1:111122223333:other:shop',
  'V=arn:aws:ssm:eu-west-1:111122223333:document/shop',
  'V=arn:aws:s3:eu-west-1:111122223333:secret:shop',
]) {
  test(`rejects ${text}`, () => assert.is(readVariable(text), undefined));
}

test.run();
