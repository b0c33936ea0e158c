/** Which variables the command gets, and from where. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { problemsOf } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { commandEnvironment, type SecretVariable } from '../../src/exec/environment.ts';

const test = suite('the environment of the command');

const plain = { pristine: false, keepEnv: [], preserveEnv: [] } as const;
const own = {
  PATH: '/bin',
  LC_ALL: 'C',
  DB_USER: 'from the image',
  AWS_REGION: 'eu-west-1',
  PODSECRETS_CONFIG: 'c',
};

function secret(name: string, value: string | Uint8Array = 'v'): SecretVariable {
  return { name, value: new Secret(value) };
}

test('contains the environment of the process and the secrets', () => {
  const { variables, overrides } = commandEnvironment(own, [secret('DB_PASSWORD')], plain);
  assert.equal([...variables.keys()], ['PATH', 'LC_ALL', 'DB_USER', 'AWS_REGION', 'DB_PASSWORD']);
  assert.instance(variables.get('DB_PASSWORD'), Secret);
  assert.equal(overrides, []);
});

test('contains no option of podsecrets', () => {
  const { variables } = commandEnvironment(own, [], { ...plain, keepEnv: ['PODSECRETS_CONFIG'] });
  assert.not.ok(variables.has('PODSECRETS_CONFIG'));
});

test('a secret replaces an existing value, and is reported', () => {
  const { variables, overrides } = commandEnvironment(own, [secret('DB_USER')], plain);
  assert.instance(variables.get('DB_USER'), Secret);
  assert.equal(overrides, ['DB_USER']);
});

test('--preserve-env keeps an existing value, and uses the secret if there is none', () => {
  const { variables, overrides } = commandEnvironment(own, [secret('DB_USER'), secret('NEW')], {
    ...plain,
    preserveEnv: ['DB_USER', 'NEW'],
  });
  assert.is(variables.get('DB_USER'), 'from the image');
  assert.instance(variables.get('NEW'), Secret);
  assert.equal(overrides, []);
});

test('--pristine passes the basic variables, those of --keep-env, and the secrets', () => {
  const { variables } = commandEnvironment(own, [secret('DB_PASSWORD')], {
    ...plain,
    pristine: true,
    keepEnv: ['AWS_REGION'],
  });
  assert.equal([...variables.keys()], ['PATH', 'LC_ALL', 'AWS_REGION', 'DB_PASSWORD']);
});

test('--pristine with --preserve-env passes the existing value', () => {
  const { variables } = commandEnvironment(own, [secret('DB_USER')], {
    ...plain,
    pristine: true,
    preserveEnv: ['DB_USER'],
  });
  assert.is(variables.get('DB_USER'), 'from the image');
});

test('PATH of a secret is the one that is searched, and is marked as secret', () => {
  assert.equal(commandEnvironment(own, [], plain).path, { text: '/bin', isSecret: false });
  assert.equal(commandEnvironment(own, [secret('PATH', '/opt')], plain).path, {
    text: '/opt',
    isSecret: true,
  });
});

test('takes a variable of 131,071 bytes with its name', () => {
  const value = 'x'.repeat(131_071 - 'LONG='.length);
  const { variables } = commandEnvironment({}, [secret('LONG', value)], plain);
  assert.equal([...variables.keys()], ['LONG']);
});

test('rejects all values that no environment can hold, and quotes none', () => {
  const secrets = [
    secret('NUL', 'canary\0'),
    secret('LONG', 'x'.repeat(131_072 - 'LONG='.length)),
    secret('BYTES', new Uint8Array([0x63, 0xff])),
  ];
  try {
    commandEnvironment({}, secrets, plain);
    assert.unreachable();
  } catch (error) {
    const problems = problemsOf(error) ?? [];
    assert.equal(
      problems.map(({ code, subject }) => `${code} ${subject}`),
      ['fetch.content variable NUL', 'fetch.content variable LONG', 'fetch.content variable BYTES'],
    );
    assert.not.match(problems.map(({ message }) => message).join(), 'canary');
  }
});

test.run();
