import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  acceptFlags,
  COMPILED_BUILTINS,
  type CompiledBuiltins,
  storeBuiltins,
} from '../../src/build/builtin-code.ts';
import { programFlags } from '../../src/build/executable.ts';
import { builtinSources, unusedPart } from '../../src/build/trim-builtins.ts';

const build = join(import.meta.dirname, '../../src/build');
const original = readFileSync(process.execPath);
const header = new Script('0').createCachedData();
const sources = builtinSources();
const place = mkdtempSync(join(tmpdir(), 'podsecrets-builtins-'));

const NATIVES = '--allow-natives-syntax';
const flags = [...programFlags(), NATIVES];
const compiled = compile();

function compile(): CompiledBuiltins {
  const file = join(place, 'builtins.json');
  const args = ['--no-deprecation', ...flags, join(build, 'compile-builtins.cjs'), file];
  execFileSync(process.execPath, [...args, ...COMPILED_BUILTINS]);
  return JSON.parse(readFileSync(file, 'utf8'));
}

function write(name: string, executable: Buffer): string {
  const path = join(place, name);
  writeFileSync(path, executable, { mode: 0o755 });
  return path;
}

function evaluate(node: string, its: readonly string[], script: string): string {
  return execFileSync(node, [...its, '-e', script], { encoding: 'utf8' }).trim();
}

/** Bits of %GetOptimizationStatus (OptimizationStatus in V8's src/runtime/runtime.h). */
const OPTIMIZED = 1 << 3;
const INTERPRETED = 1 << 6;
const LAZY = 1 << 17;

const HOT = `
  const work = eval('(function work(n) { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; })');
  for (let times = 0; times < 200; times++) work(20_000);
  console.log(%GetOptimizationStatus(work) & ${OPTIMIZED | INTERPRETED});`;

test('Node compiles a hot function; with the flags of the program it stays bytecode', () => {
  const natives = [NATIVES, '--no-concurrent-recompilation'];
  assert.is(evaluate(process.execPath, natives, HOT), String(OPTIMIZED));
  assert.is(evaluate(process.execPath, [...programFlags(), ...natives], HOT), String(INTERPRETED));
});

test("with these flags V8 accepts the code of Node's own modules only after their headers have changed", () => {
  const script = join(build, 'check-builtins.cjs');
  const check = (node: string) =>
    spawnSync(node, [...flags, '--expose-internals', script, ...COMPILED_BUILTINS], { encoding: 'utf8' });
  assert.match(check(process.execPath).stderr, /V8 rejects the stored code of .*_http_client/);
  const { status, stderr } = check(write('flags', acceptFlags(original, header, compiled.hash)));
  assert.is(status, 0, stderr);
});

test('functions that were never called are compiled', () => {
  if (process.arch !== 'x64') return;
  const script = `
    const { Agent } = process.getBuiltinModule('node:http');
    console.log((%GetOptimizationStatus(Agent.prototype.addRequest) & ${LAZY}) === 0);`;
  const accepted = acceptFlags(original, header, compiled.hash);
  assert.is(evaluate(write('lazy', accepted), flags, script), 'false');
  const stored = storeBuiltins(original, header, compiled, sources, unusedPart(original, sources));
  assert.is(evaluate(write('stored', acceptFlags(stored, header, compiled.hash)), flags, script), 'true');
});

const odd: readonly (readonly [what: string, executable: () => Buffer, expected: RegExp])[] = [
  ['of another V8', () => Buffer.alloc(64), /expected compiled code in the executable/],
  [
    'with another table of code',
    () => {
      const other = Buffer.from(original);
      const move = Buffer.from([0x48, 0xc7, 0x85]);
      for (let at = -1; ; ) {
        at = other.indexOf(move, at + 1);
        if (at === -1) return other;
        other[at] = 0x90;
      }
    },
    /expected one address of the code of _http_agent in the executable, got 0/,
  ],
];
for (const [what, executable, expected] of odd) {
  test(`a Node ${what} fails the build`, () => {
    if (process.arch !== 'x64') return;
    const unused = unusedPart(original, sources);
    assert.throws(() => storeBuiltins(executable(), header, compiled, sources, unused), expected);
  });
}

test('code that does not fit into the unused part fails the build', () => {
  if (process.arch !== 'x64') return;
  const { begin } = unusedPart(original, sources);
  const unused = { begin, end: begin + 1000 };
  const store = () => storeBuiltins(original, header, compiled, sources, unused);
  assert.throws(store, /expected space for the code of _http_agent/);
});

test.after(() => rmSync(place, { recursive: true }));
test.run();
