/** The targets: everything that reads input from outside. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '../support/config.ts';
import { agentTarget } from './agent-target.ts';
import { assertConfig } from './config-invariants.ts';
import { type Target, toBytes, toText } from './fuzz.ts';
import { hookOutputTarget } from './hook-output-target.ts';
import { assertInjected, manifests } from './manifest-invariants.ts';
import { responseTargets } from './response-targets.ts';
import { configWords, manifestWords, yamlMarks, yamlValues } from './words.ts';

const root = join(import.meta.dirname, '../..');

/** UTF-8, and a byte that is none. */
const dictionaryOf = (words: readonly string[]): readonly string[] => [
  ...[...words, ...yamlMarks, ...yamlValues].map(toBytes),
  '\xff',
];

const configTarget: Target = {
  name: 'config',
  dictionary: dictionaryOf(configWords),
  more: globSync('examples/**/*.yaml', { cwd: root })
    .sort()
    .map((file) => readFileSync(join(root, file), 'latin1'))
    .filter((text) => text.includes('kind: SecretProviderClass')),
  async execute(input) {
    const text = toText(input);
    const parsed = await parse(text);
    assertConfig(text, parsed);
    const problems = [...parsed.problems, ...parsed.warnings].map(
      ({ code, message }) => `${code} ${shape(message)}`,
    );
    return problems.length > 3 ? `${problems.length} problems` : problems.sort().join(' | ') || 'a plan';
  },
};

/** A message without the parts that come from the input. */
const shape = (message: string): string => message.replace(/"[^"]*"|\d+|\([^)]*\)/g, '').slice(0, 60);

const manifestTarget: Target = {
  name: 'manifest',
  dictionary: dictionaryOf(manifestWords),
  more: manifests.map(toBytes),
  async execute(input) {
    const messages = await assertInjected(toText(input));
    return messages.length === 0 ? 'injected' : messages.map(shape).sort().slice(0, 2).join(' | ');
  },
};

/** The share of each in a run of all: a cheap target is executed more often. */
export const targets: readonly (Target & { readonly share: number })[] = [
  { ...configTarget, share: 12 },
  { ...manifestTarget, share: 3 },
  ...responseTargets.map((target) => ({ ...target, share: 14 })),
  { ...agentTarget, share: 9 },
  { ...hookOutputTarget, share: 20 },
];
