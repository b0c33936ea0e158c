/**
 * A YAML lexer as lenient as that of Go's yaml.v2.
 *
 * YAML requires text in brackets or quotes to be indented deeper than the key before it; yaml.v2 does not, and people close
 * a bracket below the key that opened it. So inside of both the package's lexer is set to require no indent. Nothing else
 * is changed.
 */

import { Lexer } from 'yaml';

/** Members of the lexer that its types do not have. The tests of lenient texts fail if another version changes them. */
interface Insides {
  /** The indent that the next line must have to belong to the open block. */
  indentNext: number;
  parseFlowCollection(): Generator<string, unknown>;
  parseQuotedScalar(): Generator<string, unknown>;
}

/** A lexer for one text; its state is its own. */
export function lenientLexer(): Lexer {
  const lexer = new Lexer();
  const insides = lexer as unknown as Insides;
  for (const name of ['parseFlowCollection', 'parseQuotedScalar'] as const) {
    const parse = insides[name].bind(insides);
    insides[name] = function* () {
      const { indentNext } = insides;
      insides.indentNext = 0;
      const state = yield* parse();
      insides.indentNext = indentNext;
      return state;
    };
  }
  return lexer;
}
