/** Everything that is fuzzed. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '../support/config.ts';
import { agentTarget } from './agent-target.ts';
import { answerTargets } from './answer-targets.ts';
import { type Target, toBytes, toText } from './fuzz.ts';
import { hookOutputTarget } from './hook-output-target.ts';
import { assertSound } from './sound-config.ts';
import { assertInjected, manifests } from './sound-manifests.ts';

const root = join(import.meta.dirname, '../..');

const yaml = [
  ...[
    'null',
    '[]',
    '{}',
    '""',
    '-1',
    '1e400',
    '0x1F',
    '1.10',
    '~',
    '!!binary AAAA',
    '*a',
    '&a [*a]',
    '{<<: {a: b}}',
  ],
  ...[
    '|\n',
    '>-\n',
    '? a',
    '- ',
    ': ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '\t',
    '\0',
    '\xc2\x85',
    '\xef\xbb\xbf',
    '\r\n',
  ],
  ...['../../etc', '/', '..data', '{__proto__: {a: 1}}', '[[[[]]]]', '"\\u202e"', '"\\ud800"', '\xff'],
];

const configTarget: Target = {
  name: 'config',
  dictionary: [
    ...yaml,
    ...[
      'objectName',
      'objectAlias',
      'objectType',
      'objectVersion',
      'objectVersionLabel',
      'filePermission',
      'jmesPath',
    ],
    ...[
      'failoverObject',
      'optional',
      'expand',
      'decode',
      'secretsmanager',
      'ssmparameter',
      'pathTranslation',
      '"0600"',
    ],
    ...[
      'secretObjects',
      'data',
      'failoverRegion',
      'arn:aws:ssm:eu-west-1:1:parameter/a',
      'template',
      'base64',
    ],
  ],
  more: globSync('examples/**/*.yaml', { cwd: root })
    .sort()
    .map((file) => readFileSync(join(root, file), 'latin1'))
    .filter((text) => text.includes('kind: SecretProviderClass')),
  async execute(input) {
    const text = toText(input);
    const parsed = await parse(text);
    assertSound(text, parsed);
    const problems = [...parsed.problems, ...parsed.warnings].map(
      ({ code, message }) => `${code} ${shape(message)}`,
    );
    return problems.length > 3 ? `${problems.length} problems` : problems.sort().join(' | ') || 'a plan';
  },
};

/** A message without the parts that are from the input. */
const shape = (message: string): string => message.replace(/"[^"]*"|\d+|\([^)]*\)/g, '').slice(0, 60);

const manifestTarget: Target = {
  name: 'manifest',
  dictionary: [
    ...yaml,
    ...[
      'initContainers',
      'containers',
      'volumes',
      'volumeMounts',
      'mountPath',
      'csi',
      'env',
      'emptyDir',
      'podsecrets',
    ],
    ...[
      'kind: Pod',
      'kind: List',
      'items:',
      'metadata',
      'spec',
      'template',
      'medium: Memory',
      '/mnt/secrets-store',
    ],
  ],
  more: manifests.map(toBytes),
  async execute(input) {
    const messages = await assertInjected(toText(input));
    return messages.length === 0 ? 'injected' : messages.map(shape).sort().slice(0, 2).join(' | ');
  },
};

/** The part of each in a run over all: what is cheap is executed more often. */
export const targets: readonly (Target & { readonly share: number })[] = [
  { ...configTarget, share: 12 },
  { ...manifestTarget, share: 3 },
  ...answerTargets.map((target) => ({ ...target, share: 14 })),
  { ...agentTarget, share: 9 },
  { ...hookOutputTarget, share: 20 },
];
