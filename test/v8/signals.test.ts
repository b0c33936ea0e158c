/** Signals that arrive while a process changes what they do. */

import { readFile } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { replaceListeners } from '../../src/v8/signals.ts';
import { until } from '../support/wait.ts';

const test = suite('signals');

test('a signal that arrived before its listener was replaced goes to the new listener', async () => {
  const got: string[] = [];
  process.on('SIGUSR2', () => got.push('old'));
  // In a callback of I/O: Node reads signals after it.
  readFile(import.meta.filename, () => {
    process.kill(process.pid, 'SIGUSR2');
    replaceListeners('SIGUSR2', (signal) => got.push(signal));
  });
  try {
    await until('the signal', () => got.length > 0);
    assert.equal(got, ['SIGUSR2']);
  } finally {
    process.removeAllListeners('SIGUSR2');
  }
});

test.run();
