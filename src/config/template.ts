/**
 * Finds template expressions in a file that was not rendered: Helm's `{{ .Values.x }}` and envsubst's `${NAME}`.
 *
 * They lead to YAML errors that do not explain the cause. A file that was not rendered has many of them, and one remedy: so only
 * the first expression is reported.
 */

import type { Diagnostic } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { YamlMap, YamlValue } from '../formats/yaml-values.ts';

const HELM = /\{\{.*?\}\}/;
/** An expression of Helm or envsubst. */
export const TEMPLATE_EXPRESSION = /\{\{.*?\}\}|\$\{[A-Za-z_]\w*[^}]*\}/;

/** The remedy for a name with characters of a placeholder; undefined if it has none. */
export function placeholderRemedy(name: string): string | undefined {
  return /[$<>{}]/.test(name)
    ? 'Replace the placeholder: render the file first (helm template, envsubst).'
    : undefined;
}

/** The first expression of Helm in a text, outside of comments. */
export function templateInText(text: string): Diagnostic | undefined {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => HELM.test(withoutComment(line)));
  const [found] = HELM.exec(lines[index] ?? '') ?? [];
  return found === undefined ? undefined : notRendered(index + 1, found);
}

/** The first expression in the provider and the parameters of a class. Labels and annotations may contain templates. */
export function templateInValue(root: YamlMap): Diagnostic | undefined {
  const spec = root.entries.find(({ key }) => key === 'spec')?.value;
  if (spec?.kind !== 'map') return undefined;
  const found = spec.entries
    .filter(({ key }) => key !== 'secretObjects')
    .flatMap(({ value }) => templatesIn(value));
  return found.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))[0];
}

function templatesIn(value: YamlValue): readonly Diagnostic[] {
  switch (value.kind) {
    case 'null':
      return [];
    case 'list':
      return value.items.flatMap(templatesIn);
    case 'map':
      return value.entries.flatMap((entry) => templatesIn(entry.value));
    case 'scalar': {
      let start = 0;
      for (const line of value.text.split('\n')) {
        const match = TEMPLATE_EXPRESSION.exec(withoutComment(line));
        if (match !== null) return [notRendered(value.lineAt(start + match.index), match[0])];
        start += line.length + 1;
      }
      return [];
    }
    default:
      return value satisfies never;
  }
}

function withoutComment(line: string): string {
  return /^\s*#/.test(line) ? '' : line.replace(/\s#.*$/, '');
}

function notRendered(line: number, found: string): Diagnostic {
  return {
    line,
    message: `expected a rendered file, got the template expression ${quote(found)}`,
    remedy: found.startsWith('{{')
      ? 'Render it first: helm template CHART, and name the output.'
      : 'Render it first: envsubst < FILE, and name the output.',
  };
}
