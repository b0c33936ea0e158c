import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hookEnvironment, lastLines } from '../../src/notify/hook-output.ts';

const test = suite('hooks');

test('a hook gets a short list of variables, and none that gives access to credentials', () => {
  const environment = {
    PATH: '/app/bin',
    HOME: '/home/app',
    AWS_SECRET_ACCESS_KEY: 'k',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token',
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    NODE_OPTIONS: '--inspect',
    HTTPS_PROXY: 'http://user:password@proxy',
    LANG: undefined,
  };
  assert.equal(hookEnvironment(environment, ['a', 'b/c']), {
    PATH: '/app/bin',
    HOME: '/home/app',
    PODSECRETS_FILES: '["a","b/c"]',
  });
});

test('a hook has a default PATH if the environment has none', () => {
  assert.match(hookEnvironment({}, []).PATH ?? '', '/usr/bin:/sbin:/bin');
});

test('names that do not fit into a variable are left out', () => {
  const files = Array.from({ length: 5000 }, (_, index) => `${index}-${'ä'.repeat(100)}`);
  const names = hookEnvironment({}, files).PODSECRETS_FILES ?? '';
  assert.ok(Buffer.byteLength(names) <= 64 * 1024 + 2);
  assert.equal(JSON.parse(names), files.slice(0, JSON.parse(names).length));
  assert.ok(JSON.parse(names).length > 300);
});

test('shows the last lines of an output, on one line, escaped', () => {
  assert.is(lastLines('a\nb\n\n  \nc\r\nd\x1b[31m\ne\n'), 'b\\nc\\nd\\x1b[31m\\ne');
  assert.is(lastLines('\n \n'), '');
});

test('truncates a long last line at its front, because the cause is at its end', () => {
  const shown = lastLines(`${'x'.repeat(10_000)} the cause`);
  assert.is(shown.length, 600);
  assert.match(shown, /^…x.* the cause$/);
});

test.run();
