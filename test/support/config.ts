/** SecretProviderClass texts, and their plans in words that a table can hold. */

import { type ParsedPlan, type PlanOptions, parsePlan } from '../../src/config/parse.ts';
import { checkReport } from '../../src/config/report.ts';
import type { Problem } from '../../src/core/problem.ts';

/** A config with these objects (YAML at any indentation). Without further parameters they begin in line 9. */
export function config(objects: string, parameters: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ region: 'eu-west-1', ...parameters }).map(
    ([key, value]) => `    ${key}: ${value}`,
  );
  return [
    'apiVersion: secrets-store.csi.x-k8s.io/v1',
    'kind: SecretProviderClass',
    'metadata: {name: demo}',
    'spec:',
    '  provider: aws',
    '  parameters:',
    ...lines,
    '    objects: |',
    ...dedented(objects).map((line) => `      ${line}`),
  ].join('\n');
}

function dedented(text: string): readonly string[] {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const indent = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent));
}

/** The text as a plan, or its problems. */
export function parse(text: string, options: Partial<PlanOptions> = {}): Promise<ParsedPlan> {
  return parsePlan(text, { file: 'demo.yaml', defaultMode: 0o644, environmentRegion: undefined, ...options });
}

/** `<path> <mode>` of each file; each problem instead when there are any. */
export function files(parsed: ParsedPlan): readonly string[] {
  const report = reportOf(parsed);
  return report.ok ? report.files.map(({ path, mode }) => `${path} ${mode}`) : problems(parsed);
}

/** `<service> <region> <id> [v=<version>] [l=<label>]` of each read; each problem instead when there are any. */
export function reads(parsed: ParsedPlan): readonly string[] {
  const report = reportOf(parsed);
  if (!report.ok) return problems(parsed);
  return report.reads.map(({ service, region, id, version, stage }) =>
    [service, region, id, ...(version ? [`v=${version}`] : []), ...(stage ? [`l=${stage}`] : [])].join(' '),
  );
}

/** `<line> <code> <subject>` of each problem. */
export function problems({ problems: found }: ParsedPlan): readonly string[] {
  return found.map(placed);
}

/** `<line> <code> <subject>` of each warning. */
export function warnings({ warnings: found }: ParsedPlan): readonly string[] {
  return found.map(placed);
}

function placed({ line, code, subject }: Problem): string {
  return `${line ?? '-'} ${code} ${subject}`;
}

function reportOf({ plan, problems: found, warnings: warned }: ParsedPlan) {
  const configs = plan === undefined ? [] : [{ plan, directory: '/mnt/secrets-store' }];
  return checkReport({ configs, problems: found, warnings: warned });
}
