/**
 * Which part of an answer belongs to which read.
 *
 * Requests carry a name, a full ARN or an ARN without its random suffix; answers carry names and full ARNs, in any order.
 * Matching is by what was asked, never by position, and an answer that names another selector than the one that was asked
 * for is nobody's.
 */

import type { SecretRef } from '../config/secret-ref.ts';
import { isArn } from '../core/arn.ts';
import { fullParameterName } from './batches.ts';

/** What an answer says about whose value it holds. */
export interface Answered {
  readonly name: string | undefined;
  readonly arn: string | undefined;
  /** Parameter Store: `:3` or `:label`, when a selector was asked for. */
  readonly selector: string | undefined;
}

/** The three as they came from outside, where nothing checked their types. */
export function answeredBy(name: unknown, arn: unknown, selector?: unknown): Answered {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return { name: text(name), arn: text(arn), selector: text(selector) };
}

/** The parameter that answers the read: by name and selector, else by ARN and selector. One call never holds two selectors of a name. */
export function matchParameter<A extends Answered>(read: SecretRef, answers: readonly A[]): A | undefined {
  const selector = read.version ?? read.stage;
  const own = answers.filter((answer) => !answer.selector || answer.selector.replace(/^:/, '') === selector);
  return (
    own.find((answer) => answer.name === read.id || answer.name === fullParameterName(read)) ??
    own.find((answer) => answer.arn === read.id || answer.arn === fullParameterName(read))
  );
}

/**
 * The secret that answers the read: by name or full ARN, else by an ARN without the suffix of a hyphen and six letters.
 * When more than one fits such an ARN, none is taken.
 */
export function matchSecret<A extends Answered>(read: SecretRef, answers: readonly A[]): A | undefined {
  const exact = answers.find((answer) => answer.name === read.id || answer.arn === read.id);
  if (exact !== undefined || !isArn(read.id)) return exact;
  const partial = answers.filter(
    (answer) =>
      answer.arn?.startsWith(`${read.id}-`) && /^[A-Za-z0-9]{6}$/.test(answer.arn.slice(read.id.length + 1)),
  );
  return partial.length === 1 ? partial[0] : undefined;
}
