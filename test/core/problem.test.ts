import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatExit } from '../../src/cli/exit-message.ts';
import {
  exitCodeOf,
  exitCodes,
  groupByCause,
  namesText,
  Problem,
  Problems,
  problemCodes,
  problemLine,
  throwProblems,
} from '../../src/core/problem.ts';

const config = new Problem({
  code: 'config.object',
  subject: 'objects[2].objectType',
  file: '/etc/podsecrets/config.yaml',
  line: 14,
  message: 'expected "secretsmanager" or "ssmparameter", got "secretmanager"',
  remedy: 'Correct the value.',
});
const fetch = new Problem({ code: 'fetch.denied', subject: 'db', message: 'm', remedy: 'r' });

test('every code begins with a stage that has an exit code', () => {
  for (const code of problemCodes) {
    const [stage = '', what, ...rest] = code.split('.');
    assert.ok(stage in exitCodes && !['done', 'bug'].includes(stage), code);
    assert.ok(what !== undefined && /^[a-z]\w+$/.test(what) && rest.length === 0, code);
  }
});

test('formats a problem as one line: subject, place, message, remedy', () => {
  assert.is(
    problemLine(config),
    'objects[2].objectType (/etc/podsecrets/config.yaml:14): expected "secretsmanager" or "ssmparameter", got "secretmanager". Correct the value. [config.object]',
  );
});

test('control characters in any part of a problem are escaped', () => {
  const forged = new Problem({
    code: 'config.file',
    subject: 'a\nb',
    file: 'f\u001b',
    message: 'm\r',
    remedy: 'r\u0000',
  });
  assert.is(problemLine(forged), 'a\\nb (f\\x1b): m\\r. r\\x00 [config.file]');
});

test('the exit code of several problems is that of the earliest stage', () => {
  assert.is(exitCodeOf(new Problems([fetch, config])), exitCodes.config);
  assert.is(exitCodeOf(fetch), exitCodes.fetch);
  assert.is(exitCodeOf(new TypeError('x')), exitCodes.bug);
});

test('throws a single problem unchanged, several as Problems, and nothing without one', () => {
  throwProblems([]);
  assert.throws(
    () => throwProblems([fetch]),
    (error: unknown) => error === fetch,
  );
  assert.throws(
    () => throwProblems([fetch, config]),
    (error: unknown) => error instanceof Problems,
  );
});

test('the exit message names the command and every problem once', () => {
  const { line, exitCode, terminationMessage } = formatExit('init', new Problems([config, fetch, fetch]));
  assert.is(exitCode, 3);
  assert.match(
    line,
    /^podsecrets init failed \(2 problems\): objects\[2\].* \| db: m\. r \[fetch\.denied\]$/,
  );
  assert.is(terminationMessage.split('\n').length, 2);
});

test('the exit message of a bug has its location and not its message, which may quote a value', () => {
  const { line, exitCode } = formatExit('init', new SyntaxError('Unexpected token in "hunter2"'));
  assert.is(exitCode, 1);
  assert.not.match(line, 'hunter2');
  assert.match(line, 'problem.test.ts');
});

test('a termination message is not longer than the kubelet keeps', () => {
  const many = Array.from(
    { length: 100 },
    (_, i) =>
      new Problem({
        code: 'config.object',
        file: '/etc/podsecrets/config.yaml',
        line: i,
        subject: `objects[${i}]`,
        message: 'm',
        remedy: 'r',
      }),
  );
  const { terminationMessage, line } = formatExit('init', new Problems(many));
  assert.ok(Buffer.byteLength(terminationMessage) <= 4096);
  assert.ok(line.length < 1500);
  // Complete problems, and the number of the others.
  const shown = line.split(' | ').length - 1;
  assert.match(line, ` r [config.object] | and ${100 - shown} more: run podsecrets doctor`);
  assert.match(terminationMessage, /\[config\.object\]\nand \d+ more: run podsecrets doctor$/);
});

const unreachable = (subject: string, more: { requestId?: string; line?: number } = {}) =>
  new Problem({
    code: 'fetch.network',
    subject,
    line: more.line,
    message: `no response${more.requestId === undefined ? '' : `, request id ${more.requestId}`}, in time`,
    remedy: 'Check the network.',
  });

test('prints a cause that affects many objects once, with the first names and the number of the others', () => {
  const many = Array.from({ length: 40 }, (_, i) => unreachable(`s${i}`, { requestId: `r-${i}` }));
  const { line, terminationMessage } = formatExit('init', new Problems([...many, fetch]));
  assert.is(
    line,
    'podsecrets init failed (2 problems): s0, s1, s2, s3, s4 and 35 more: no response, request id r-0, in time. Check the network. [fetch.network] | db: m. r [fetch.denied]',
  );
  assert.is(terminationMessage.split('\n').length, 2);
});

test('groups problems that differ only in object and request id, but not those of different places in a file', () => {
  const grouped = groupByCause([
    unreachable('a', { requestId: 'r-1' }),
    fetch,
    unreachable('b', { requestId: 'r-2' }),
    unreachable('b', { requestId: 'r-3' }),
    unreachable('a', { line: 1 }),
    unreachable('a', { line: 2 }),
  ]);
  assert.equal(
    grouped.map(({ problem, alsoAffected }) => [problem.subject, problem.line, alsoAffected]),
    [
      ['a', undefined, ['b']],
      ['db', undefined, []],
      ['a', 1, []],
      ['a', 2, []],
    ],
  );
});

test('lists up to five names completely', () => {
  assert.is(namesText(['a', 'b', 'c', 'd', 'e']), 'a, b, c, d, e');
  assert.is(namesText(['a', 'b', 'c', 'd', 'e', 'f']), 'a, b, c, d, e and 1 more');
});

test.run();
