/**
 * Redaction against the encoders of Python, Go, Java and a shell themselves. FUZZ_SEED repeats a run.
 */

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COUNT, encode, leaks, SEED, VECTORS, valuesOf, vectorsText } from '../fuzz/encoders/encode.ts';
import { isNotTested } from '../support/allowed.ts';

const seed = Number(process.env.FUZZ_SEED ?? SEED + 1);
process.stdout.write(`FUZZ_SEED=${seed}\n`);

test('the committed texts equal the output of the encoders', () => {
  const missing: string[] = [];
  const made = vectorsText(encode(valuesOf(SEED, COUNT), (program) => missing.push(program)));
  if (missing.length > 0) isNotTested(`the encoders of ${missing.join(', ')}, which are not installed`);
  else assert.is(made, readFileSync(VECTORS, 'utf8'));
});

test('redacts a value in every text in which a program prints it', () => {
  const missing: string[] = [];
  const vectors = encode(valuesOf(seed, 48), (program) => missing.push(program));
  if (missing.length > 0)
    isNotTested(`redaction of what ${missing.join(', ')} print, which are not installed`);
  assert.equal(leaks(vectors), [], `FUZZ_SEED=${seed}`);
});

test.run();
