/**
 * Errors of AWS profiles, as Problems.
 *
 * The SDK's own message is shown if it is a known one: it names the profile, the session or the file. Any other message may quote
 * the output of a credential process, a cached token or a response with keys, so only the error's class is shown.
 */

import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import type { Advice } from './agent-problems.ts';
import { type AwsErrorFacts, gotText, IAM_PROPAGATION, normalizeCode, peerText } from './error-facts.ts';
import { keysRemedy } from './fetch-problems.ts';
import { networkRemedy } from './network-problems.ts';

/** Why a profile has no credentials. */
export interface ProfileFailure {
  /** The SDK's error. */
  readonly error: unknown;
  /** Its facts, if it is an error of AWS or the network. */
  readonly failure: AwsErrorFacts | undefined;
  /** A shared file that exists but cannot be read; the SDK treats it like an empty file. */
  readonly unreadable: { readonly file: string; readonly code: string } | undefined;
}

/** The Problem of a profile without usable credentials. */
export function profileProblem(profile: string, { error, failure, unreadable }: ProfileFailure): Problem {
  const { got, ...advice } =
    unreadable === undefined
      ? (sdkTexts(profile, error) ??
        (failure === undefined ? unknownTexts(profile, error) : awsTexts(failure)))
      : {
          got: `${escapeControl(unreadable.file)}, which cannot be read (${unreadable.code})`,
          remedy: isOpenFilesCode(unreadable.code)
            ? OPEN_FILES_REMEDY
            : "Let the container's user read it, or set AWS_SHARED_CREDENTIALS_FILE or AWS_CONFIG_FILE to another file.",
          retry: isOpenFilesCode(unreadable.code),
        };
  return new Problem({
    code: failure?.kind === 'rejected' ? 'credentials.rejected' : 'credentials.chain',
    subject: profileSubject(profile),
    message: `expected credentials, got ${got}`,
    ...advice,
  });
}

/** A profile as error messages name it. */
export function profileSubject(profile: string): string {
  return `profile ${escapeControl(profile)}`;
}

type Texts = Advice & { readonly got: string };

/** For a profile that assumes a role or uses SSO, so that a request was sent to AWS. */
function awsTexts(failure: AwsErrorFacts): Texts {
  const { kind, message } = failure;
  const detail = kind === 'denied' && message !== undefined ? `: ${escapeControl(message)}` : '';
  const got = gotText(failure, 'no error code', peerText(failure)) + detail;
  switch (kind) {
    case 'denied':
      return {
        got,
        remedy:
          "Allow sts:AssumeRole for this identity in the role's trust policy. A new policy takes a few seconds to take effect.",
        retry: true,
        retryFor: IAM_PROPAGATION,
      };
    case 'rejected':
      return { got, remedy: keysRemedy(failure), retry: false };
    case 'expired':
      return { got, remedy: 'Get new keys for the profile, or for its source_profile.', retry: false };
    case 'throttled':
    case 'server':
      return { got, remedy: 'Wait: the fault is on the AWS side.', retry: true };
    case 'network':
    case 'response':
      return {
        got,
        remedy:
          (kind === 'network' ? networkRemedy(failure) : undefined) ??
          'Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL_STS.',
        retry: true,
      };
    case 'client':
    case 'notFound':
      return { got, remedy: 'Correct the role_arn or the account of the profile.', retry: false };
    default:
      return kind satisfies never;
  }
}

/** For a known message of the SDK. Names in it are quoted, because they come from the files. */
function sdkTexts(profile: string, error: unknown): Texts | undefined {
  const message = messageOf(error);
  const found = knownMessages.find(({ pattern }) => pattern.test(message));
  return (
    found && {
      got: found.text ?? quote(message),
      remedy: found.remedy(profile),
      retry: found.retry ?? false,
    }
  );
}

