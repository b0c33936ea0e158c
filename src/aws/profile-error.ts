/**
 * How a profile fails, in words.
 *
 * The SDK's own sentence is passed on where it is one that is known: it names the profile, the session or the file at fault.
 * Any other text may quote what a credential process printed, a cached token or an answer with keys in it, and goes no
 * further than its kind.
 */

import { Problem } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import type { Advice } from './agent-error.ts';
import { type AwsErrorFacts, IAM_SPREADS, normalizeCode, peerText } from './error-facts.ts';
import { keysRemedy } from './fetch-problems.ts';

/** What is known of a profile's failure. */
export interface ProfileFailure {
  /** The SDK's error. */
  readonly error: unknown;
  /** What it says as an error of AWS or the network. */
  readonly failure: AwsErrorFacts | undefined;
  /** A shared file that is there and cannot be read, which the SDK takes for an empty one. */
  readonly unreadable: { readonly file: string; readonly code: string } | undefined;
}

/** A profile gave no credentials. */
export function profileProblem(profile: string, { error, failure, unreadable }: ProfileFailure): Problem {
  const { got, ...advice } =
    unreadable === undefined
      ? (ownWords(profile, error) ??
        (failure === undefined ? unknownWords(profile, error) : awsWords(failure)))
      : {
          got: `${escapeControl(unreadable.file)}, which cannot be read (${unreadable.code})`,
          remedy:
            "Let the container's user read it, or name another file in AWS_SHARED_CREDENTIALS_FILE or AWS_CONFIG_FILE.",
          retry: false,
        };
  return new Problem({
    code: failure?.kind === 'refused' ? 'credentials.refused' : 'credentials.chain',
    subject: profileSubject(profile),
    message: `expected credentials, got ${got}`,
    ...advice,
  });
}

/** A profile as errors name it. */
export function profileSubject(profile: string): string {
  return `profile ${escapeControl(profile)}`;
}

type Words = Advice & { readonly got: string };

/** A role that a profile assumes, or SSO: the request reached AWS, or did not. */
function awsWords(failure: AwsErrorFacts): Words {
  const { kind, code, status, requestId, message } = failure;
  const what = code ?? (status === undefined ? 'nothing understandable' : `HTTP status ${status}`);
  const said = kind === 'denied' && message !== undefined ? `: ${escapeControl(message)}` : '';
  const got = `${what}${peerText(failure)}${requestId === undefined ? '' : `, request id ${requestId}`}${said}`;
  switch (kind) {
    case 'denied':
      return {
        got,
        remedy:
          "Let the role's trust policy allow it to this identity. A new policy takes a few seconds to work.",
        retry: true,
        retryFor: IAM_SPREADS,
      };
    case 'refused':
      return { got, remedy: keysRemedy(failure), retry: false };
    case 'expired':
      return { got, remedy: 'Get new keys for the profile, or for its source_profile.', retry: false };
    case 'throttled':
    case 'server':
      return { got, remedy: 'Wait: the fault is on the side of AWS.', retry: true };
    case 'network':
    case 'answer':
      return { got, remedy: 'Check the network, HTTPS_PROXY and AWS_ENDPOINT_URL_STS.', retry: true };
    case 'client':
    case 'notFound':
      return { got, remedy: 'Correct the role_arn or the account of the profile.', retry: false };
    default:
      return kind satisfies never;
  }
}

/** The SDK's own sentence, if it is known. Names in it are from the files, and so may hold anything. */
function ownWords(profile: string, error: unknown): Words | undefined {
  const message = messageOf(error);
  const found = sentences.find(({ form }) => form.test(message));
  return (
    found && {
      got: found.says ?? quote(message),
      remedy: found.remedy(profile),
      retry: found.retry ?? false,
    }
  );
}

