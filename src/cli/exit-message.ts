/**
 * The final output of a failed command: the last line on stderr, and the termination message that `kubectl describe pod` shows.
 * Often nothing else of a failed pod can be read, so each must be sufficient.
 */

import { causeLine, exitCodeOf, groupByCause, type Problem, problemsOf } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';

/** The end of a failed command. */
export interface ExitMessage {
  readonly exitCode: number;
  /** One line: subject, message and remedy of as many problems as fit, and the number of the others. */
  readonly line: string;
  /** The same, with one line for each cause. */
  readonly terminationMessage: string;
}

/** For any thrown value. The message of a bug is withheld, because it may quote a secret value. */
export function formatExit(command: string | undefined, thrown: unknown): ExitMessage {
  const problems = problemsOf(thrown);
  const lines = problems === undefined ? [internalErrorLine(thrown)] : causeLines(problems);
  return messageOf(
    `podsecrets${command === undefined ? '' : ` ${command}`} failed`,
    lines,
    exitCodeOf(thrown),
  );
}

/** For a signal that ended a command before its first publish, or `exec` before its command; `problems` are those of the attempts so far. */
export function formatInterrupted(
  command: string,
  signal: string,
  problems: readonly Problem[],
  exitCode: number,
): ExitMessage {
  const missed = command === 'exec' ? 'its command was started' : 'the first publish';
  const head = `podsecrets ${command} was ended by ${signal} before ${missed}`;
  return messageOf(head, causeLines(problems), exitCode);
}

/** A line for each cause, so that one that affects many objects leaves space for the others. */
function causeLines(problems: readonly Problem[]): readonly string[] {
  return groupByCause(problems).map(causeLine);
}

function messageOf(head: string, lines: readonly string[], exitCode: number): ExitMessage {
  const title = lines.length > 1 ? `${head} (${lines.length} problems)` : head;
  const text = (divider: string, length: number) =>
    lines.length === 0 ? title : `${title}: ${joined(lines, divider, length)}`;
  return { exitCode, line: text(' | ', LINE), terminationMessage: text('\n', MESSAGE) };
}

/** Characters of a message in one line of the log. */
const LINE = 1400;
/** The kubelet keeps 4096 bytes; characters outside ASCII take up to three, and then it cuts. */
const MESSAGE = 3900;

/** As many whole lines as fit into `length`, but at least the first, and the number of the others. */
function joined(lines: readonly string[], divider: string, length: number): string {
  const [first = '', ...others] = lines;
  let text = first.length <= length ? first : `${first.slice(0, length - 1)}…`;
  for (const [index, line] of others.entries()) {
    if (text.length + divider.length + line.length > length)
      return `${text}${divider}and ${others.length - index} more: run podsecrets doctor`;
    text += divider + line;
  }
  return text;
}

function internalErrorLine(thrown: unknown): string {
  if (!(thrown instanceof Error))
    return 'a bug in podsecrets: it threw a value that is not an Error. Please report it. [bug]';
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const at = frames
    .slice(0, 6)
    .map((frame) => frame.trim())
    .join(' ');
  return escapeControl(`a bug in podsecrets: ${thrown.name} ${at}. Please report this line. [bug]`, LINE);
}