function unknownTexts(profile: string, error: unknown): Texts {
  const [, kind = 'an error'] = /^([A-Z][A-Za-z]{2,40}(?:Error|Exception)): /.exec(messageOf(error)) ?? [];
  return {
    got: `${normalizeCode(kind)}, whose message is not shown because it may contain a secret`,
    remedy: `Test the profile: aws sts get-caller-identity --profile ${shellWord(profile)}`,
    retry: true,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

interface KnownMessage {
  readonly pattern: RegExp;
  /** Shown instead of the message, if that may quote more than names. */
  readonly text?: string;
  readonly remedy: (profile: string) => string;
  /** Default false. */
  readonly retry?: boolean;
}

const login = (profile: string): string => `Run: aws sso login --profile ${shellWord(profile)}`;
const consoleLogin = (profile: string): string => `Run: aws login --profile ${shellWord(profile)}`;
const correct = (profile: string): string =>
  `Correct ${profileSubject(profile)} in ~/.aws/config or ~/.aws/credentials.`;
const runProcess = (profile: string): string =>
  `Run the credential_process of ${profileSubject(profile)} manually: its output is not shown here because it may contain a secret.`;

/** The messages of the SDK's profile, SSO, process and login providers. */
const knownMessages: readonly KnownMessage[] = [
  { pattern: /^Unable to find environment variable credentials\.$/, remedy: correct },
  {
    pattern: /^The container metadata credential provider cannot be used unless/,
    text: 'credential_source = EcsContainer without the variables of ECS',
    remedy: correct,
  },
  {
    pattern: /^(Server responded with status: \d{3}|Error: connect E[A-Z]+ [\w.:[\]]{3,60})$/,
    remedy: correct,
    retry: true,
  },
  {
    pattern:
      /^(Unable to connect to|TimeoutError from|Error response received from) instance metadata service$/,
    remedy: correct,
    retry: true,
  },
  {
    pattern:
      /^Could not resolve credentials using profile: \[[^\]\n]{1,100}\] in configuration\/credentials file\(s\)\.$/,
    remedy: (profile) =>
      `Set AWS_PROFILE to a profile that is in ~/.aws/config or ~/.aws/credentials; ${profileSubject(profile)} is not, or has no credentials.`,
  },
  {
    pattern: /^Profile '?[^\n']{1,100}'? (was not found|could not be found in shared credentials file)\.$/,
    remedy: correct,
  },
  {
    pattern:
      /^Token is expired\. To refresh this SSO session run 'aws sso login' with the corresponding profile\.$/,
    remedy: login,
  },
  {
    pattern:
      /^The SSO session (token )?associated with (this profile|profile=[^\n]{1,100}) (was not found or is invalid|is invalid|has expired)\. To refresh this SSO session,? run '?aws sso login'? with the corresponding profile\.$/,
    remedy: login,
  },
  {
    pattern: /^Value not present for '\w{1,30}' in SSO Token[^\n]{0,100}$/,
    text: 'an incomplete SSO token',
    remedy: login,
  },
  {
    pattern: /^UnauthorizedException: /,
    text: 'an invalid SSO session (UnauthorizedException)',
    remedy: login,
  },
  {
    pattern: /^ForbiddenException: /,
    text: 'no SSO access to the account and role of the profile (ForbiddenException)',
    remedy: correct,
  },
  {
    pattern:
      /^Sso session '[^\n']{1,100}' (could not be found in shared credentials file|is missing required property '\w{1,30}')\.$/,
    remedy: correct,
  },
  { pattern: /^Conflicting SSO (region|start_url) configurations in profile [^\n]{1,200}$/, remedy: correct },
  {
    pattern: /^Profile is configured with invalid SSO credentials\./,
    text: 'a profile without one of sso_account_id, sso_region, sso_role_name, sso_start_url',
    remedy: correct,
  },
  {
    pattern: /^Detected a cycle attempting to resolve credentials for profile [^\n]{1,200}$/,
    remedy: correct,
  },
  {
    pattern:
      /^Unsupported credential source in profile [^\n]{1,100}\. Got \w{1,40}, expected [\w ]{1,100}\.$/,
    remedy: correct,
  },
  {
    pattern:
      /^Profile [^\n]{1,100} requires multi-factor authentication, but no MFA code callback was provided\.$/,
    remedy: correct,
  },
  {
    pattern:
      /^Profile [^\n]{1,100} credential_process (returned invalid JSON|did not return Version 1|returned invalid credentials|returned expired credentials)\.$/,
    remedy: runProcess,
    retry: true,
  },
  {
    pattern: /^spawn \S{1,100} E[A-Z]+$/,
    text: 'no shell to run its credential_process',
    remedy: () => 'Use an image with a shell and the program: the image of podsecrets has neither.',
  },
  {
    pattern:
      /^Command failed: [\s\S]*\bsh: [^\n]*(not found|No such file or directory|Permission denied)\s*$/,
    text: 'a credential_process that does not exist or cannot be executed',
    remedy: (profile) =>
      `Install the program that credential_process of ${profileSubject(profile)} names, or correct its path.`,
  },
  { pattern: /^Command failed: /, text: 'a credential_process that failed', remedy: runProcess, retry: true },
  {
    pattern:
      /^(Failed to load a token for session |Failed to load token from |Failed to refresh token|Token validation failed|Your session has expired\.|Unable to refresh credentials because of a change in your password)/,
    text: 'an expired or invalid session of aws login',
    remedy: consoleLogin,
  },
  {
    pattern: /^E[A-Z]{2,20}: [a-z ]{1,60}, (open|read)( '[^\n']{1,200}')?$/,
    remedy: correct,
  },
];

/** The text as one word of a shell command. */
function shellWord(text: string): string {
  const shown = escapeControl(text);
  return /^[\w.@+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