function unknownWords(profile: string, error: unknown): Words {
  const [, kind = 'an error'] = /^([A-Z][A-Za-z]{2,40}(?:Error|Exception)): /.exec(messageOf(error)) ?? [];
  return {
    got: `${normalizeCode(kind)}, whose text is not shown: it may quote a secret`,
    remedy: `Try the profile by hand: aws sts get-caller-identity --profile ${shellWord(profile)}`,
    retry: true,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

interface Sentence {
  readonly form: RegExp;
  /** Instead of the sentence, where it may quote what is no name. */
  readonly says?: string;
  readonly remedy: (profile: string) => string;
  /** Default false. */
  readonly retry?: boolean;
}

const login = (profile: string): string => `Run: aws sso login --profile ${shellWord(profile)}`;
const consoleLogin = (profile: string): string => `Run: aws login --profile ${shellWord(profile)}`;
const correct = (profile: string): string =>
  `Correct ${profileSubject(profile)} in ~/.aws/config or ~/.aws/credentials.`;
const runProcess = (profile: string): string =>
  `Run the credential_process of ${profileSubject(profile)} by hand: what it prints is not shown here, as it may hold a secret.`;

/** Every sentence of the SDK's profile, SSO, process and login providers that holds no more than names. */
const sentences: readonly Sentence[] = [
  { form: /^Unable to find environment variable credentials\.$/, remedy: correct },
  {
    form: /^The container metadata credential provider cannot be used unless/,
    says: 'credential_source = EcsContainer without the variables of ECS',
    remedy: correct,
  },
  {
    form: /^(Server responded with status: \d{3}|Error: connect E[A-Z]+ [\w.:[\]]{3,60})$/,
    remedy: correct,
    retry: true,
  },
  {
    form: /^(Unable to connect to|TimeoutError from|Error response received from) instance metadata service$/,
    remedy: correct,
    retry: true,
  },
  {
    form: /^Could not resolve credentials using profile: \[[^\]\n]{1,100}\] in configuration\/credentials file\(s\)\.$/,
    remedy: (profile) =>
      `Set AWS_PROFILE to a profile that is in ~/.aws/config or ~/.aws/credentials; ${profileSubject(profile)} is not, or holds no credentials.`,
  },
  {
    form: /^Profile '?[^\n']{1,100}'? (was not found|could not be found in shared credentials file)\.$/,
    remedy: correct,
  },
  {
    form: /^Token is expired\. To refresh this SSO session run 'aws sso login' with the corresponding profile\.$/,
    remedy: login,
  },
  {
    form: /^The SSO session (token )?associated with (this profile|profile=[^\n]{1,100}) (was not found or is invalid|is invalid|has expired)\. To refresh this SSO session,? run '?aws sso login'? with the corresponding profile\.$/,
    remedy: login,
  },
  {
    form: /^Value not present for '\w{1,30}' in SSO Token[^\n]{0,100}$/,
    says: 'an SSO token that lacks a part',
    remedy: login,
  },
  {
    form: /^UnauthorizedException: /,
    says: 'an SSO session that is not valid (UnauthorizedException)',
    remedy: login,
  },
  {
    form: /^ForbiddenException: /,
    says: 'no access by SSO to the account and role of the profile (ForbiddenException)',
    remedy: correct,
  },
  {
    form: /^Sso session '[^\n']{1,100}' (could not be found in shared credentials file|is missing required property '\w{1,30}')\.$/,
    remedy: correct,
  },
  { form: /^Conflicting SSO (region|start_url) configurations in profile [^\n]{1,200}$/, remedy: correct },
  {
    form: /^Profile is configured with invalid SSO credentials\./,
    says: 'a profile without one of sso_account_id, sso_region, sso_role_name, sso_start_url',
    remedy: correct,
  },
  { form: /^Detected a cycle attempting to resolve credentials for profile [^\n]{1,200}$/, remedy: correct },
  {
    form: /^Unsupported credential source in profile [^\n]{1,100}\. Got \w{1,40}, expected [\w ]{1,100}\.$/,
    remedy: correct,
  },
  {
    form: /^Profile [^\n]{1,100} requires multi-factor authentication, but no MFA code callback was provided\.$/,
    remedy: correct,
  },
  {
    form: /^Profile [^\n]{1,100} credential_process (returned invalid JSON|did not return Version 1|returned invalid credentials|returned expired credentials)\.$/,
    remedy: runProcess,
    retry: true,
  },
  {
    form: /^spawn \S{1,100} E[A-Z]+$/,
    says: 'no shell to run its credential_process with',
    remedy: () => "Use an image that has the shell and the program: podsecrets' own has neither.",
  },
  {
    form: /^Command failed: [\s\S]*\bsh: [^\n]*(not found|No such file or directory|Permission denied)\s*$/,
    says: 'a credential_process that is not there or cannot be executed',
    remedy: (profile) =>
      `Install the program that credential_process of ${profileSubject(profile)} names, or correct its path.`,
  },
  { form: /^Command failed: /, says: 'a credential_process that failed', remedy: runProcess, retry: true },
  {
    form: /^(Failed to load a token for session |Failed to load token from |Failed to refresh token|Token validation failed|Your session has expired\.|Unable to refresh credentials because of a change in your password)/,
    says: 'a session of aws login that is not valid any more',
    remedy: consoleLogin,
  },
  {
    form: /^E[A-Z]{2,20}: [a-z ]{1,60}, (open|read)( '[^\n']{1,200}')?$/,
    remedy: correct,
  },
];

/** As it can be pasted into a shell. */
function shellWord(text: string): string {
  const shown = escapeControl(text);
  return /^[\w.@+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
