import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Invocation } from '../../src/cli/settings.ts';
import { type Problem, problemsOf } from '../../src/core/problem.ts';

function run(line: string, env: Record<string, string> = {}): Invocation {
  const command = parseCommand(line.split(' ').filter(Boolean), env);
  if (command.kind !== 'run') throw new Error(`expected a command to run, got ${command.kind}`);
  return command.invocation;
}

function rejected(line: string, env: Record<string, string> = {}): readonly Problem[] {
  try {
    parseCommand(line.split(' ').filter(Boolean), env);
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    return problems;
  }
  throw new Error(`expected a rejection of ${line}`);
}

/** The first problem of a rejected line. */
function first(line: string, env?: Record<string, string>): Problem {
  return rejected(line, env)[0] as Problem;
}

test('without flags every option has its default', () => {
  const { settings, origins } = run('sidecar');
  assert.equal(settings.config, [{ file: '/etc/podsecrets/config.yaml', dir: undefined }]);
  assert.is(settings.dir, '/mnt/podsecrets/files');
  assert.is(settings.mode, 0o644);
  assert.is(settings.interval, 600_000);
  assert.equal(settings.listen, { host: '0.0.0.0', port: 8181 });
  assert.is(settings.allowDisk, false);
  assert.is(settings.owner, undefined);
  assert.is(origins.interval, 'default');
});

test('a flag takes precedence over its variable, and the variable over the default', () => {
  const env = { PODSECRETS_DIR: '/from-env', PODSECRETS_MODE: '0400' };
  const { settings, origins } = run('init --dir=/from-flag', env);
  assert.is(settings.dir, '/from-flag');
  assert.is(settings.mode, 0o400);
  assert.equal([origins.dir, origins.mode, origins.auth], ['flag', 'environment', 'default']);
});

test('doctor takes configs as arguments too, and other commands reject them with the flag to write', () => {
  const { settings, origins } = run('doctor a.yaml b.yaml=/two --config c.yaml#shop');
  assert.equal(settings.config, [
    { file: 'c.yaml#shop', dir: undefined },
    { file: 'a.yaml', dir: undefined },
    { file: 'b.yaml', dir: '/two' },
  ]);
  assert.is(origins.config, 'flag');
  assert.is(first('init a.yaml').remedy, 'Write --config a.yaml.');
  assert.is(first('inject a.yaml').remedy, 'Write -f a.yaml.');
});

test('an empty variable counts as missing', () => {
  assert.is(run('init', { PODSECRETS_DIR: '' }).settings.dir, '/mnt/podsecrets/files');
});

test('accepts several configs as repeated flags, or as a variable with commas', () => {
  const expected = [
    { file: '/a.yaml', dir: '/one' },
    { file: '/b.yaml', dir: undefined },
  ];
  assert.equal(run('init --config /a.yaml=/one --config=/b.yaml').settings.config, expected);
  assert.equal(run('init', { PODSECRETS_CONFIG: '/a.yaml=/one, /b.yaml' }).settings.config, expected);
});

test('rejects two configs with the same directory', () => {
  assert.match(first('init --config a --config b').message, 'got "/mnt/podsecrets/files" twice');
  for (const same of ['/x/', '/./x', '/y/../x', '//x/.'])
    assert.match(first(`init --config a=/x --config b=${same}`).message, 'got "/x" twice');
});

test('rejects any other repeated option', () => {
  assert.match(first('init --dir=/a --dir=/b').message, 'expected one value, got 2');
});

test('a boolean flag accepts only true and false', () => {
  assert.is(run('init --allow-disk').settings.allowDisk, true);
  assert.is(run('init --allow-disk=false').settings.allowDisk, false);
  assert.match(first('init --allow-disk=yes').message, 'expected true or false, got "yes"');
  assert.match(first('init', { PODSECRETS_ALLOW_DISK: '1' }).message, 'expected true or false, got "1"');
});

test('the words after -- are the command of exec, not flags', () => {
  const { args, settings } = run('exec --pristine -- app --dir /x -- -f - --help');
  assert.equal(args, ['app', '--dir', '/x', '--', '-f', '-', '--help']);
  assert.equal([settings.pristine, settings.dir, settings.logLevel], [true, undefined, 'warn']);
});

