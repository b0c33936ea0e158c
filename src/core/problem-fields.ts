/**
 * Converts a Problem to plain fields and back, to pass it from a process to the one that started it.
 */

import { Problem, problemCodes } from './problem.ts';
import { flag, number, object, oneOf, optional, type Shaped, text } from './shape.ts';

/** The fields of a Problem, without its cause. */
export const problemShape = object({
  code: oneOf(problemCodes),
  subject: text,
  message: text,
  remedy: text,
  file: optional(text),
  line: optional(number),
  retry: flag,
  retryFor: optional(number),
  retryAfter: optional(number),
  access: optional(object({ action: text, resource: text })),
});

/** A Problem in a message. */
export type ProblemMessage = Shaped<typeof problemShape>;

/** The fields of a Problem. */
export function problemMessage(problem: Problem): ProblemMessage {
  const { code, subject, message, remedy, file, line, retry, retryFor, retryAfter, access } = problem;
  return { code, subject, message, remedy, file, line, retry, retryFor, retryAfter, access };
}

/**
 * Creates Problems from fields. Equal fields return the same Problem object: missing credentials are one
 * problem, not fifty.
 */
export function createProblemReader(): (fields: ProblemMessage) => Problem {
  const known = new Map<string, Problem>();
  return (fields) => {
    const key = JSON.stringify(fields);
    const problem = known.get(key) ?? new Problem(fields);
    known.set(key, problem);
    return problem;
  };
}
