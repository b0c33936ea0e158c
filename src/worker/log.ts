/**
 * The log of a worker: each line is a message to the process that started it.
 */

import type { Log } from '../core/log.ts';
import { problemMessage } from '../core/problem-fields.ts';
import type { Report } from './report.ts';

/** Reports each line. */
export function reportedLog(report: Report): Log {
  return {
    write: (event, message, fields = {}) => report({ kind: 'log', event, message, fields }),
    problem: (event, problem, fields = {}) =>
      report({ kind: 'logProblem', event, problem: problemMessage(problem), fields }),
  };
}