test('exec needs -- and a command after it', () => {
  for (const line of ['exec', 'exec --'])
    assert.match(first(line).message, 'expected a command after --, got none');
  assert.match(first('exec app').remedy, 'podsecrets exec -- app');
  assert.is(rejected('exec app').length, 1);
});

test('--set takes each variable once, and names, not flags, are kept', () => {
  const set = run('exec --set A=/a --set B=/b -- app').settings.set.map(({ name }) => name);
  assert.equal(set, ['A', 'B']);
  assert.match(first('exec --set A=/a --set A=/b -- app').message, 'got "A" twice');
  assert.match(first('exec --set A -- app').message, 'expected NAME=REF');
  assert.match(
    first('exec --preserve-env A=1 -- app').message,
    'expected the name of an environment variable',
  );
  assert.match(first('exec --keep-env A -- app').message, 'needs --pristine');
});

test('several configs of exec may be without a directory, but not share one', () => {
  assert.is(run('exec --config a --config b -- app').settings.config.length, 2);
  assert.match(first('exec --config a --config b --dir /x -- app').message, 'got "/x" twice');
});

test('a lone dash is the value of the flag before it', () => {
  for (const line of ['inject -f -', 'inject --file -', 'inject --file=-'])
    assert.equal([run(line).settings.file, run(line).origins.file], [['-'], 'flag'], line);
  assert.is(run('inject -f - --diff').settings.diff, true);
  assert.is(first('init -').subject, '"-"');
  assert.is(first('init --config=a -').subject, '"-"');
  assert.match(first('init --allow-disk -').message, 'expected true or false, got "-"');
});

test('rejects a flag without a value or with an empty one', () => {
  assert.is(first('init --dir').subject, '--dir');
  assert.is(first('sidecar --interval=').subject, '--interval');
  assert.match(
    first('init --config').message,
    'expected FILE, FILE=DIR, env:NAME or env:NAME=DIR, got nothing',
  );
});

test('a misspelt flag is an error that names the nearest', () => {
  const problem = first('sidecar --intervall 30s');
  assert.is(problem.code, 'usage.flag');
  assert.match(problem.remedy, 'Did you mean --interval?');
});

test('rejects a flag of another command and names that command', () => {
  assert.match(first('init --interval 30s').message, 'but of sidecar');
});

test('a misspelt variable is a warning that names the nearest', () => {
  const warning = run('sidecar', { PODSECRETS_INTERVALL: '30s' }).warnings[0] as Problem;
  assert.is(warning.code, 'usage.environment');
  assert.match(warning.remedy, 'Did you mean PODSECRETS_INTERVAL?');
});

test('an unknown variable without a similar name gets no suggestion', () => {
  const warning = run('sidecar', { PODSECRETS_FOO: 'x' }).warnings[0] as Problem;
  assert.is(warning.remedy, 'Remove it: it has no effect.');
});

test('ignores the variables that Kubernetes adds for a Service named podsecrets', () => {
  const env = {
    PODSECRETS_SERVICE_HOST: '10.0.0.1',
    PODSECRETS_SERVICE_PORT: '8181',
    PODSECRETS_SERVICE_PORT_HTTP: '8181',
    PODSECRETS_PORT: 'tcp://10.0.0.1:8181',
    PODSECRETS_PORT_8181_TCP: 'tcp://10.0.0.1:8181',
    PODSECRETS_PORT_8181_TCP_PROTO: 'tcp',
    PODSECRETS_PORT_8181_TCP_ADDR: '10.0.0.1',
  };
  assert.equal(run('sidecar', env).warnings, []);
});

test('reports all mistakes of a command line together', () => {
  const subjects = rejected('init foo --nope --mode 9 --aws-timeout 1ms').map(({ subject }) => subject);
  assert.equal(subjects.sort(), ['"foo"', '--aws-timeout', '--mode', '--nope']);
});

test('does not convert numbers, dots and negated flags', () => {
  assert.is(run('init --dir=0123').settings.dir, '0123');
  assert.is(first('init --a.b=1').subject, '--a.b');
  assert.is(first('init --no-allow-disk').subject, '--no-allow-disk');
});

