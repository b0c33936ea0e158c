import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LogOptions, openLog } from '../../src/core/log.ts';
import { Problem } from '../../src/core/problem.ts';

const test = suite('log');

const problem = new Problem({
  code: 'notify.url',
  subject: 'http://app:80/reload',
  message: 'expected a response, got "connection refused"',
  remedy: 'Start it.',
  file: '/etc/a.yaml',
  line: 7,
});

function logTo(lines: string[], options: Partial<LogOptions> = {}) {
  const now = () => Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  return openLog({
    level: 'info',
    format: 'json',
    colour: false,
    now,
    write: (line) => lines.push(line),
    ...options,
  });
}

test('an event is one line of JSON with its fields', () => {
  const lines: string[] = [];
  logTo(lines).write('publish.changed', 'published', { files: 3, first: true, none: undefined });
  assert.equal(lines, [
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","event":"publish.changed","message":"published","files":3,"first":true}\n',
  ]);
});

test('a problem has its code, subject, place and remedy as fields', () => {
  const lines: string[] = [];
  logTo(lines).problem('notify.failed', problem, { attempts: 2 });
  assert.equal(JSON.parse(lines[0] ?? ''), {
    time: '2026-01-02T03:04:05.006Z',
    level: 'warn',
    event: 'notify.failed',
    message: 'http://app:80/reload: expected a response, got "connection refused"',
    attempts: 2,
    code: 'notify.url',
    subject: 'http://app:80/reload',
    remedy: 'Start it.',
    file: '/etc/a.yaml',
    line: 7,
  });
});

test('as text a problem is the last line of init', () => {
  const lines: string[] = [];
  logTo(lines, { format: 'text' }).problem('notify.failed', problem, { attempts: 2 });
  assert.is(
    lines[0],
    '2026-01-02T03:04:05.006Z WARN  http://app:80/reload (/etc/a.yaml:7): expected a response, got "connection refused". ' +
      'Start it. [notify.url]  notify.failed attempts=2\n',
  );
});

test('does not write levels below the configured one', () => {
  const lines: string[] = [];
  const log = logTo(lines, { level: 'warn' });
  log.write('publish.unchanged', 'debug');
  log.write('publish.changed', 'info');
  log.problem('notify.failed', problem);
  log.write('exit', 'error');
  log.problem('notify.failedAgain', problem);
  assert.equal(
    lines.map((line) => JSON.parse(line).level),
    ['warn', 'error'],
  );
});

for (const format of ['json', 'text'] as const) {
  test(`escapes untrusted text (${format})`, () => {
    const lines: string[] = [];
    const evil = 'a\n{"level":"error"}\r\x1b[2J\u2028\u202e\x9b\ud800';
    const log = logTo(lines, { format });
    log.write('exit', evil, { name: evil });
    log.problem('exit', new Problem({ code: 'notify.url', subject: evil, message: evil, remedy: evil }));
    assert.is(lines.length, 2);
    for (const line of lines) {
      assert.ok(line.endsWith('\n'));
      assert.not.match(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u202e\ud800]/);
    }
  });
}

test('cuts a long text', () => {
  const lines: string[] = [];
  logTo(lines).write('exit', 'm'.repeat(100_000), { name: 'n'.repeat(100_000) });
  const { message, n, name } = JSON.parse(lines.join('')) as Record<string, string>;
  assert.equal([message, n ?? name], [`${'m'.repeat(1500)}…`, `${'n'.repeat(1500)}…`]);
});

test('quotes fields with spaces in text', () => {
  const lines: string[] = [];
  logTo(lines, { format: 'text' }).write('exit', 'm', { x: 'a b', y: '', z: 'plain', n: 1 });
  assert.match(lines[0] ?? '', /m {2}exit x="a b" y="" z=plain n=1\n$/);
});

test('uses colour only if it is enabled', () => {
  const [plain, coloured]: [string[], string[]] = [[], []];
  logTo(plain, { format: 'text' }).write('exit', 'm');
  logTo(coloured, { format: 'text', colour: true }).write('exit', 'm');
  assert.not.match(plain[0] ?? '', /\x1b/);
  assert.match(coloured[0] ?? '', /\x1b\[31mERROR\x1b\[0m m/);
});

test.run();
