/** The SDK's messages about profiles are shown if they contain only names. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { entryFailure } from '../../src/aws/error-facts.ts';
import { profileProblem } from '../../src/aws/profile-problems.ts';
import { problemLine } from '../../src/core/problem.ts';

const test = suite('problems of profiles');

const CANARY = 'hunter2hunter2';

const problemOf = (message: string, profile = 'dev') =>
  profileProblem(profile, { error: new Error(message), failure: undefined, unreadable: undefined });

for (const [message, remedy] of [
  [
    'Could not resolve credentials using profile: [dev] in configuration/credentials file(s).',
    /Set AWS_PROFILE/,
  ],
  ['Profile dev was not found.', /Correct profile dev/],
  [
    "Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
    /aws sso login --profile dev$/,
  ],
  [
    'The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login with the corresponding profile.',
    /aws sso login --profile dev$/,
  ],
  [
    "The SSO session token associated with profile=dev was not found or is invalid. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
    /aws sso login --profile dev$/,
  ],
  ["Sso session 'corp' could not be found in shared credentials file.", /Correct profile dev/],
  ['Profile dev credential_process did not return Version 1.', /manually/],
  [
    'Profile dev requires multi-factor authentication, but no MFA code callback was provided.',
    /Correct profile dev/,
  ],
  ["ENOENT: no such file or directory, open '/var/token'", /Correct profile dev/],
] as const) {
  test(`shows the SDK's message: ${message}`, () => {
    const problem = problemOf(message);
    assert.match(problem.message, JSON.stringify(message));
    assert.match(problem.remedy, remedy);
    assert.is(problem.code, 'credentials.chain');
  });
}

for (const message of [
  `Command failed: helper --token ${CANARY}\n${CANARY}`,
  `Command failed: /x --token ${CANARY}\n/bin/sh: 1: /x: not found\n`,
  `SyntaxError: Unexpected token 'h', "${CANARY}" is not valid JSON`,
  `UnauthorizedException: ${CANARY}`,
  `Failed to load token from /h/.aws: SyntaxError: Unexpected token, "${CANARY}"`,
  `Failed to refresh token: ${CANARY}. Using existing token`,
  `Profile is configured with invalid SSO credentials. Required parameters … Got ${CANARY}`,
  `Unsupported credential source in profile dev. Got ${CANARY} ${CANARY}, expected EcsContainer.`,
  `Could not resolve credentials using profile: [dev] in configuration/credentials file(s). ${CANARY}`,
  `Profile dev was not found.\n${CANARY}`,
  `ENOENT: no such file or directory, open '/var/token' ${CANARY}`,
  CANARY,
]) {
  test(`does not show the message: ${JSON.stringify(message).slice(0, 60)}`, () => {
    assert.not.match(problemLine(problemOf(message)), CANARY);
  });
}

test('quotes the profile in a command for the shell', () => {
  const login =
    "Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.";
  assert.match(problemOf(login, "it's; rm").remedy, `--profile 'it'\\''s; rm'`);
});

for (const [code, kind, retry] of [
  ['AccessDenied', 'credentials.chain', 15_000],
  ['ExpiredToken', 'credentials.chain', 0],
  ['Throttling', 'credentials.chain', undefined],
  ['ValidationError', 'credentials.chain', 0],
] as const) {
  test(`AWS rejects the role of a profile: ${code}`, () => {
    const failure = entryFailure(code, 'User: arn:aws:iam::1:user/u is not authorized', 'r-1');
    const problem = profileProblem('dev', { error: new Error(CANARY), failure, unreadable: undefined });
    assert.is(problem.code, kind);
    assert.match(problem.message, `got ${code}, request id r-1`);
    assert.is(problem.retry ? problem.retryFor : 0, retry);
    assert.not.match(problemLine(problem), CANARY);
  });
}

test.run();
