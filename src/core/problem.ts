/**
 * Problem: an error that a user can act on, with a subject, a message and a remedy.
 *
 * A Problem is thrown where the cause is understood; any other thrown error is a bug in podsecrets and keeps its stack. The code is
 * stable and begins with the stage, which determines the exit code. `retry` is set where the cause is understood, so callers never
 * guess. No Problem contains a secret.
 */

import { escapeControl, sentence } from './text.ts';

/** Exit codes. `kubectl` shows only the code and the last line of a failed init container. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  config: 3,
  credentials: 4,
  fetch: 5,
  publish: 6,
  notify: 7,
  kubernetes: 8,
  sync: 9,
  exec: 126,
} as const;

/** The exit code of `exec.notFound`. As in shells, it differs from that of a command that cannot be started (126). */
const EXIT_NOT_FOUND = 127;

/** The stage that failed, in the order in which stages run. */
export type Stage = Exclude<keyof typeof exitCodes, 'done' | 'bug'>;

/** Every code, `<stage>.<what>`. Stable: people match on them. */
export const problemCodes = [
  'usage.flag',
  'usage.value',
  'usage.environment',
  'usage.command',

  'config.file',
  'config.yaml',
  'config.document',
  'config.provider',
  'config.parameter',
  'config.region',
  'config.objects',
  'config.object',
  'config.duplicate',
  'config.path',
  'config.jmesPath',
  'config.failover',
  'config.secretObjects',
  'config.unknownKey',

  'credentials.variables',
  'credentials.token',
  'credentials.agent',
  'credentials.sts',
  'credentials.chain',
  'credentials.rejected',
  'credentials.expired',
  'credentials.nodeRole',

  'fetch.notFound',
  'fetch.denied',
  'fetch.client',
  'fetch.throttled',
  'fetch.server',
  'fetch.network',
  'fetch.response',
  'fetch.content',

  'publish.filesystem',
  'publish.directory',
  'publish.sticky',
  'publish.locked',
  'publish.write',
  'publish.space',

  'notify.signal',
  'notify.exec',
  'notify.url',
  'notify.touch',

  'kubernetes.api',
  'kubernetes.denied',
  'kubernetes.foreign',
  'kubernetes.content',
  'kubernetes.version',

  'sync.killed',

  'exec.notFound',
  'exec.start',
] as const;

/** One of the codes. */
export type ProblemCode = (typeof problemCodes)[number];

/** The fields of a new Problem. */
export interface ProblemFields {
  readonly code: ProblemCode;
  /** What it is about: `objects[2].objectType`, `--interval`, a directory. */
  readonly subject: string;
  /** One sentence, without the subject: `expected "secretsmanager" or "ssmparameter", got "secretmanager"`. */
  readonly message: string;
  /** What the reader can do about it, as an instruction. */
  readonly remedy: string;
  /** The file that `line` counts in. */
  readonly file?: string | undefined;
  /** Line in `file`, from 1. */
  readonly line?: number | undefined;
  /** Whether the same attempt can succeed later without a change by the user. Default false. */
  readonly retry?: boolean;
  /** Milliseconds from the start during which a retry can help. Default: the start timeout. */
  readonly retryFor?: number | undefined;
  /** Milliseconds to wait before a retry, as the server requires (Retry-After). */
  readonly retryAfter?: number | undefined;
  /** The missing IAM permission, if granting it would help. */
  readonly access?: Access | undefined;
  /** The original error; never one whose text may contain a secret. */
  readonly cause?: unknown;
}

/** A mistake that a parser found, without file and field: the caller adds a code and a subject. */
export interface Diagnostic {
  /** Line in the file, from 1; undefined if the mistake has no line. */
  readonly line: number | undefined;
  /** One sentence without a full stop: `expected "a" or "b", got "c"`. */
  readonly message: string;
  /** An instruction. */
  readonly remedy: string;
}

/** A permission that is missing. */
export interface Access {
  /** `secretsmanager:GetSecretValue` */
  readonly action: string;
  /** An ARN, possibly with wildcards, `*`, or a phrase if the ARN is unknown. */
  readonly resource: string;
}

