/**
 * A mistake in a text, without its context: the parser of a format knows neither the file nor the field.
 */

/** A mistake and its remedy; the caller adds the code and the subject and makes a Problem of it. */
export interface Diagnostic {
  /** Line in the file, from 1; undefined where the mistake has no place. */
  readonly line: number | undefined;
  /** One sentence without a full stop: `expected "a" or "b", got "c"`. */
  readonly message: string;
  /** What to do, as an instruction. */
  readonly remedy: string;
}
