/**
 * The Kubernetes document around a config: is it a SecretProviderClass for AWS, and where are its parts.
 *
 * Keys match exactly here, as the API server matches them. What is wrong with the parts themselves is found by those who
 * read them.
 */

import { quote } from '../core/text.ts';
import { parseYaml, type YamlMap, type YamlValue } from '../formats/yaml.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Fields, kindText } from './fields.ts';

/** The parts of a SecretProviderClass; undefined where one is absent or of the wrong kind. */
export interface ClassDocument {
  /** All of it. */
  readonly root: YamlMap;
  readonly name: string | undefined;
  readonly parameters: YamlMap | undefined;
  readonly secretObjects: YamlValue | undefined;
}

/** Etcd keeps no object above 1.5 MiB, and a ConfigMap ends at 1 MiB. */
const LARGEST = 1024 * 1024;
const KUBERNETES = { match: 'exact', code: 'config.document' } as const;
const GROUP = 'secrets-store.csi.x-k8s.io';

/** The parts of the document; undefined when it is not one that can be read further. */
export function readDocument(text: string, findings: Diagnostics): ClassDocument | undefined {
  if (new TextEncoder().encode(text).length > LARGEST) {
    const message = 'expected a file of at most 1 MiB, got a larger one';
    const remedy = 'Name a SecretProviderClass file.';
    findings.error({ code: 'config.file', subject: 'config', line: undefined, message, remedy });
    return undefined;
  }
  const { root, faults, secondDocument } = parseYaml(text);
  for (const { line, message } of faults) {
    const remedy = 'Correct the YAML.';
    findings.error({ code: 'config.yaml', subject: 'config', line, message, remedy });
  }
  if (faults.length > 0) return undefined;
  if (secondDocument !== undefined) warnOfMore(secondDocument, findings);
  if (root?.kind === 'map') return readClass(root, findings);
  refuse(
    findings,
    root?.line,
    'config',
    'a SecretProviderClass',
    root === undefined ? undefined : kindText(root),
  );
  return undefined;
}

function readClass(root: YamlMap, findings: Diagnostics): ClassDocument | undefined {
  const fields = new Fields(
    [root],
    ['apiVersion', 'kind', 'metadata', 'spec', 'status'],
    KUBERNETES,
    'config',
    findings,
  );
  const kind = fields.text('kind');
  const version = fields.text('apiVersion');
  if (kind?.text !== 'SecretProviderClass') {
    refuse(findings, fields.lineOf('kind'), 'kind', '"SecretProviderClass"', kind && quote(kind.text));
    return undefined;
  }
  if (version?.text.split('/')[0] !== GROUP) {
    const expected = `"${GROUP}/v1"`;
    refuse(findings, fields.lineOf('apiVersion'), 'apiVersion', expected, version && quote(version.text));
    return undefined;
  }
  const before = findings.count;
  const specs = fields.maps('spec');
  if (specs.length === 0) {
    // A spec that is no map was refused as what it is.
    if (findings.count === before) refuse(findings, fields.lineOf('spec'), 'spec', 'a map', undefined);
    return undefined;
  }
  const spec = new Fields(specs, ['provider', 'parameters', 'secretObjects'], KUBERNETES, 'spec', findings);
  const provider = spec.text('provider');
  if (provider?.text !== 'aws') {
    const message = `expected "aws", got ${provider === undefined ? 'nothing' : quote(provider.text)}`;
    const remedy = 'Write provider: aws; values of other providers cannot be read.';
    const line = spec.lineOf('provider');
    findings.error({ code: 'config.provider', subject: 'spec.provider', line, message, remedy });
  }
  return {
    root,
    name: nameIn(fields.maps('metadata')),
    parameters: spec.maps('parameters')[0],
    secretObjects: spec.list('secretObjects'),
  };
}

/** Metadata has many keys that are none of our business, so that none of them is unknown. */
function nameIn(metadata: readonly YamlMap[]): string | undefined {
  const value = metadata[0]?.entries.find(({ key }) => key === 'name')?.value;
  return value?.kind === 'scalar' ? value.text : undefined;
}

function refuse(
  findings: Diagnostics,
  line: number | undefined,
  subject: string,
  expected: string,
  found: string | undefined,
): void {
  findings.error({
    code: 'config.document',
    subject,
    line,
    message: `expected ${expected}, got ${found ?? 'nothing'}`,
    remedy: 'Name a file that holds a SecretProviderClass.',
  });
}

function warnOfMore(line: number, findings: Diagnostics): void {
  findings.warning({
    code: 'config.document',
    subject: 'config',
    line,
    message: 'expected one document, got more; only the first one counts',
    remedy: 'Put each SecretProviderClass in a file of its own and name each with --config.',
  });
}
