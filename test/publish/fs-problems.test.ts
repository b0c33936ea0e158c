/** The problems that errors of the file system become. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodeOf, Problem, problemLine } from '../../src/core/problem.ts';
import { toPublishProblem } from '../../src/publish/fs-problems.ts';
import { open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { faultInjectingFs } from '../support/fault-injecting-fs.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('errors of the file system');

const attempt = {
  dir: '/mnt/secrets',
  owner: { uid: 1000, gid: 2000 },
  space: () => ({ needed: { bytes: 5000, inodes: 6 }, free: { bytes: 1_150_000, inodes: 6 } }),
};
const explained = (code: string, syscall: string, path?: string): Problem => {
  const error = Object.assign(new Error(code), { code, syscall, ...(path === undefined ? {} : { path }) });
  const problem = toPublishProblem(error, attempt);
  assert.instance(problem, Problem);
  return problem as Problem;
};

test('a volume without enough inodes is not reported as one without space', () => {
  const error = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'mkdir' });
  const reported = (bytes: number, inodes: number) => {
    const space = () => ({ needed: { bytes: 5000, inodes: 6 }, free: { bytes, inodes } });
    return toPublishProblem(error, { ...attempt, space }) as Problem;
  };
  // After a failure the new generation is removed again, so a few are free.
  for (const free of [0, 5]) {
    assert.match(reported(1_150_000, free).message, `no inodes left in the volume`);
    assert.match(reported(1_150_000, free).message, `needs 6, ${free} free`);
    assert.match(reported(1_150_000, free).remedy, 'nr_inodes');
  }
  assert.match(reported(4096, 5).message, /^no space left/);
});

test('each error states what failed and what to change in the pod', () => {
  for (const [problem, message, remedy] of [
    [explained('ENOSPC', 'write'), 'no space left: needs 5Ki, 1.1Mi free', 'sizeLimit'],
    [explained('EDQUOT', 'write'), 'no space left: needs 5Ki, 1.1Mi free', 'sizeLimit'],
    [
      explained('EFBIG', 'write'),
      'a file is larger than this process may write (EFBIG at write)',
      'ulimit -f',
    ],
    [explained('EROFS', 'mkdtemp'), 'the volume is mounted read-only (EROFS at mkdtemp)', 'readOnly'],
    [
      explained('EPERM', 'chown', '/mnt/secrets/a'),
      'cannot change the owner of "/mnt/secrets/a" to 1000:2000 (EPERM)',
      'capability CHOWN',
    ],
    // An id that the user namespace of the pod does not map.
    [
      explained('EINVAL', 'chown', '/mnt/secrets/a'),
      'cannot change the owner of "/mnt/secrets/a" to 1000:2000 (EINVAL)',
      'fsGroup',
    ],
    [
      explained('EACCES', 'open', '/mnt/secrets/a'),
      'permission denied (EACCES at open of "/mnt/secrets/a")',
      'same user',
    ],
    [explained('EIO', 'read', '/mnt/secrets'), 'read failed (EIO)', 'volume'],
  ] as const) {
    assert.is(problem.message, message);
    assert.ok(problem.remedy.includes(remedy), problem.remedy);
    assert.is(problem.subject, '/mnt/secrets');
    assert.is(problem.retry, false);
    assert.is(exitCodeOf(problem), 6);
    assert.ok(problemLine(problem).endsWith('[publish.write]'), 'the line is cut');
  }
});

test('the remedy of a denied permission names --owner only where it is set', () => {
  const error = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open' });
  const remedyWith = (owner: typeof attempt.owner | undefined) =>
    (toPublishProblem(error, { ...attempt, owner }) as Problem).remedy;
  assert.match(remedyWith(attempt.owner), '--owner');
  assert.not.match(remedyWith(undefined), '--owner');
});

test('only transient errors are retried', () => {
  for (const code of ['ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN', 'EINTR'])
    assert.is(explained(code, 'open').retry, true);
});

test('returns any other error unchanged', () => {
  const bug = new TypeError('not a function');
  assert.is(toPublishProblem(bug, attempt), bug);
});

test('a full volume keeps the old generation, and the error shows the needed and the free space', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: 'old' }));
  const faulty = faultInjectingFs();
  const directory = await open(dir, { fs: faulty.fs });
  faulty.arm({ kind: 'none' });
  await directory.publish(snapshot({ a: 'old' }));
  faulty.arm({ kind: 'error', at: faulty.operations.length + 3, code: 'ENOSPC' });
  const problem = (await rejects(directory.publish(snapshot({ a: 'x'.repeat(5000), b: '' })))) as Problem;
  assert.match(problem.message, /^no space left: needs 8Ki, \d+(\.\d)?Mi free$/);
  assert.equal(shown(dir), { a: 'old' });
  await directory.end();
});

test('an error names paths and never a value', async () => {
  const dir = scratch();
  const count = 60;
  for (let at = 1; at < count; at++) {
    const faulty = faultInjectingFs();
    const directory = await open(dir, { fs: faulty.fs });
    faulty.arm({ kind: 'error', at, code: 'EIO' });
    const outcome: unknown = await directory
      .publish(snapshot({ a: `canary ${at}` }))
      .catch((error: unknown) => error);
    assert.not.ok(
      outcome instanceof Problem &&
        JSON.stringify([problemLine(outcome), String(outcome.cause)]).includes('canary'),
    );
    await directory.end();
  }
});

test.run();
