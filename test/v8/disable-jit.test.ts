import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const module = new URL('../../src/v8/disable-jit.ts', import.meta.url).href;

/** Bits of %GetOptimizationStatus (OptimizationStatus in V8's src/runtime/runtime.h). */
const OPTIMIZED = 1 << 3;
const INTERPRETED = 1 << 6;

/** Runs a function until V8 compiles it, if it ever does; returns which of the two bits are set. */
function statusOfHotFunction(before: string): number {
  const script = `
    ${before}
    const work = eval('(function work(n) { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; })');
    for (let times = 0; times < 200; times++) work(20_000);
    console.log(eval('%GetOptimizationStatus(work)') & ${OPTIMIZED | INTERPRETED});`;
  const flags = ['--no-warnings', '--allow-natives-syntax', '--no-concurrent-recompilation'];
  return Number(
    execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
}

test('Node compiles a hot function by default', () => {
  assert.is(statusOfHotFunction(''), OPTIMIZED);
});

test('a hot function stays bytecode with the compilers disabled', () => {
  const off = `import { disableJit } from ${JSON.stringify(module)}; disableJit();`;
  assert.is(statusOfHotFunction(off), INTERPRETED);
});

test.run();
