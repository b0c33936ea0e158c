import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { programFlags } from '../../src/build/executable.ts';

test('the flags of the program let it collect garbage', () => {
  const script = `
    const { collectGarbage } = await import('${import.meta.dirname}/../../src/v8/collect-garbage.ts');
    const dropped = new WeakRef({});
    // A WeakRef keeps its object until the task ends.
    await new Promise(setImmediate);
    collectGarbage();
    process.stdout.write(String(dropped.deref()));`;
  const args = ['--input-type=module', '--eval', script];
  assert.is(execFileSync(process.execPath, [...programFlags(), ...args], { encoding: 'utf8' }), 'undefined');
  assert.is(execFileSync(process.execPath, args, { encoding: 'utf8' }), '[object Object]');
});

test.run();
