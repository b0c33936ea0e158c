/**
 * A lexer of YAML as lenient as the reference's.
 *
 * YAML wants what stands in brackets or quotes to be indented deeper than the key before it; the reference does not mind,
 * and people close a bracket below the key that opened it. So the package's lexer is told, for as long as it is inside of
 * either, that nothing need be indented. Nothing else of it is changed.
 */

import { Lexer } from 'yaml';

/** What is used of the lexer beyond its types. Tested by what becomes of texts, so that another version is found out. */
interface Insides {
  /** How far the next line must be indented to belong to what is open. */
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
