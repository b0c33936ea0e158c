import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  durationText,
  modeText,
  readCommand,
  readConfigTarget,
  readDuration,
  readExitCode,
  readListen,
  readMode,
  readOwner,
  readQuantity,
  readSignal,
  readUrl,
} from '../../src/cli/values.ts';

/** Each parser with valid and invalid texts. */
function reads<T>(
  name: string,
  read: (text: string) => T | undefined,
  taken: Record<string, T>,
  rejected: string[],
): void {
  test(`${name} parses valid values`, () => {
    for (const [text, value] of Object.entries(taken)) assert.equal(read(text), value, text);
  });
  test(`${name} rejects invalid values`, () => {
    for (const text of rejected) assert.is(read(text), undefined, text);
  });
}

reads('an exit code', readExitCode, { 1: 1, 88: 88, 255: 255 }, ['', '0', '256', '088', '1.5', '-1', 'x']);

reads(
  'a duration',
  readDuration,
  { '0s': 0, '250ms': 250, '1.5s': 1500, '1h30m': 5_400_000, '10m': 600_000 },
  ['', '10', '10 m', '-1s', '1d', 's', '1e3s', '1000h'],
);
reads('a mode', readMode, { '0644': 0o644, '0400': 0o400, '0777': 0o777 }, [
  '',
  '644',
  '1644',
  '0844',
  '0o644',
  '00644',
]);
reads('an owner', readOwner, { '0:0': { uid: 0, gid: 0 }, '65532:1000': { uid: 65532, gid: 1000 } }, [
  '',
  '1',
  'root:root',
  '-1:0',
  '4294967295:0',
  '1:2:3',
]);
reads(
  'a quantity',
  readQuantity,
  {
    '10m': { text: '10m', amount: 0.01 },
    '0.5': { text: '0.5', amount: 0.5 },
    '128Mi': { text: '128Mi', amount: 134_217_728 },
    '1G': { text: '1G', amount: 1e9 },
  },
  ['', '0', '0Mi', '-1', '10 m', '1e3', '128mi', '128MB', '.5', 'none'],
);
reads(
  'a listen address',
  readListen,
  {
    '0.0.0.0:8181': { host: '0.0.0.0', port: 8181 },
    ':9': { host: '0.0.0.0', port: 9 },
    '[::1]:0': { host: '::1', port: 0 },
    off: 'off',
  },
  ['', '8181', 'host', '::1:80', 'h:65536', 'h h:1'],
);
reads(
  'a config target',
  readConfigTarget,
  { '/a.yaml': { file: '/a.yaml', dir: undefined }, '/a=b.yaml=/mnt': { file: '/a=b.yaml', dir: '/mnt' } },
  ['', '=x', 'x='],
);
reads(
  'a command',
  readCommand,
  { '/bin/reload': ['/bin/reload'], '["sh","-c","a b"]': ['sh', '-c', 'a b'] } as Record<
    string,
    readonly [string, ...string[]]
  >,
  ['', 'nginx -s reload', '[]', '[1]', '["a"', '[""]', '["a\\u0000"]'],
);
reads('a URL', readUrl, { 'http://127.0.0.1:8080/-/reload': 'http://127.0.0.1:8080/-/reload' }, [
  '',
  'localhost',
  'ftp://x/',
  'http://user:pass@x/',
  'http://%zz@x/',
]);
reads(
  'a signal',
  readSignal,
  { HUP: 'SIGHUP', SIGUSR1: 'SIGUSR1', sigterm: 'SIGTERM' } as Record<
    string,
    'SIGHUP' | 'SIGUSR1' | 'SIGTERM'
  >,
  ['', 'SIGSTOP', '1', 'NOPE'],
);

test('formats a mode as four octal digits', () => {
  assert.is(modeText(0o44), '0044');
  assert.is(modeText(0o644), '0644');
});

test('formats a duration in its largest unit', () => {
  assert.equal([0, 250, 1500, 60_000, 90_000, 600_000, 5_400_000, 7_200_000].map(durationText), [
    '0ms',
    '250ms',
    '1.5s',
    '1m',
    '1m30s',
    '10m',
    '1h30m',
    '2h',
  ]);
});

test('rounds a duration up to the next unit instead of sixty of the lower one', () => {
  assert.equal([119_700, 3_599_400, 3_599_700, 7_199_000].map(durationText), ['2m', '59m59s', '1h', '2h']);
});

test.run();
