/**
 * Finds manifests that were not rendered: `{{ … }}` of Helm and `${NAME}` of envsubst in values that Kubernetes would reject.
 *
 * Only names, images and similar fields are checked. Elsewhere `${NAME}` may be intended: in a script, an argument, a value.
 */

import { type Document, isMap, isScalar, visit } from 'yaml';
import { TEMPLATE_EXPRESSION } from '../config/template.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';

const KEYS: ReadonlySet<unknown> = new Set([
  'apiVersion',
  'generateName',
  'image',
  'kind',
  'name',
  'namespace',
  'replicas',
  'secretProviderClass',
  'serviceAccountName',
]);

/** Below these keys any text is allowed. */
const FREE: ReadonlySet<unknown> = new Set([
  'annotations',
  'args',
  'binaryData',
  'command',
  'data',
  'stringData',
]);

/** The offset of `{{ … }}` as a value, which YAML reads as a mapping whose key is a mapping; undefined without one. */
export function braces(document: Document.Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Pair(_, { key }) {
      if (!isMap(key)) return undefined;
      found = key.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

/** The first expression in a value that has to be a name; undefined without one. */
export function expressionIn(
  document: Document.Parsed,
): { readonly offset: number; readonly text: string } | undefined {
  let found: { readonly offset: number; readonly text: string } | undefined;
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key)) return undefined;
      if (FREE.has(key.value)) return visit.SKIP;
      if (!KEYS.has(key.value) || !isScalar(value) || typeof value.value !== 'string') return undefined;
      const text = expressionInText(value.value);
      if (text === undefined) return undefined;
      found = { offset: value.range?.[0] ?? 0, text };
      return visit.BREAK;
    },
  });
  return found;
}

/** The first expression in a text, such as a line that is not YAML because of it. */
export function expressionInText(text: string): string | undefined {
  return TEMPLATE_EXPRESSION.exec(text)?.[0];
}

/** The Problem of manifests that were not rendered. */
export function unrendered(file: string, line: number, expression: string): Problem {
  const isHelm = expression.startsWith('{{');
  return new Problem({
    code: 'kubernetes.content',
    subject: 'manifest',
    message: `expected rendered manifests, got the template expression ${quote(expression)}`,
    remedy: isHelm
      ? 'Render it first: helm template CHART | podsecrets inject'
      : 'Render it first: envsubst < FILE | podsecrets inject',
    file,
    line,
  });
}
