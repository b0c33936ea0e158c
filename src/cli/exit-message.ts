/**
 * What a failed command says at its end: the last line on stderr, and the termination message that `kubectl describe pod`
 * shows. They must be enough: nobody may be able to read anything else.
 */

import { exitCodeOf, problemLine, problemsOf } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';

/** The end of a failed command. */
export interface ExitMessage {
  readonly exitCode: number;
  /** One line: what failed, where, and what to do; as many problems as a line holds, and how many it does not. */
  readonly line: string;
  /** The same, a line for each problem. */
  readonly terminationMessage: string;
}

/** For whatever was thrown. The message of a bug is withheld: it may quote the value that the code tripped over. */
export function formatExit(command: string | undefined, thrown: unknown): ExitMessage {
  const problems = problemsOf(thrown);
  const lines =
    problems === undefined ? [internalErrorLine(thrown)] : [...new Set(problems.map(problemLine))];
  const head = `podsecrets${command === undefined ? '' : ` ${command}`} failed`;
  const count = lines.length === 1 ? '' : ` (${lines.length} problems)`;
  return {
    exitCode: exitCodeOf(thrown),
    line: `${head}${count}: ${joined(lines, ' | ', LINE)}`,
    terminationMessage: `${head}${count}: ${joined(lines, '\n', MESSAGE)}`,
  };
}

/** A line of the log holds no more of a message. Characters. */
const LINE = 1400;
/** The kubelet keeps 4096 bytes; characters outside ASCII take up to three, and then it cuts. */
const MESSAGE = 3900;

/** As many whole lines as `length` holds, the first in any case, and the number of the others. */
function joined(lines: readonly string[], divider: string, length: number): string {
  const [first = '', ...others] = lines;
  let text = first.length <= length ? first : `${first.slice(0, length - 1)}…`;
  for (const [index, line] of others.entries()) {
    if (text.length + divider.length + line.length > length)
      return `${text}${divider}and ${others.length - index} more, which podsecrets doctor tells`;
    text += divider + line;
  }
  return text;
}

function internalErrorLine(thrown: unknown): string {
  if (!(thrown instanceof Error))
    return 'a bug of podsecrets: something that is no error was thrown. Please report it. [bug]';
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const at = frames
    .slice(0, 6)
    .map((frame) => frame.trim())
    .join(' ');
  return escapeControl(`a bug of podsecrets: ${thrown.name} ${at}. Please report this line. [bug]`, LINE);
}
