/**
 * What reading one config has found so far.
 *
 * A person fixes a config once, not once per mistake: whoever finds something says so here and goes on, and the caller
 * gets everything in the order of the file.
 */

import { Problem, type ProblemFields } from '../core/problem.ts';

/** A Problem that does not know its file yet. */
export type Diagnostic = Pick<ProblemFields, 'code' | 'subject' | 'message' | 'remedy'> & {
  readonly line: number | undefined;
};

/** Problems refuse the config; warnings do not. */
export class Diagnostics {
  readonly #file: string;
  readonly #problems: Problem[] = [];
  readonly #warnings: Problem[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  error(finding: Diagnostic): void {
    this.#problems.push(this.#problem(finding));
  }

  warning(finding: Diagnostic): void {
    this.#warnings.push(this.#problem(finding));
  }

  /** How many problems there are so far. */
  get count(): number {
    return this.#problems.length;
  }

  get problems(): readonly Problem[] {
    return byLine(this.#problems);
  }

  get warnings(): readonly Problem[] {
    return byLine(this.#warnings);
  }

  #problem({ line, ...rest }: Diagnostic): Problem {
    return new Problem({ ...rest, file: this.#file, ...(line === undefined ? {} : { line }) });
  }
}

/** Stable: what was found first on a line comes first. */
function byLine(found: readonly Problem[]): readonly Problem[] {
  return found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
