import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Profiles, profileKind, usesInstanceRole } from '../../src/aws/chain-links.ts';
import { platformOf } from '../../src/core/environment.ts';

const test = suite('links of the default chain');

const role_arn = 'arn:aws:iam::111122223333:role/app';
const keys = { aws_access_key_id: 'a', aws_secret_access_key: 's' };
const imds = { credential_source: 'Ec2InstanceMetadata' };

for (const [what, profiles, expected] of [
  ['none', {}, false],
  ['keys', { p: keys }, false],
  ['the metadata service', { p: { role_arn, ...imds } }, true],
  ['the metadata service, without a role', { p: imds }, true],
  ['another source', { p: { role_arn, credential_source: 'EcsContainer' } }, false],
  ['a source profile with it', { p: { role_arn, source_profile: 'q' }, q: { role_arn, ...imds } }, true],
  ['three profiles', { p: { source_profile: 'q' }, q: { source_profile: 'r' }, r: imds }, true],
  [
    'a source profile that has keys as well',
    { p: { role_arn, source_profile: 'q' }, q: { ...keys, ...imds } },
    false,
  ],
  ['keys, which a role comes before', { p: { role_arn, ...keys, ...imds } }, true],
  ['keys without a role', { p: { ...keys, ...imds } }, false],
  ['a source profile that is not there', { p: { role_arn, source_profile: 'q' } }, false],
  ['itself', { p: { role_arn, source_profile: 'p', ...keys } }, false],
  ['a circle', { p: { source_profile: 'q' }, q: { source_profile: 'p' } }, false],
] as const satisfies readonly (readonly [string, Profiles, boolean])[]) {
  test(`a profile with ${what} ${expected ? 'uses' : 'does not use'} the instance's role`, () => {
    assert.is(usesInstanceRole(profiles, 'p'), expected);
  });
}

test("the SDK's markers give the kind of the profile", () => {
  assert.is(profileKind(undefined), undefined);
  assert.is(profileKind({ CREDENTIALS_PROFILE: 'n' }), undefined);
  assert.is(profileKind({ CREDENTIALS_PROFILE_SSO: 'r', CREDENTIALS_SSO: 's' }), 'SSO');
  assert.is(
    profileKind({ CREDENTIALS_PROFILE_SSO: 'r', CREDENTIALS_PROFILE_SOURCE_PROFILE: 'o' }),
    'assumed role',
  );
});

test('the variables that a platform sets identify it', () => {
  assert.is(
    platformOf({ KUBERNETES_SERVICE_HOST: '10.0.0.1', AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE' }),
    'kubernetes',
  );
  assert.is(platformOf({ AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE' }), 'ecs');
  assert.is(platformOf({ AWS_EXECUTION_ENV: 'AWS_Lambda' }), 'host');
  assert.is(platformOf({ KUBERNETES_SERVICE_HOST: '' }), 'host');
});

test.run();
