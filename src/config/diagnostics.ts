/**
 * Collects everything that is wrong with one config.
 *
 * All mistakes are reported in one go: a check reports here and continues, and the caller gets the whole list, sorted by
 * line.
 */

import type { Diagnostic } from '../core/problem.ts';
import { Problem, type ProblemCode } from '../core/problem.ts';

/** Errors make the config unusable; warnings do not. */
export class Diagnostics {
  readonly #file: string;
  readonly #problems: Problem[] = [];
  readonly #warnings: Problem[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  error(code: ProblemCode, subject: string, diagnostic: Diagnostic): void {
    this.#problems.push(new Problem({ code, subject, ...diagnostic, file: this.#file }));
  }

  warning(code: ProblemCode, subject: string, diagnostic: Diagnostic): void {
    this.#warnings.push(new Problem({ code, subject, ...diagnostic, file: this.#file }));
  }

  /** Whether an error is about this subject. */
  hasError(subject: string): boolean {
    return this.#problems.some((problem) => problem.subject === subject);
  }

  /** The number of errors so far. */
  get errorCount(): number {
    return this.#problems.length;
  }

  get problems(): readonly Problem[] {
    return sortedByLine(this.#problems);
  }

  get warnings(): readonly Problem[] {
    return sortedByLine(this.#warnings);
  }
}

/** The sort is stable: diagnostics of one line stay in the order in which they were found. */
function sortedByLine(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