/** A failure that a user can act on. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly subject: string;
  readonly remedy: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly retry: boolean;
  readonly retryFor: number | undefined;
  readonly retryAfter: number | undefined;
  readonly access: Access | undefined;

  constructor(fields: ProblemFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = 'Problem';
    this.code = fields.code;
    this.subject = fields.subject;
    this.remedy = fields.remedy;
    this.file = fields.file;
    this.line = fields.line;
    this.retry = fields.retry ?? false;
    this.retryFor = fields.retryFor;
    this.retryAfter = fields.retryAfter;
    this.access = fields.access;
  }

  get stage(): Stage {
    return this.code.slice(0, this.code.indexOf('.')) as Stage;
  }

  get exitCode(): number {
    return this.code === 'exec.notFound' ? EXIT_NOT_FOUND : exitCodes[this.stage];
  }
}

/** Several Problems, reported together: all of one config, or all of one fetch. Never empty. */
export class Problems extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`${problems.length} problems`);
    this.name = 'Problems';
    this.problems = problems;
  }
}

/** The Problems in a thrown value; undefined for any other error, which is a bug. */
export function problemsOf(error: unknown): readonly Problem[] | undefined {
  if (error instanceof Problem) return [error];
  if (error instanceof Problems) return error.problems;
  return undefined;
}

/** Throws one Problem as itself and several as Problems; does nothing if there is none. */
export function throwProblems(problems: readonly Problem[]): void {
  const [first, ...others] = problems;
  if (first !== undefined) throw others.length === 0 ? first : new Problems(problems);
}

/** The Problems in a caught error. Any other error is a bug in podsecrets, and is thrown again. */
export function problemsOrThrow(error: unknown): readonly [Problem, ...Problem[]] {
  const [first, ...others] = problemsOf(error) ?? [];
  if (first === undefined) throw error;
  return [first, ...others];
}

/** Each Problem once, even if it affects several objects: missing credentials are one problem, not fifty. */
export function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Set(problems)];
}

/** Problems that have one cause. */
export interface SharedCause {
  readonly problem: Problem;
  /** Subjects of the other problems of this cause, each once. */
  readonly alsoAffected: readonly string[];
}

/** One entry for each cause, in the order in which the causes appear, however many objects failed because of it. */
export function groupByCause(problems: readonly Problem[]): readonly SharedCause[] {
  return [...Map.groupBy(problems, causeKey).values()].flatMap(([problem, ...others]) => {
    if (problem === undefined) return [];
    const subjects = new Set(others.map(({ subject }) => subject));
    subjects.delete(problem.subject);
    return [{ problem, alsoAffected: [...subjects] }];
  });
}

/**
 * A key that is equal for problems of one cause: the same message, apart from the request id, and the same remedy. File and line
 * are part of the cause, because each place must be corrected.
 */
export function causeKey({ code, message, remedy, file, line }: Problem): string {
  return JSON.stringify([code, message.replace(/, request id [\w.:/+=-]+/, ''), remedy, file, line]);
}

/** Names in a message: the first five, and the number of the others. */
export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}

/** Enough to recognize what the names have in common; a full list would crowd out other causes. */
const MAX_NAMES = 5;

/** A mistake in the command line or in a variable. */
export function usageProblem(
  subject: string,
  message: string,
  remedy: string,
  code: Extract<ProblemCode, `usage.${string}`> = 'usage.value',
): Problem {
  return new Problem({ code, subject, message, remedy });
}

/** The exit code for any thrown value: that of the earliest stage that failed, or 1 for a bug. */
export function exitCodeOf(error: unknown): number {
  const problems = problemsOf(error);
  return problems === undefined ? exitCodes.bug : Math.min(...problems.map((problem) => problem.exitCode));
}

/** One line: subject, place, message, remedy, code. Escaped here, so that no caller can forget it. */
export function problemLine(problem: Problem): string {
  return causeLine({ problem, alsoAffected: [] });
}

/** The same for several problems of one cause, with the first of their subjects. */
export function causeLine({ problem, alsoAffected }: SharedCause): string {
  const place =
    problem.file === undefined
      ? problem.line === undefined
        ? ''
        : ` (line ${problem.line})`
      : ` (${escapeControl(problem.file)}${problem.line === undefined ? '' : `:${problem.line}`})`;
  return escapeControl(
    `${namesText([problem.subject, ...alsoAffected])}${place}: ${sentence(problem.message)} ${problem.remedy} [${problem.code}]`,
    LINE,
  );
}

/** Characters. The kubelet keeps 4096 bytes of a termination message; a longer line adds nothing. */
const LINE = 1500;
