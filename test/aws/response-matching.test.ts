import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answered, answeredBy, matchParameter, matchSecret } from '../../src/aws/response-matching.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';

const test = suite('matching answers to reads');

const parameter = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'ssmparameter', region: 'eu-west-1', id, ...more });
const secret = (id: string): SecretRef => secretRef({ service: 'secretsmanager', region: 'eu-west-1', id });

const answers = (...list: Partial<Answered>[]): Answered[] =>
  list.map(({ name, arn, selector }) => answeredBy(name, arn, selector));

const ARN = 'arn:aws:ssm:eu-west-1:111122223333:parameter/a';

test('a parameter is found by its name', () => {
  const given = answers({ name: '/b' }, { name: '/a', arn: ARN });
  assert.is(matchParameter(parameter('/a'), given), given[1]);
});

test('a parameter that was asked for by ARN is found by ARN', () => {
  const given = answers({ name: '/a', arn: ARN, selector: ':3' });
  assert.is(matchParameter(parameter(ARN, { version: '3' }), given), given[0]);
});

test('a selector must be the one that was asked for, with or without its colon', () => {
  const given = answers({ name: '/a', selector: ':old' }, { name: '/a', selector: 'new' });
  assert.is(matchParameter(parameter('/a', { stage: 'new' }), given), given[1]);
  assert.is(matchParameter(parameter('/a', { stage: 'old' }), given), given[0]);
  assert.is(matchParameter(parameter('/a', { stage: 'other' }), given), undefined);
  assert.is(matchParameter(parameter('/a'), given), undefined);
});

test('an answer that names no selector is for the one that was asked for', () => {
  const given = answers({ name: '/a' });
  assert.is(matchParameter(parameter('/a', { version: '2' }), given), given[0]);
});

test('names that only begin alike are different', () => {
  assert.is(matchParameter(parameter('/a'), answers({ name: '/a/b' }, { name: '/A' })), undefined);
  assert.is(matchSecret(secret('a'), answers({ name: 'a-AbCdEf' }, { name: 'ab' })), undefined);
});

const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db';

test('a secret is found by name, by ARN, and by an ARN without its suffix', () => {
  const given = answers({ name: 'db', arn: `${SECRET}-AbCdEf` });
  for (const id of ['db', `${SECRET}-AbCdEf`, SECRET])
    assert.is(matchSecret(secret(id), given), given[0], id);
});

test('an ARN without suffix that fits two secrets fits none', () => {
  const given = answers({ arn: `${SECRET}-AbCdEf` }, { arn: `${SECRET}-GhIjKl` });
  assert.is(matchSecret(secret(SECRET), given), undefined);
});

test('an ARN without suffix does not fit a longer name', () => {
  assert.is(matchSecret(secret(SECRET), answers({ arn: `${SECRET}-replica-AbCdEf` })), undefined);
});

test('names of other types are none', () => {
  assert.equal(answeredBy(7, null, {}), { name: undefined, arn: undefined, selector: undefined });
});

test('an answer without names belongs to nobody', () => {
  assert.is(matchSecret(secret('a'), answers({})), undefined);
  assert.is(matchParameter(parameter('/a'), answers({})), undefined);
});

test.run();
