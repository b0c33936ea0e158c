/** What the user is told when the file system refuses. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodeOf, Problem, problemLine } from '../../src/core/problem.ts';
import { toPublishProblem } from '../../src/publish/fs-problems.ts';
import { open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { rehearse } from '../support/fault-injecting-fs.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('failures of the file system');

const attempt = {
  dir: '/mnt/secrets',
  owner: { uid: 1000, gid: 2000 },
  room: () => ({ needed: 5000, free: 1_150_000 }),
};
const explained = (code: string, syscall: string, path?: string): Problem => {
  const error = Object.assign(new Error(code), { code, syscall, ...(path === undefined ? {} : { path }) });
  const problem = toPublishProblem(error, attempt);
  assert.instance(problem, Problem);
  return problem as Problem;
};

test('each says what was expected and what to change in the pod', () => {
  for (const [problem, message, remedy] of [
    [explained('ENOSPC', 'write'), 'expected room for 5Ki, got 1.1Mi free', 'sizeLimit'],
    [explained('EDQUOT', 'write'), 'expected room for 5Ki, got 1.1Mi free', 'sizeLimit'],
    [
      explained('EROFS', 'mkdtemp'),
      'expected a volume that can be written, got EROFS at mkdtemp',
      'readOnly',
    ],
    [
      explained('EPERM', 'chown', '/mnt/secrets/a'),
      'expected to give "/mnt/secrets/a" to 1000:2000, got EPERM',
      'capability CHOWN',
    ],
    // An id that the user namespace of the pod does not map.
    [
      explained('EINVAL', 'chown', '/mnt/secrets/a'),
      'expected to give "/mnt/secrets/a" to 1000:2000, got EINVAL',
      'fsGroup',
    ],
    [
      explained('EACCES', 'open', '/mnt/secrets/a'),
      'expected permission, got EACCES at open of "/mnt/secrets/a"',
      'same user',
    ],
    [explained('EIO', 'read', '/mnt/secrets'), 'expected the read to succeed, got EIO', 'volume'],
  ] as const) {
    assert.is(problem.message, message);
    assert.ok(problem.remedy.includes(remedy), problem.remedy);
    assert.is(problem.subject, '/mnt/secrets');
    assert.is(problem.retry, false);
    assert.is(exitCodeOf(problem), 6);
    assert.ok(problemLine(problem).endsWith('[publish.write]'), 'the line is cut');
  }
});

test('only what passes by itself is worth another try', () => {
  for (const code of ['ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN', 'EINTR'])
    assert.is(explained(code, 'open').retry, true);
});

test('a bug stays a bug', () => {
  const bug = new TypeError('not a function');
  assert.is(toPublishProblem(bug, attempt), bug);
});

test('no room: says how much is needed and how much is free; the old set stays', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: 'old' }));
  const rehearsal = rehearse();
  const directory = await open(dir, { fs: rehearsal.fs });
  rehearsal.arm({ kind: 'none' });
  await directory.publish(snapshot({ a: 'old' }));
  rehearsal.arm({ kind: 'error', at: rehearsal.operations.length + 3, code: 'ENOSPC' });
  const problem = (await rejects(directory.publish(snapshot({ a: 'x'.repeat(5000), b: '' })))) as Problem;
  assert.match(problem.message, /^expected room for 8Ki, got \d+(\.\d)?Mi free$/);
  assert.equal(shown(dir), { a: 'old' });
  await directory.end();
});

test('an error names paths and never a value', async () => {
  const dir = scratch();
  const count = 60;
  for (let at = 1; at < count; at++) {
    const rehearsal = rehearse();
    const directory = await open(dir, { fs: rehearsal.fs });
    rehearsal.arm({ kind: 'error', at, code: 'EIO' });
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
