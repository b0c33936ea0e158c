import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openWorkerMemory } from '../../src/worker/memory.ts';
import { nextCheck } from '../../src/worker/process.ts';

const test = suite('the memory of a worker');
const MIB = 1_048_576;
const nobody = undefined;

test('a worker may use what published files, hooks and this process leave of the limit', () => {
  let used = 30 * MIB;
  const memoryOf = openWorkerMemory({ limit: 128 * MIB, used: () => used });
  assert.equal(memoryOf(nobody), { used: 0, limit: 90 * MIB });
  used = 100 * MIB;
  assert.equal(memoryOf(nobody), { used: 0, limit: 20 * MIB });
  used = 127 * MIB;
  assert.equal(memoryOf(nobody), { used: 0, limit: -7 * MIB });
});

test('the memory of the worker itself does not reduce its limit', () => {
  const others = 30 * MIB;
  const own = openWorkerMemory(undefined)(process.pid).used;
  assert.ok(own > 0);
  const { used, limit } = openWorkerMemory({ limit: 512 * MIB, used: () => own + others })(process.pid);
  assert.ok(used > 0);
  // Both read the memory of this process, which changes a little between them.
  assert.ok(Math.abs(limit - (512 - 30 - 8) * MIB) < 8 * MIB);
});

test('if the cgroup cannot be read, the memory of this process is left out, and nothing else', () => {
  const { limit } = openWorkerMemory({ limit: 512 * MIB, used: () => undefined })(nobody);
  assert.ok(limit > 256 * MIB && limit < 504 * MIB);
});

test('without a limit of the container a worker may use 1 GiB', () => {
  assert.is(openWorkerMemory({ limit: 8192 * MIB, used: () => 0 })(nobody).limit, 1024 * MIB);
});

test('a worker near its limit is checked more often', () => {
  assert.ok(nextCheck({ used: 60, limit: 100 }) < nextCheck({ used: 40, limit: 100 }));
});

test.run();