test('requires exactly one way to find the process for a signal', () => {
  assert.match(first('init --notify-signal HUP').message, 'got neither');
  assert.match(first('init --notify-signal HUP --notify-process a --notify-pid-file b').message, 'got both');
  assert.is(first('init --notify-process nginx').subject, '--notify-process');
  assert.is(run('init --notify-signal HUP --notify-process nginx').settings.notifySignal, 'SIGHUP');
});

test('a misspelt command names the nearest, and a missing command is an error', () => {
  assert.match(first('chekc').remedy, 'podsecrets check');
  assert.match(first('').message, 'got none');
});

for (const [line, remedy] of [
  ['check -f a.yaml', 'Write the file alone: podsecrets check FILE.'],
  ['doctor -f a.yaml', 'Write the file alone: podsecrets doctor FILE.'],
  ['install --dir /x', 'Write the directory alone: podsecrets install DIR.'],
  ['init -c a.yaml', 'Did you mean --config?'],
  ['inject -c a.yaml', /^Did you mean --config or --containers/],
  ['doctor --region eu-west-1', /AWS_REGION/],
  ['doctor --profile dev', 'Set AWS_PROFILE.'],
  ['check --json', 'Write --output json.'],
  ['inject --dry-run', /--diff/],
  ['install /a /b', 'Remove it: podsecrets install takes one directory.'],
  ['init help', 'Write podsecrets help init.'],
  ['check --config a.yaml b.yaml', /^Write all files as arguments/],
  ['status pod-1', /kubectl exec POD -c podsecrets -- podsecrets status/],
] as const)
  test(`the remedy of "podsecrets ${line}" is what to write instead`, () => {
    assert.match(first(line).remedy, remedy);
  });

for (const [flag, value, remedy] of [
  ['interval', '600', 'Write the unit: 600s for seconds.'],
  ['interval', '2d', 'Write days as hours: 48h.'],
  ['interval', '1.1d', 'Write days as hours: 26h24m.'],
  ['interval', '30d', 'Use at most 480h.'],
  ['interval', '99999999', 'Use at most 480h.'],
  ['interval', '900000h', 'Use at most 480h.'],
  ['mode', '640', 'Write 0640.'],
  ['mode', '0o640', 'Write 0640.'],
  ['owner', 'app:app', /^Write numbers: id -u NAME/],
  ['listen', '9000', 'Write 0.0.0.0:9000.'],
  ['notify-signal', '1', 'Write its name, which kill -l 1 prints.'],
  ['notify-exec', 'nginx -s reload', `Write '["nginx","-s","reload"]'.`],
  ['notify-exec', '["nginx" "-s"]', /^Write a list such as '\["nginx"/],
  ['notify-exec', 'a && b', /a shell command needs a shell: '\["sh","-c"/],
  ['notify-url', 'localhost:80/reload', 'Write http://localhost:80/reload.'],
  ['listen', 'x', 'Correct the value.'],
  ['listen', '99999', 'Correct the value.'],
] as const)
  test(`the remedy of --${flag} "${value}" is what to write instead`, () => {
    const [problem] = rejected('sidecar', { [`PODSECRETS_${flag.replace('-', '_').toUpperCase()}`]: value });
    assert.match(problem?.remedy ?? '', remedy);
  });

test('the remedy of a size in the units of other programs is that of Kubernetes', () => {
  for (const text of ['64MB', '64mb', '64MiB']) {
    const problem = first('inject', { PODSECRETS_MEMORY_LIMIT: text });
    assert.is(problem.remedy, 'Write 64Mi.', text);
  }
});

test('help and version are commands', () => {
  assert.equal(parseCommand(['--help'], {}), { kind: 'help', name: undefined });
  assert.equal(parseCommand(['init', '-h'], {}), { kind: 'help', name: 'init' });
  assert.equal(parseCommand(['--version'], {}), { kind: 'version' });
});

test('text from the command line is escaped in its error', () => {
  assert.match(first('init --\u001b[31mred').subject, '\\x1b');
});

test('does not print the password of an invalid URL', () => {
  for (const url of [
    'http://user:hunter2@app/',
    'ftp://user:hunter2@app',
    'http://user:hunter2@[',
    'user:hunter2@app',
  ]) {
    const [problem] = rejected(`init --notify-url ${url}`);
    assert.not.match(problem?.message ?? '', 'hunter2');
    assert.match(problem?.message ?? '', '…@');
  }
});

test.run();
