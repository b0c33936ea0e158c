import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSeed } from './seed.ts';

const test = suite('seed');

test('an empty file is an empty account', () => {
  assert.equal(parseSeed(''), {});
});

test('names the place of a mistake in a seed, but no value', () => {
  const wrong = [
    ['account: 1', 'seed.account: expected a string, got a number'],
    ['regions: [x]', 'seed.regions: expected an object, got a list'],
    ['identities: {app: {rol: x}}', /^seed\.identities\.app\.rol: expected one of role, user, /],
    ['identities: {app: {deny: [{}]}}', 'seed.identities.app.deny[0].action: expected a value, got nothing'],
    [
      'regions: {r: {secrets: {s: {string: 4711}}}}',
      'seed.regions.r.secrets.s.string: expected a string, got a number',
    ],
    [
      'regions: {r: {secrets: {s: {deleted: 1}}}}',
      'seed.regions.r.secrets.s.deleted: expected true or false, got a number',
    ],
    [
      'regions: {r: {parameters: {p: {type: Text}}}}',
      /parameters\.p\.type: expected String or StringList or SecureString/,
    ],
    ['faults: [{does: {kind: explode}}]', /^seed\.faults\[0\]\.does\.kind: expected latency or throttle or /],
    ['faults: [{does: {kind: latency}}]', 'seed.faults[0].does.ms: expected a value, got nothing'],
    [
      'faults: [{on: {servce: ssm}, does: {kind: hang}}]',
      /^seed\.faults\[0\]\.on\.servce: expected one of service, /,
    ],
    ['faults: [{does: {kind: cut, at: noon}}]', /at: expected before-headers or mid-body/],
  ] as const;
  for (const [yaml, sentence] of wrong) {
    assert.throws(
      () => parseSeed(yaml),
      (error: Error) =>
        typeof sentence === 'string' ? error.message === sentence : sentence.test(error.message),
      yaml,
    );
  }
});

test.run();
