/**
 * Values as programs in Python, Go, Java, a shell and Node print them. The texts are in a file, because not every machine has
 * all these programs; test/soak/redact-encoders.test.ts makes them again.
 */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COUNT, leaks, readVectors } from '../fuzz/encoders/encode.ts';

const vectors = readVectors();

test('the file contains texts of every language', () => {
  assert.is(vectors.length, COUNT);
  const names = new Set(vectors.flatMap(({ texts }) => Object.values(texts).flat()));
  for (const language of ['python', 'go', 'java', 'bash', 'jq', 'node', 'od', 'base64'])
    assert.ok(
      [...names].some((name) => name.startsWith(language)),
      language,
    );
});

test('redacts a value in every text in which a program printed it', () => {
  assert.equal(leaks(vectors), []);
});

test.run();
