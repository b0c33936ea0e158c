/** The manifests of the examples, and what is true of every manifest that is injected. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseDocument } from 'yaml';
import { problemsOf } from '../../src/core/problem.ts';
import { injectWith, secretProviderClass } from '../support/inject.ts';

const root = join(import.meta.dirname, '../..');

export const manifests = globSync('examples/**/{deployment,pod,job,cronjob,manifests,app}*.yaml', {
  cwd: root,
})
  .sort()
  .map((file) => readFileSync(join(root, file), 'utf8'));

/** Fails unless the text is injected, and unchanged by a second injection, or rejected with problems. Returns their messages. */
export async function assertInjected(text: string): Promise<readonly string[]> {
  const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: undefined }];
  try {
    const { text: result, objects } = await injectWith({ file: 'pods.yaml', text, configs }, '');
    JSON.stringify(objects);
    for (const document of result.split(/^---$/m)) parseDocument(document);
    const again = await injectWith({ file: 'pods.yaml', text: result, configs }, '');
    assert.is(again.text, result);
    return [];
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    for (const { message, remedy } of problems) assert.ok(message !== '' && remedy !== '');
    return problems.map(({ message }) => message);
  }
}
